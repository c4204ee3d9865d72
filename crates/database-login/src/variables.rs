//! Lines of `--help`, for each program that asks the database.

use program::env::Variable;

pub const HOST: Variable = Variable {
    name: "DB_HOST",
    default: "or DATABASE_URL",
    help: "host of the database; with DB_SECRET_ARN it may come from the secret",
};

pub const PORT: Variable = Variable {
    name: "DB_PORT",
    default: "3306",
    help: "port of the database",
};

pub const NAME: Variable = Variable {
    name: "DB_NAME",
    default: "payments",
    help: "schema",
};

pub const PASSWORD: Variable = Variable {
    name: "DB_PASSWORD",
    default: "one of three",
    help: "password",
};

pub const SECRET_ARN: Variable = Variable {
    name: "DB_SECRET_ARN",
    default: "one of three",
    help: "secret of Secrets Manager with user and password, as RDS makes it",
};

pub const IAM_AUTH: Variable = Variable {
    name: "DB_IAM_AUTH",
    default: "one of three",
    help: "true: the role logs in, by an IAM token",
};

pub const CA_BUNDLE: Variable = Variable {
    name: "DB_CA_BUNDLE",
    default: "optional",
    help: "file of CA certificates, e.g. the bundle of RDS",
};
