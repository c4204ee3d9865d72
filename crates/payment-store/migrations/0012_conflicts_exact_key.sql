-- The length of the key tells `a` from `a `, as in ingested_objects.
ALTER TABLE conflicts
    ADD COLUMN key_bytes SMALLINT UNSIGNED GENERATED ALWAYS AS (OCTET_LENGTH(object_key)) VIRTUAL INVISIBLE,
    DROP KEY conflicts_line,
    ADD UNIQUE KEY conflicts_line (object_key, object_etag, object_line, key_bytes);
