//! A login that is kept in Secrets Manager and changed while a program runs.

use std::sync::Arc;

use database_login::config::LoginTarget;
use database_login::secret::SecretAccess;
use payment_store::{CaBundle, Error, Pool};
use program::chain;
use serde_json::json;
use sqlx::Connection as _;

use crate::certificates::{Ca, HOST};
use crate::secrets_manager::{ACCESS_KEY_ID, ARN, SecretsManager, sdk};
use crate::server::TestServer;

/// A server with a user, and the secret that holds its login.
struct Rotated {
    server: TestServer,
    secrets: SecretsManager,
    ca: CaBundle,
}

impl Rotated {
    async fn start() -> Self {
        let mut server = TestServer::new().await;
        let ca = Ca::new();
        let folder = server.folder().to_owned();
        server.serve(Some(&ca.sign_well(&folder))).await;
        let rotated = Self {
            secrets: SecretsManager::start().await,
            ca: CaBundle::read(&ca.bundle(&folder)).unwrap(),
            server,
        };
        rotated.server.admin("CREATE USER ingest@'127.0.0.1'").await;
        rotated
            .server
            .admin("GRANT SELECT ON mysql.* TO ingest@'127.0.0.1'")
            .await;
        rotated
    }

    async fn set_password(&self, password: &str) {
        let sql = format!("ALTER USER ingest@'127.0.0.1' IDENTIFIED BY '{password}'");
        self.server.admin(&sql).await;
    }

    fn set_secret(&self, password: &str) {
        self.secrets.put(&json!({
            "engine": "mysql", "username": "ingest", "password": password,
            "host": HOST, "port": self.server.port(), "dbname": "mysql",
        }));
    }

    fn pool(&self, size: u32) -> Pool {
        let target = LoginTarget {
            ca_bundle: Some(self.ca.clone()),
            ..LoginTarget::default()
        };
        let sdk = sdk(self.secrets.address, ACCESS_KEY_ID);
        let access = SecretAccess::new(sdk.into(), ARN.parse().unwrap(), target);
        Pool::new(Arc::new(access), size)
    }
}

#[tokio::test]
async fn a_password_that_is_rotated_under_a_running_pool_is_read_again() {
    let rotated = Rotated::start().await;
    rotated.set_password("Password1").await;
    rotated.set_secret("Password1");
    let pool = rotated.pool(4);
    let mut held = pool.acquire().await.unwrap();
    drop(pool.acquire().await.unwrap().detach());
    assert_eq!(rotated.secrets.reads(), 1);

    rotated.set_password("Password2").await;
    rotated.set_secret("Password2");
    held.ping().await.unwrap();
    // All at once, and the secret is read once for all of them.
    let (one, two, three) = tokio::join!(pool.acquire(), pool.acquire(), pool.acquire());
    drop((one.unwrap(), two.unwrap(), three.unwrap()));
    assert_eq!(rotated.secrets.reads(), 2);
}

/// The server has the new password a moment before the secret does.
#[tokio::test]
async fn a_secret_that_lags_behind_the_server_is_read_again_by_the_next_connection() {
    let rotated = Rotated::start().await;
    rotated.set_password("Password2").await;
    rotated.set_secret("Password1");
    let pool = rotated.pool(1);
    let refused = Error::from(pool.acquire().await.unwrap_err());
    assert!(matches!(refused, Error::Refused(_)), "{refused:?}");

    rotated.set_secret("Password2");
    pool.acquire().await.unwrap();
}

#[tokio::test]
async fn a_secret_that_gives_no_login_is_told_with_its_fix_and_without_its_content() {
    let secrets = SecretsManager::start().await;
    let error = async |secrets: &SecretsManager, access_key_id: &str| {
        let sdk = sdk(secrets.address, access_key_id);
        let access = SecretAccess::new(sdk.into(), ARN.parse().unwrap(), LoginTarget::default());
        let pool = Pool::new(Arc::new(access), 1);
        Error::from(pool.acquire().await.unwrap_err())
    };
    let check = |error: &Error, fix: &str| {
        let text = chain(error);
        assert!(matches!(error, Error::NoLogin(_)), "{error:?}");
        assert!(text.contains(fix) && text.contains(ARN), "{text}");
        assert!(!format!("{text}{error:?}").contains("hunter2"), "{text}");
    };
    check(&error(&secrets, ACCESS_KEY_ID).await, "check DB_SECRET_ARN");
    let stranger = error(&secrets, "AKIASTRANGERSTRANGER").await;
    check(&stranger, "allow secretsmanager:GetSecretValue");
    secrets.put(&json!("hunter2"));
    check(&error(&secrets, ACCESS_KEY_ID).await, "JSON with username");
    secrets.put(&json!({ "username": "ingest", "password": "hunter2" }));
    check(&error(&secrets, ACCESS_KEY_ID).await, "set DB_HOST");
}

#[tokio::test]
async fn a_secrets_manager_that_is_away_is_a_passing_error_that_names_the_endpoint() {
    let nobody = lab_runner::ports::free_listener()
        .unwrap()
        .local_addr()
        .unwrap();
    let sdk = sdk(nobody, ACCESS_KEY_ID);
    let access = SecretAccess::new(sdk.into(), ARN.parse().unwrap(), LoginTarget::default());
    let error = Error::from(Pool::new(Arc::new(access), 1).acquire().await.unwrap_err());
    assert!(error.is_transient(), "{error:?}");
    assert!(chain(&error).contains("interface endpoint"), "{error:?}");
}
