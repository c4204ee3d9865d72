-- Lines whose payment id is held by other content, whole, so that nothing is lost.
-- A line is recorded once, however often its object is read.
CREATE TABLE conflicts (
    id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    payment_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    transaction  VARCHAR(255) NULL,
    amount       DECIMAL(19, 4) NULL,
    currency     CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NULL,
    status       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    payer_name   VARCHAR(100) NULL,
    received_at  DATETIME(6) NOT NULL,
    extra        MEDIUMTEXT NOT NULL,
    recorded_at  DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    request_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    content_hash BINARY(32) NOT NULL,
    object_key   VARCHAR(700) NOT NULL,
    object_line  INT UNSIGNED NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY conflicts_line (object_key, object_line),
    KEY conflicts_payment_id (payment_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
