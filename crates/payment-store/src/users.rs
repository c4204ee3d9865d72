//! The pipeline's three users: who they are, and what they may do.

use std::fmt::{self, Write as _};

use rand::distr::{Alphanumeric, SampleString as _};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection};

use crate::connect::Access;
use crate::error::Error;
use crate::migrate::{MigrateError, Migrated, migrate};

/// Makes the schema and its users; to run before [`migrate`](fn@migrate). Holds `{{migrator_password}}` and the like.
pub const USERS_SQL: &str = include_str!("../sql/users.sql");

/// What the users may do; to run after [`migrate`](fn@migrate).
pub const GRANTS_SQL: &str = include_str!("../sql/grants.sql");

/// By the names of the placeholders.
const USERS: [&str; 3] = ["migrator", "ingest", "reader"];

/// Of a user who logs in with tokens: nobody knows it, and it is replaced in the next statement.
const UNKNOWN_PASSWORD_CHARS: usize = 32;

/// How the three users log in.
#[derive(Clone)]
pub enum Logins {
    /// Of migrator, ingest and reader; letters and digits, see [`is_plain`].
    Passwords([String; 3]),
    /// By tokens of RDS IAM authentication. Only RDS and Aurora know these.
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

/// As the server's administrator: makes the users, brings the schema up to date, and gives the users their rights.
/// May be repeated: it then sets the logins anew.
pub async fn prepare(access: &dyn Access, logins: &Logins) -> Result<Migrated, MigrateError> {
    let database = access.current().await.map_err(Error::from)?;
    let mut connection = database.connect().await?;
    run(&mut connection, users(logins)).await?;
    let migrated = migrate(access).await?;
    run(&mut connection, GRANTS_SQL.to_owned()).await?;
    connection.close().await.map_err(Error::from)?;
    Ok(migrated)
}

fn users(logins: &Logins) -> String {
    let passwords = match logins {
        Logins::Passwords(passwords) => passwords.clone(),
        Logins::Iam => USERS.map(|_| unknown_password()),
    };
    let mut sql = USERS_SQL.to_owned();
    for (user, password) in USERS.iter().zip(&passwords) {
        sql = sql.replace(&format!("{{{{{user}_password}}}}"), password);
    }
    if matches!(logins, Logins::Iam) {
        for user in USERS {
            // Writing to a String can't fail.
            let _ = writeln!(
                sql,
                "ALTER USER '{user}'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;"
            );
        }
    }
    sql
}

fn unknown_password() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), UNKNOWN_PASSWORD_CHARS)
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

    #[test]
    fn each_user_gets_its_own_password() {
        let passwords = [
            "migratorpassword1",
            "ingestpassword123",
            "readerpassword123",
        ];
        let sql = users(&Logins::Passwords(passwords.map(str::to_owned)));
        for (user, password) in USERS.iter().zip(passwords) {
            let login = format!("'{user}'@'%' IDENTIFIED BY '{password}'");
            assert_eq!(sql.matches(&login).count(), 2, "{sql}");
        }
        assert!(!sql.contains("AWSAuthenticationPlugin"), "{sql}");
    }

    #[test]
    fn with_tokens_no_user_keeps_a_password_and_none_connects_without_tls() {
        let sql = users(&Logins::Iam);
        assert!(!sql.contains("_password}}"), "{sql}");
        for user in USERS {
            let last = sql.rmatches(&format!("'{user}'@'%' IDENTIFIED")).count();
            assert_eq!(last, 3, "{sql}");
            let login = format!(
                "ALTER USER '{user}'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;"
            );
            assert!(sql.ends_with('\n') && sql.contains(&login), "{sql}");
        }
    }

    #[test]
    fn a_password_that_would_need_quoting_is_not_plain() {
        assert!(is_plain("abcDEF0123456789"));
        for password in ["short", "with'quote0123456789", "with blank 0123456789"] {
            assert!(!is_plain(password), "{password}");
        }
    }
}
