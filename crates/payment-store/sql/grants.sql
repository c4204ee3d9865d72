-- What the pipeline's users may do. An administrator runs this after `payctl migrate`, since the tables must exist.
-- No user of the pipeline can change or delete what is recorded.

GRANT SELECT, INSERT ON payments.transactions TO 'ingest'@'%', 'ingest'@'localhost';
GRANT SELECT, INSERT ON payments.conflicts TO 'ingest'@'%', 'ingest'@'localhost';
GRANT SELECT, INSERT ON payments.rejects TO 'ingest'@'%', 'ingest'@'localhost';
GRANT SELECT, INSERT ON payments.ingested_objects TO 'ingest'@'%', 'ingest'@'localhost';
GRANT SELECT, INSERT ON payments.sweep_progress TO 'ingest'@'%', 'ingest'@'localhost';
GRANT SELECT, INSERT ON payments.sweep_deferred TO 'ingest'@'%', 'ingest'@'localhost';

GRANT SELECT ON payments.transactions TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON payments.conflicts TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON payments.rejects TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON payments.ingested_objects TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON payments.sweep_progress TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON payments.sweep_deferred TO 'reader'@'%', 'reader'@'localhost';
