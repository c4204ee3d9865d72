-- The client that the payment belongs to; rows of before belong to the client with the empty name. Only the definition
-- of the table changes, so that it takes as long on millions of rows as on none. An older function, which does not name
-- the column, goes on inserting.
ALTER TABLE transactions
    ADD COLUMN client VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '' INVISIBLE,
    ALGORITHM = INSTANT;
