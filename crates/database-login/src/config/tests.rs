use super::*;

const ARN: &str = "arn:aws:secretsmanager:us-west-2:123456789012:secret:payments/ingest-a1b2c3";

fn read<const N: usize>(values: [(&str, &str); N]) -> Result<String, String> {
    let mut env = Env::from(values);
    let access = required(&mut env, "ingest");
    let access = env
        .finish(|| access)
        .map_err(|mistakes| mistakes.to_string());
    access.map(|access| format!("{access:?}"))
}

#[test]
fn each_way_to_log_in_is_taken() {
    let url = read([("DATABASE_URL", "mysql://ingest:hunter2@db.example/payments")]).unwrap();
    let parts = read([("DB_HOST", "db.example"), ("DB_PASSWORD", "hunter2")]).unwrap();
    assert_eq!(url, parts);
    for (values, expected) in [
        ([("DB_SECRET_ARN", ARN), ("DB_HOST", "")], "SecretAccess"),
        (
            [("DB_SECRET_ARN", ARN), ("DB_HOST", "db.example")],
            "db.example",
        ),
        (
            [("DB_IAM_AUTH", "true"), ("DB_HOST", "db.example")],
            "TokenAccess",
        ),
    ] {
        let access = read(values).unwrap();
        assert!(access.contains(expected), "{access}");
    }
    assert!(!format!("{url}{parts}").contains("hunter2"));
}

#[test]
fn not_exactly_one_login_is_a_mistake_that_names_the_fix() {
    let host = ("DB_HOST", "db.example");
    let (password, secret, iam) = (
        ("DB_PASSWORD", "hunter2"),
        ("DB_SECRET_ARN", ARN),
        ("DB_IAM_AUTH", "true"),
    );
    let url = ("DATABASE_URL", "mysql://u:hunter2@db.example/payments");
    let off = ("DB_IAM_AUTH", "false");
    for (values, fix) in [
        (vec![], "set DATABASE_URL or DB_HOST"),
        (vec![host], "set one of DB_PASSWORD, DB_SECRET_ARN and"),
        (vec![host, off], "set one of DB_PASSWORD, DB_SECRET_ARN and"),
        (vec![host, password, secret], "keep one of them"),
        (vec![host, password, iam], "keep one of them"),
        (vec![secret, iam], "keep one of them"),
        (vec![password], "DB_HOST is not set"),
        (vec![iam], "DB_HOST is not set"),
        (vec![url, host], "set one of them"),
        (vec![url, password], "unset DB_PASSWORD"),
        (vec![url, secret], "unset DB_PASSWORD"),
        (vec![url, ("DB_USER", "u")], "DB_USER is set"),
        (vec![secret, ("DB_USER", "u")], "DB_USER is set"),
        (
            vec![host, ("DB_IAM_AUTH", "yes"), password],
            "DB_IAM_AUTH=yes",
        ),
        (
            vec![("DB_SECRET_ARN", "payments/ingest")],
            "arn:aws:secretsmanager:",
        ),
        (
            vec![host, password, ("DB_CA_BUNDLE", "/nonexistent")],
            "DB_CA_BUNDLE",
        ),
        (vec![("DB_HOST", "127.0.0.1"), iam], "verified TLS"),
    ] {
        let mut env: Env = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let access = required(&mut env, "ingest");
        let text = env.finish(|| access).unwrap_err().to_string();
        assert!(text.contains("has 1 mistake(s)"), "{values:?}: {text}");
        assert!(text.contains(fix), "{values:?}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_program_that_works_without_a_database_need_not_name_one() {
    let mut env = Env::from([]);
    assert!(optional(&mut env, "reader").is_none());
    assert_eq!(env.finish(|| Some(())), Ok(()));
}
