-- Objects that were taken whole, written in the transaction of their rows.
CREATE TABLE ingested_objects (
    object_key      VARCHAR(700) NOT NULL,
    line_count      INT UNSIGNED NOT NULL,
    row_count       INT UNSIGNED NOT NULL,
    duplicate_count INT UNSIGNED NOT NULL,
    conflict_count  INT UNSIGNED NOT NULL,
    reject_count    INT UNSIGNED NOT NULL,
    ingested_at     DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    PRIMARY KEY (object_key),
    CONSTRAINT every_line_is_counted CHECK (
        line_count = row_count + duplicate_count + conflict_count + reject_count
    )
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
