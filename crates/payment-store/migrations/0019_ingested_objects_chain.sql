-- The hash of the object's body, and where its header says that it stands in the chain: the database vouches for the
-- journal. All are unknown for objects that were ingested before, and by an older function, which does not name the
-- columns and goes on inserting. MySQL changes only the definition of the table, whatever its size. MariaDB, which has
-- no such way beside an index on a generated column, copies the table; inserts wait meanwhile, and are tried again.
ALTER TABLE ingested_objects
    ADD COLUMN sha256 BINARY(32) NULL,
    ADD COLUMN run CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN seq BIGINT UNSIGNED NULL;
