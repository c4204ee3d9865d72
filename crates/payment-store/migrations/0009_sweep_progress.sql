-- How far the sweep got, by journal (bucket and prefix) and pass. The last row of a pass counts.
CREATE TABLE sweep_progress (
    id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    journal     VARCHAR(255) NOT NULL,
    pass        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    position    VARCHAR(1024) NOT NULL,
    recorded_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    PRIMARY KEY (id),
    KEY sweep_progress_pass (journal, pass, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
