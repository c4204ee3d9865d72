//! What is in a secret of a database, as RDS makes and rotates it.

use program::Secret;
use serde::Deserialize;

/// A secret that RDS manages holds user and password alone; one made for rotation by a function holds all.
#[derive(Debug)]
pub struct Content {
    pub user: String,
    pub password: Secret,
    pub host: Option<String>,
    pub port: Option<u16>,
    pub schema: Option<String>,
}

#[derive(Deserialize)]
struct Json {
    username: String,
    password: String,
    host: Option<String>,
    port: Option<Port>,
    dbname: Option<String>,
}

/// The console writes a number; secrets that people write often hold text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Port {
    Number(u16),
    Text(String),
}

impl Content {
    /// `None` if it is not the secret of a database. No reason: it could hold the password.
    pub fn parse(text: &str) -> Option<Self> {
        let json: Json = serde_json::from_str(text).ok()?;
        let port = match json.port {
            Some(Port::Number(port)) => Some(port),
            Some(Port::Text(port)) => Some(port.parse().ok()?),
            None => None,
        };
        Some(Self {
            user: json.username,
            password: Secret::new(json.password),
            host: json.host,
            port,
            schema: json.dbname,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_as_rds_and_people_write_them() {
        let managed = Content::parse(r#"{"username":"admin","password":"p"}"#).unwrap();
        assert_eq!((managed.user.as_str(), managed.host), ("admin", None));
        for port in ["3307", "\"3307\""] {
            let whole = Content::parse(&format!(
                r#"{{"engine":"mysql","username":"ingest","password":"hunter2","host":"db.example","port":{port},
                "dbname":"payments","dbInstanceIdentifier":"payment-db"}}"#
            ))
            .unwrap();
            assert_eq!(whole.port, Some(3307));
            assert_eq!(whole.host.as_deref(), Some("db.example"));
            assert_eq!(whole.schema.as_deref(), Some("payments"));
            assert_eq!(whole.password.expose(), "hunter2");
            assert!(!format!("{whole:?}").contains("hunter2"));
        }
        for wrong in [
            "",
            "hunter2",
            r#"{"username":"u"}"#,
            r#"{"username":"u","password":"p","port":"x"}"#,
        ] {
            assert!(Content::parse(wrong).is_none(), "{wrong}");
        }
    }
}
