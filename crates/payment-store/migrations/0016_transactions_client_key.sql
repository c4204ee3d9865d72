-- An id is unique within a client. The id comes first, so that this index serves look-ups by the id alone, as an older
-- function and `payctl trace` make them. The index is built beside inserts, and the old one holds until it is there.
ALTER TABLE transactions
    DROP KEY transactions_payment_id,
    ADD UNIQUE KEY transactions_payment_id (payment_id, client),
    ALGORITHM = INPLACE, LOCK = NONE;
