-- utf8mb4_bin, the one collation that MySQL and MariaDB share, ignores spaces at the end of a key. The length of the key
-- tells `a` from `a `, so that an entry for one never stands in the way of the other. MariaDB allows no generated column
-- in a primary key.
ALTER TABLE ingested_objects
    ADD COLUMN id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE,
    ADD COLUMN key_bytes SMALLINT UNSIGNED GENERATED ALWAYS AS (OCTET_LENGTH(object_key)) VIRTUAL INVISIBLE,
    DROP PRIMARY KEY,
    ADD PRIMARY KEY (id),
    ADD UNIQUE KEY ingested_objects_version (object_key, object_etag, key_bytes);
