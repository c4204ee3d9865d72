-- Objects that a sweep could not ingest for a passing reason, and passed over. Later sweeps try them again.
CREATE TABLE sweep_deferred (
    id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    journal     VARCHAR(255) NOT NULL,
    object_key  VARCHAR(700) NOT NULL,
    object_etag VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    stored_at   DATETIME(6) NOT NULL,
    deferred_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    PRIMARY KEY (id),
    UNIQUE KEY sweep_deferred_object (object_key, object_etag)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
