//! A real MariaDB or MySQL server for one test.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use lab_runner::health::Health;
use lab_runner::install::{self, DatabaseServer, Flavour, Wanted};
use lab_runner::part::mysql::Server;
use lab_runner::secret::Secret;
use lab_runner::workspace::Workspace;
use payment_store::Database;
use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, Row as _};
use tempfile::TempDir;
use tokio::process::Child;

use crate::certificates::Pair;

const TIMEOUT: Duration = Duration::from_mins(1);

/// The one that the environment names, or any.
fn database_server() -> DatabaseServer {
    let tools = Workspace::find().unwrap().tools();
    let found = install::look(Wanted::by_environment(), &tools);
    found.unwrap().database.unwrap()
}

pub struct TestServer {
    server: Server,
    home: TempDir,
    child: Option<Child>,
}

impl TestServer {
    /// Its files, made and not yet served.
    pub async fn new() -> Self {
        let home = TempDir::new().unwrap();
        let server = Server {
            server: database_server(),
            home: home.path().join("mysql"),
            socket: home.path().join("mysql.sock"),
            address: lab_runner::ports::free_listener()
                .unwrap()
                .local_addr()
                .unwrap(),
            root_password: Secret::random(32),
            certificate: None,
            root_by_tcp: true,
        };
        server.initialise(&home.path().join("log")).await.unwrap();
        Self {
            server,
            home,
            child: None,
        }
    }

    pub fn folder(&self) -> &Path {
        self.home.path()
    }

    pub fn port(&self) -> u16 {
        self.server.address.port()
    }

    /// Serves with this certificate, or without TLS; ends what served before.
    pub async fn serve(&mut self, certificate: Option<&Pair>) {
        let path = |path: &Path| path.display().to_string();
        let options = match (certificate, self.flavour()) {
            (Some(pair), _) => vec![
                format!("--ssl-cert={}", path(&pair.certificate)),
                format!("--ssl-key={}", path(&pair.key)),
            ],
            (None, Flavour::Mariadb) => vec!["--skip-ssl".to_owned()],
            (None, Flavour::Mysql) => vec!["--tls-version=".to_owned()],
        };
        self.serve_with(&options).await;
    }

    pub fn flavour(&self) -> Flavour {
        self.server.server.flavour
    }

    /// Serves with these options; MySQL with TLS by a certificate that it makes itself.
    pub async fn serve_with(&mut self, options: &[impl AsRef<OsStr>]) {
        self.stop().await;
        let mut launch = self.server.launch();
        let options = options.iter().map(|option| option.as_ref().to_owned());
        launch.args.extend(options);
        self.child = Some(launch.spawn(&self.home.path().join("log")).unwrap());
        let greeted = async {
            while Health::MysqlGreeting
                .check(self.server.address)
                .await
                .is_err()
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(TIMEOUT, greeted).await.unwrap();
    }

    pub async fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
    }

    /// As the administrator, on this machine.
    pub async fn admin(&self, sql: &str) {
        let mut connection = self.connection().await;
        connection
            .execute(AssertSqlSafe(sql.to_owned()))
            .await
            .unwrap();
        connection.close().await.unwrap();
    }

    /// As the administrator, to this schema.
    pub fn database(&self, schema: &str) -> Database {
        Database::parse(&self.url(schema), None).unwrap()
    }

    /// How many rows a table has, as the administrator.
    pub async fn count(&self, table: &str) -> i64 {
        let mut connection = self.connection().await;
        let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        sqlx::query_scalar(sql)
            .fetch_one(&mut connection)
            .await
            .unwrap()
    }

    pub async fn connections_of(&self, user: &str) -> usize {
        let connections = sqlx::raw_sql("SHOW PROCESSLIST")
            .fetch_all(&mut self.connection().await)
            .await
            .unwrap();
        let is_theirs = |row: &&MySqlRow| row.get::<String, _>("User") == user;
        connections.iter().filter(is_theirs).count()
    }

    fn url(&self, schema: &str) -> String {
        let password = self.server.root_password.expose();
        format!("mysql://root:{password}@{}/{schema}", self.server.address)
    }

    async fn connection(&self) -> MySqlConnection {
        MySqlConnection::connect(&self.url("mysql")).await.unwrap()
    }
}

/// No way out of a test leaves the server running.
impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It ended already, or it can't be killed: nothing to be done in both cases.
            let _ = child.start_kill();
        }
    }
}
