-- An object that is uploaded again under its key, with other content, is another object: it is told apart by its ETag.
-- Rows of before have none. Such a row stands for every version that was stored by the time of the row.
ALTER TABLE ingested_objects
    ADD COLUMN object_etag VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '' AFTER object_key,
    DROP PRIMARY KEY,
    ADD PRIMARY KEY (object_key, object_etag);
