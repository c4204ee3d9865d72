-- The schema and its three users. An administrator runs this before `payctl migrate`, and may run it again:
-- it then sets the logins anew. One statement changes a user from one login that works to another.
--
-- Each user exists for any host and for localhost: where the server also has an anonymous user at localhost,
-- that one would else be taken for connections from the machine itself.

CREATE DATABASE IF NOT EXISTS `{{schema}}` DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE USER IF NOT EXISTS
    'migrator'@'%' IDENTIFIED {{migrator_login}}, 'migrator'@'localhost' IDENTIFIED {{migrator_login}} {{require}};
ALTER USER
    'migrator'@'%' IDENTIFIED {{migrator_login}}, 'migrator'@'localhost' IDENTIFIED {{migrator_login}} {{require}};

CREATE USER IF NOT EXISTS
    'ingest'@'%' IDENTIFIED {{ingest_login}}, 'ingest'@'localhost' IDENTIFIED {{ingest_login}} {{require}};
ALTER USER
    'ingest'@'%' IDENTIFIED {{ingest_login}}, 'ingest'@'localhost' IDENTIFIED {{ingest_login}} {{require}};

CREATE USER IF NOT EXISTS
    'reader'@'%' IDENTIFIED {{reader_login}}, 'reader'@'localhost' IDENTIFIED {{reader_login}} {{require}};
ALTER USER
    'reader'@'%' IDENTIFIED {{reader_login}}, 'reader'@'localhost' IDENTIFIED {{reader_login}} {{require}};

-- The migrator changes the schema, and no row: it may neither change, delete nor empty a table. ALTER TABLE wants INSERT
-- and CREATE of MySQL. Without REFERENCES, MySQL lets no foreign key of its making delete what refers to its own notes.
-- Rights that an earlier version gave are taken back: MySQL calls it an error where there are none, MariaDB does not and
-- has no IF EXISTS for it. Its notes, which are no payments, it may change.
GRANT SELECT, INSERT, CREATE, ALTER, INDEX ON `{{schema_pattern}}`.* TO 'migrator'@'%', 'migrator'@'localhost';
REVOKE /*!80030 IF EXISTS */ UPDATE, DELETE, DROP, REFERENCES, TRIGGER, EVENT, EXECUTE, CREATE ROUTINE, ALTER ROUTINE, CREATE VIEW, SHOW VIEW,
    CREATE TEMPORARY TABLES, LOCK TABLES ON `{{schema_pattern}}`.* FROM 'migrator'@'%', 'migrator'@'localhost';
GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON `{{schema}}`._sqlx_migrations TO 'migrator'@'%', 'migrator'@'localhost';
