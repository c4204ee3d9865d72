//! S3 objects to rows in MySQL.
