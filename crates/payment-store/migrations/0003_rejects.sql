-- Lines that are no payment. They hold nothing of the line, which may be anything: a card number, too.
CREATE TABLE rejects (
    id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    object_key  VARCHAR(700) NOT NULL,
    object_line INT UNSIGNED NOT NULL,
    reason      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    detail      VARCHAR(255) NOT NULL,
    recorded_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    PRIMARY KEY (id),
    UNIQUE KEY rejects_line (object_key, object_line)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
