-- The hash of the object's body, and where its header says that it stands in the chain: the database vouches for the
-- journal. All are unknown for objects that were ingested before, and by an older function, which does not name the
-- columns and goes on inserting. Only the definition of the table changes, whatever its size.
ALTER TABLE ingested_objects
    ADD COLUMN sha256 BINARY(32) NULL,
    ADD COLUMN run CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN seq BIGINT UNSIGNED NULL,
    ALGORITHM = INSTANT;
