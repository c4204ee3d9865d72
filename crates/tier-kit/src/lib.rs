//! What the programs share: configuration from the environment, telemetry, S3 client settings, server lifecycle.
