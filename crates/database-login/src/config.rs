//! Makes a login of the variables.

use std::path::PathBuf;
use std::sync::Arc;

use payment_store::{CaBundle, ConfigError, Database, DbAddress, LoginSource};
use program::Secret;
use program::chain;
use program::env::Env;

use crate::arn::SecretArn;
use crate::sdk::Sdk;
use crate::secret::SecretAccess;
use crate::token::TokenAccess;

const PORT: u16 = 3306;
const SCHEMA: &str = "payments";

/// Where a secret's password is used: what is absent is looked for in the secret.
#[derive(Debug, Clone, Default)]
pub struct LoginTarget {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub schema: Option<String>,
    pub ca_bundle: Option<CaBundle>,
}

/// Which of the ways to log in was chosen.
enum Login {
    Url(Secret),
    Password(Secret),
    Secret(SecretArn),
    Iam,
}

/// Login of a program that works without a database, too. `None` if none is named, or after a mistake was noted.
/// `user` logs in where `DB_USER` is not set.
pub fn optional(env: &mut Env, user: &str) -> Option<Arc<dyn LoginSource>> {
    let target = target(env)?;
    let named_user: Option<String> = env.optional("DB_USER");
    let login = login(env, &target)?;
    if matches!(login, Login::Secret(_) | Login::Url(_)) && named_user.is_some() {
        env.mistake("DB_USER is set, but the user comes with the password; unset it");
        return None;
    }
    let user = named_user.as_deref().unwrap_or(user);
    access(login, target, user)
        .map_err(|error| env.mistake(format!("the database: {}", chain(&error))))
        .ok()
}

/// Login of a program that needs a database. `None` only after a mistake was noted.
pub fn required(env: &mut Env, user: &str) -> Option<Arc<dyn LoginSource>> {
    let before = env.mistakes();
    let access = optional(env, user);
    if access.is_none() && env.mistakes() == before {
        env.mistake("no database is named; set DATABASE_URL or DB_HOST");
    }
    access
}

fn target(env: &mut Env) -> Option<LoginTarget> {
    let path: Option<PathBuf> = env.optional("DB_CA_BUNDLE");
    let bundle = path.map(|path| CaBundle::read(&path)).transpose();
    let target = LoginTarget {
        host: env.optional("DB_HOST"),
        port: env.optional("DB_PORT"),
        schema: env.optional("DB_NAME"),
        ca_bundle: None,
    };
    match bundle {
        Ok(ca_bundle) => Some(LoginTarget {
            ca_bundle,
            ..target
        }),
        Err(error) => {
            env.mistake(format!("DB_CA_BUNDLE: {}", chain(&error)));
            None
        }
    }
}

/// Returns exactly one way to log in, or notes a mistake that says what to do; `None` without one if nothing is set.
fn login(env: &mut Env, target: &LoginTarget) -> Option<Login> {
    let url = env.secret("DATABASE_URL").map(Login::Url);
    let password = env.secret("DB_PASSWORD").map(Login::Password);
    let secret = env.optional("DB_SECRET_ARN").map(Login::Secret);
    let iam = env.or("DB_IAM_AUTH", false).then_some(Login::Iam);
    let by_parts: Vec<_> = [password, secret, iam].into_iter().flatten().collect();
    match (url, by_parts.as_slice(), &target.host) {
        (Some(_), _, Some(_)) => {
            env.mistake("DATABASE_URL and DB_HOST are both set; set one of them");
            return None;
        }
        (Some(_), [_, ..], None) => {
            env.mistake(
                "DATABASE_URL holds the login; unset DB_PASSWORD, DB_SECRET_ARN and DB_IAM_AUTH, or name DB_HOST in its place",
            );
            return None;
        }
        (url @ Some(_), [], None) => return url,
        (None, [], Some(_)) => {
            env.mistake(
                "DB_HOST is set without a login; set one of DB_PASSWORD, DB_SECRET_ARN and DB_IAM_AUTH=true",
            );
            return None;
        }
        (None, [_, _, ..], _) => {
            env.mistake(
                "more than one of DB_PASSWORD, DB_SECRET_ARN and DB_IAM_AUTH=true is set; keep one of them",
            );
            return None;
        }
        (None, [Login::Password(_) | Login::Iam], None) => {
            env.mistake("DB_HOST is not set; a password or IAM token needs it");
            return None;
        }
        (None, _, _) => {}
    }
    by_parts.into_iter().next()
}

fn access(
    login: Login,
    target: LoginTarget,
    user: &str,
) -> Result<Arc<dyn LoginSource>, ConfigError> {
    Ok(match login {
        Login::Url(url) => Arc::new(Database::parse(url.expose(), target.ca_bundle.as_ref())?),
        Login::Password(password) => Arc::new(target.database(user, password.expose())?),
        Login::Secret(arn) => Arc::new(SecretAccess::new(Sdk::default(), arn, target)),
        Login::Iam => Arc::new(TokenAccess::new(Sdk::default(), &target, user)?),
    })
}

impl LoginTarget {
    pub(crate) fn place(&self) -> DbAddress<'_> {
        DbAddress {
            host: self.host.as_deref().unwrap_or_default(),
            port: self.port.unwrap_or(PORT),
            schema: self.schema.as_deref().unwrap_or(SCHEMA),
        }
    }

    pub(crate) fn database(&self, user: &str, password: &str) -> Result<Database, ConfigError> {
        Database::from_parts(self.place(), user, password, self.ca_bundle.as_ref())
    }
}

#[cfg(test)]
mod tests;
