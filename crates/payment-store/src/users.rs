//! The pipeline's three users: who they are, and what they may do.

use std::fmt;

use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection};

use crate::connect::LoginSource;
use crate::error::Error;
use crate::migrate::{MigrateError, Migrated, migrate};
use crate::mysql::columns;
use crate::schema::Schema;

const USERS_SQL: &str = include_str!("../sql/users.sql");

const GRANTS_SQL: &str = include_str!("../sql/grants.sql");

/// Users, by the names of their placeholders.
const USERS: [&str; 3] = ["migrator", "ingest", "reader"];

/// A token is sent as it is, so that no user who logs in with one may connect without TLS.
const IAM: (&str, &str) = ("WITH AWSAuthenticationPlugin AS 'RDS'", "REQUIRE SSL");

/// What a server says that does not have the plugin of a login: MySQL always, MariaDB of a new and of an old user.
const PLUGIN_MISSING: [u16; 2] = [1524, 1396];

/// How the three users log in.
#[derive(Clone)]
pub enum Logins {
    /// Passwords of migrator, ingest and reader: letters and digits, see [`is_plain`].
    Passwords([String; 3]),
    /// Tokens of RDS IAM authentication. Only RDS and Aurora know these.
    Iam,
}

/// Without the passwords.
impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passwords(_) => "Passwords",
            Self::Iam => "Iam",
        })
    }
}

/// Whether a password can stand in a statement as it is: letters and digits, at least sixteen.
pub fn is_plain(password: &str) -> bool {
    password.len() >= 16 && password.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// As the server's administrator: makes the schema and the users, brings the schema up to date, and gives the users
/// their rights. May be repeated: it then sets the logins again. If it fails, each user has a login that works:
/// its old one or its new one.
pub async fn prepare(
    migrator: &dyn LoginSource,
    logins: &Logins,
) -> Result<Migrated, MigrateError> {
    let database = migrator.login().await.map_err(Error::from)?;
    let schema = database.own_schema()?;
    let mut connection = database.connect_outside_the_schema().await?;
    let made = run(&mut connection, users_sql(schema, logins)).await;
    made.map_err(|error| match (error, logins) {
        (Error::Refused(said), Logins::Iam) if said.is_one_of(&PLUGIN_MISSING) => {
            MigrateError::NoTokens(said)
        }
        (other, _) => other.into(),
    })?;
    let migrated = migrate(migrator).await?;
    run(&mut connection, grants_sql(schema)).await?;
    connection.close().await.map_err(Error::from)?;
    Ok(migrated)
}

/// Makes the schema and its users; to run before [`migrate`](fn@migrate), and as often as one likes.
pub fn users_sql(schema: Schema<'_>, logins: &Logins) -> String {
    let (logins, require) = match logins {
        Logins::Passwords(passwords) => (passwords.each_ref().map(|p| format!("BY '{p}'")), ""),
        Logins::Iam => (USERS.map(|_| IAM.0.to_owned()), IAM.1),
    };
    let mut sql = USERS_SQL.replace("{{require}}", require);
    for (user, login) in USERS.iter().zip(&logins) {
        sql = sql.replace(&format!("{{{{{user}_login}}}}"), login);
    }
    sql = sql.replace("{{schema_pattern}}", &schema.pattern());
    sql.replace("{{schema}}", &schema.to_string())
}

/// What the users may do; to run after [`migrate`](fn@migrate).
pub fn grants_sql(schema: Schema<'_>) -> String {
    let sql = GRANTS_SQL.replace("{{schema}}", &schema.to_string());
    let columns = columns::WRITTEN.iter();
    columns.fold(sql, |sql, (table, columns)| {
        sql.replace(&format!("{{{{{table}}}}}"), columns)
    })
}

async fn run(connection: &mut MySqlConnection, sql: String) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(logins: &Logins) -> String {
        let sql = users_sql(Schema::parse("my_payments").unwrap(), logins);
        assert!(!sql.contains("{{"), "{sql}");
        sql
    }

    #[test]
    fn each_user_gets_its_own_password() {
        let passwords = [
            "migratorpassword1",
            "ingestpassword123",
            "readerpassword123",
        ];
        let sql = sql(&Logins::Passwords(passwords.map(str::to_owned)));
        for (user, password) in USERS.iter().zip(passwords) {
            for host in ["%", "localhost"] {
                let login = format!("'{user}'@'{host}' IDENTIFIED BY '{password}'");
                assert_eq!(sql.matches(&login).count(), 2, "{sql}");
            }
        }
        assert!(!sql.contains("AWSAuthenticationPlugin"), "{sql}");
    }

    #[test]
    fn with_tokens_no_user_has_a_password_and_none_connects_without_tls() {
        let sql = sql(&Logins::Iam);
        assert!(!sql.contains("IDENTIFIED BY"), "{sql}");
        let statements = sql
            .split(';')
            .filter(|statement| statement.contains(" USER "));
        for statement in statements {
            assert!(statement.trim().ends_with("REQUIRE SSL"), "{statement}");
        }
    }

    #[test]
    fn p7_the_rights_are_those_of_the_named_schema_alone() {
        let schema = Schema::parse("my_payments").unwrap();
        let sql = sql(&Logins::Iam) + &grants_sql(schema);
        for line in sql.lines().filter(|line| line.starts_with("GRANT")) {
            let named =
                line.contains(" ON `my_payments`.") || line.contains(" ON `my\\_payments`.*");
            assert!(named, "{line}");
        }
        assert!(
            sql.contains("CREATE DATABASE IF NOT EXISTS `my_payments` "),
            "{sql}"
        );
    }

    #[test]
    fn a_password_that_would_need_quoting_is_not_plain() {
        assert!(is_plain("abcDEF0123456789"));
        for password in ["short", "with'quote0123456789", "with blank 0123456789"] {
            assert!(!is_plain(password), "{password}");
        }
    }
}
