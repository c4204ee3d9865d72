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

GRANT ALL ON payments.* TO 'migrator'@'%', 'migrator'@'localhost';
