-- What the pipeline's users may do. An administrator runs this after `payctl migrate`, since the tables must exist.
-- No user of the pipeline can change or delete what is recorded.

GRANT SELECT, INSERT ON `{{schema}}`.transactions TO 'ingest'@'%', 'ingest'@'localhost';
GRANT SELECT, INSERT ON `{{schema}}`.conflicts TO 'ingest'@'%', 'ingest'@'localhost';
GRANT SELECT, INSERT ON `{{schema}}`.rejects TO 'ingest'@'%', 'ingest'@'localhost';
GRANT SELECT, INSERT ON `{{schema}}`.ingested_objects TO 'ingest'@'%', 'ingest'@'localhost';
GRANT SELECT, INSERT ON `{{schema}}`.sweep_progress TO 'ingest'@'%', 'ingest'@'localhost';
GRANT SELECT, INSERT ON `{{schema}}`.sweep_deferred TO 'ingest'@'%', 'ingest'@'localhost';

GRANT SELECT ON `{{schema}}`.transactions TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON `{{schema}}`.conflicts TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON `{{schema}}`.rejects TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON `{{schema}}`.ingested_objects TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON `{{schema}}`.sweep_progress TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON `{{schema}}`.sweep_deferred TO 'reader'@'%', 'reader'@'localhost';
