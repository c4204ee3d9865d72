-- What the pipeline's users may do. An administrator runs this after `payctl migrate`, since the tables must exist.
-- No user of the pipeline can change or delete what is recorded.
--
-- `ingest` may set only the columns that the function writes: the database itself sets numbers and times of recording.
-- The REVOKE takes back INSERT on whole tables, which earlier versions gave, and with it INSERT on columns: for the moment
-- until the next statement the function's inserts are refused, and its event is retried.

GRANT SELECT ON `{{schema}}`.transactions TO 'ingest'@'%', 'ingest'@'localhost';
REVOKE /*!80030 IF EXISTS */ INSERT ON `{{schema}}`.transactions FROM 'ingest'@'%', 'ingest'@'localhost';
GRANT INSERT ({{transactions}}) ON `{{schema}}`.transactions TO 'ingest'@'%', 'ingest'@'localhost';

GRANT SELECT ON `{{schema}}`.conflicts TO 'ingest'@'%', 'ingest'@'localhost';
REVOKE /*!80030 IF EXISTS */ INSERT ON `{{schema}}`.conflicts FROM 'ingest'@'%', 'ingest'@'localhost';
GRANT INSERT ({{conflicts}}) ON `{{schema}}`.conflicts TO 'ingest'@'%', 'ingest'@'localhost';

GRANT SELECT ON `{{schema}}`.rejects TO 'ingest'@'%', 'ingest'@'localhost';
REVOKE /*!80030 IF EXISTS */ INSERT ON `{{schema}}`.rejects FROM 'ingest'@'%', 'ingest'@'localhost';
GRANT INSERT ({{rejects}}) ON `{{schema}}`.rejects TO 'ingest'@'%', 'ingest'@'localhost';

GRANT SELECT ON `{{schema}}`.ingested_objects TO 'ingest'@'%', 'ingest'@'localhost';
REVOKE /*!80030 IF EXISTS */ INSERT ON `{{schema}}`.ingested_objects FROM 'ingest'@'%', 'ingest'@'localhost';
GRANT INSERT ({{ingested_objects}}) ON `{{schema}}`.ingested_objects TO 'ingest'@'%', 'ingest'@'localhost';

GRANT SELECT ON `{{schema}}`.sweep_progress TO 'ingest'@'%', 'ingest'@'localhost';
REVOKE /*!80030 IF EXISTS */ INSERT ON `{{schema}}`.sweep_progress FROM 'ingest'@'%', 'ingest'@'localhost';
GRANT INSERT ({{sweep_progress}}) ON `{{schema}}`.sweep_progress TO 'ingest'@'%', 'ingest'@'localhost';

GRANT SELECT ON `{{schema}}`.sweep_deferred TO 'ingest'@'%', 'ingest'@'localhost';
REVOKE /*!80030 IF EXISTS */ INSERT ON `{{schema}}`.sweep_deferred FROM 'ingest'@'%', 'ingest'@'localhost';
GRANT INSERT ({{sweep_deferred}}) ON `{{schema}}`.sweep_deferred TO 'ingest'@'%', 'ingest'@'localhost';

GRANT SELECT ON `{{schema}}`.transactions TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON `{{schema}}`.conflicts TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON `{{schema}}`.rejects TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON `{{schema}}`.ingested_objects TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON `{{schema}}`.sweep_progress TO 'reader'@'%', 'reader'@'localhost';
GRANT SELECT ON `{{schema}}`.sweep_deferred TO 'reader'@'%', 'reader'@'localhost';
