-- The length of the key tells `a` from `a `, as in ingested_objects.
ALTER TABLE sweep_deferred
    ADD COLUMN key_bytes SMALLINT UNSIGNED GENERATED ALWAYS AS (OCTET_LENGTH(object_key)) VIRTUAL INVISIBLE,
    DROP KEY sweep_deferred_object,
    ADD UNIQUE KEY sweep_deferred_object (object_key, object_etag, key_bytes);
