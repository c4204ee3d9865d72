ALTER TABLE rejects
    ADD COLUMN object_etag VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '' AFTER object_key,
    DROP KEY rejects_line,
    ADD UNIQUE KEY rejects_line (object_key, object_etag, object_line);
