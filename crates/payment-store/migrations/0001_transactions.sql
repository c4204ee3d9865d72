-- One statement a file: DDL commits by itself, so a file with two could stop between them.
--
-- `extra` is text, not JSON: MySQL's type JSON turns numbers into doubles, and would change 1.10 to 1.1.
-- For the same reason it has no JSON_VALID check: MySQL calls 1e400, a right JSON number, invalid.
-- Columns that follow received_at are left out of `SELECT *`, which so fits a terminal.
-- MariaDB wants NULL or a default for an invisible column; origin_is_known stands in for NOT NULL.
CREATE TABLE transactions (
    id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    payment_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    transaction  VARCHAR(255) NULL,
    amount       DECIMAL(19, 4) NULL,
    currency     CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NULL,
    status       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    payer_name   VARCHAR(100) NULL,
    received_at  DATETIME(6) NOT NULL,
    extra        MEDIUMTEXT NULL INVISIBLE,
    recorded_at  DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) INVISIBLE,
    request_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL INVISIBLE,
    content_hash BINARY(32) NULL INVISIBLE,
    object_key   VARCHAR(700) NULL INVISIBLE,
    object_line  INT UNSIGNED NULL INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY transactions_payment_id (payment_id),
    CONSTRAINT amount_is_positive CHECK (amount > 0),
    CONSTRAINT status_is_known CHECK (status IN ('processed', 'failed')),
    CONSTRAINT origin_is_known CHECK (
        extra IS NOT NULL AND content_hash IS NOT NULL AND object_key IS NOT NULL AND object_line IS NOT NULL
    )
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
