-- A line that this system wrote was accepted: that it is rejected must be heard of, and its payment be found by its id.
ALTER TABLE rejects
    ADD COLUMN is_own BOOLEAN NOT NULL DEFAULT FALSE,
    ADD COLUMN payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD KEY rejects_own (is_own, payment_id);
