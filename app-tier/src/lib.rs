//! Makes a payment durable in S3, then says yes.
