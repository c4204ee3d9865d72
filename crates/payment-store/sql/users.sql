-- The schema and its three users. An administrator runs this before `payctl migrate`, and may run it again:
-- it then sets the passwords anew. Put passwords of letters and digits in place of the double braces.
--
-- Each user exists for any host and for localhost: where the server also has an anonymous user at localhost,
-- that one would else be taken for connections from the machine itself.

CREATE DATABASE IF NOT EXISTS payments DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE USER IF NOT EXISTS
    'migrator'@'%' IDENTIFIED BY '{{migrator_password}}', 'migrator'@'localhost' IDENTIFIED BY '{{migrator_password}}',
    'ingest'@'%' IDENTIFIED BY '{{ingest_password}}', 'ingest'@'localhost' IDENTIFIED BY '{{ingest_password}}',
    'reader'@'%' IDENTIFIED BY '{{reader_password}}', 'reader'@'localhost' IDENTIFIED BY '{{reader_password}}';

ALTER USER
    'migrator'@'%' IDENTIFIED BY '{{migrator_password}}', 'migrator'@'localhost' IDENTIFIED BY '{{migrator_password}}',
    'ingest'@'%' IDENTIFIED BY '{{ingest_password}}', 'ingest'@'localhost' IDENTIFIED BY '{{ingest_password}}',
    'reader'@'%' IDENTIFIED BY '{{reader_password}}', 'reader'@'localhost' IDENTIFIED BY '{{reader_password}}';

-- The migrator changes the schema, and no row: it may neither change, delete nor empty a table. ALTER TABLE wants INSERT.
-- Rights that an earlier version gave are taken back. Its own notes, which are no payments, it may change.
GRANT SELECT, INSERT, CREATE, ALTER, INDEX, REFERENCES ON payments.* TO 'migrator'@'%', 'migrator'@'localhost';
REVOKE UPDATE, DELETE, DROP, TRIGGER, EVENT, EXECUTE, CREATE ROUTINE, ALTER ROUTINE, CREATE VIEW, SHOW VIEW,
    CREATE TEMPORARY TABLES, LOCK TABLES ON payments.* FROM 'migrator'@'%', 'migrator'@'localhost';
GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON payments._sqlx_migrations TO 'migrator'@'%', 'migrator'@'localhost';
