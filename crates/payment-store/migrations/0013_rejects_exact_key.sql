-- The length of the key tells `a` from `a `, as in ingested_objects.
ALTER TABLE rejects
    ADD COLUMN key_bytes SMALLINT UNSIGNED GENERATED ALWAYS AS (OCTET_LENGTH(object_key)) VIRTUAL INVISIBLE,
    DROP KEY rejects_line,
    ADD UNIQUE KEY rejects_line (object_key, object_etag, object_line, key_bytes);
