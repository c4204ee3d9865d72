//! Lines of `--help`, for each program that asks the database.

use program::env::Variable;

/// What a program reads besides `DATABASE_URL`. `user` logs in where `DB_USER` is not set.
pub const fn in_parts(user: &'static str) -> [Variable; 8] {
    [
        Variable {
            name: "DB_HOST",
            default: "or DATABASE_URL",
            help: "host of the database; with DB_SECRET_ARN it may come from the secret",
        },
        Variable {
            name: "DB_PORT",
            default: "3306",
            help: "port of the database",
        },
        Variable {
            name: "DB_NAME",
            default: "payments",
            help: "schema",
        },
        Variable {
            name: "DB_USER",
            default: user,
            help: "user, where the secret does not name it",
        },
        Variable {
            name: "DB_PASSWORD",
            default: "one of three",
            help: "password",
        },
        Variable {
            name: "DB_SECRET_ARN",
            default: "one of three",
            help: "secret of Secrets Manager with user and password, as RDS makes it",
        },
        Variable {
            name: "DB_IAM_AUTH",
            default: "one of three",
            help: "true: the role logs in, by an IAM token",
        },
        Variable {
            name: "DB_CA_BUNDLE",
            default: "optional",
            help: "file of CA certificates, e.g. the bundle of RDS",
        },
    ]
}
