//! Payments in MySQL: schema, insert, look-ups.
