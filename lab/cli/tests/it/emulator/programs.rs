//! The project's programs on moto's S3 and the lab's database.

use std::{
    fs,
    io::{Cursor, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use lab_runner::{
    database::User,
    health::Health,
    http,
    install::python,
    ports::free_address,
    process::{Launch, Output},
    server::{Server, Spec},
    workspace::{PROGRAMS, Workspace},
};
use lab_tasks::release::{Commit, package::products, target::BuildTarget};
use serde_json::Value;

use super::moto::Moto;
use crate::{test_lab::TestLab, workspace::root};

const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// The function under AWS's Runtime Interface Emulator.
pub struct Emulator(Server);

impl Emulator {
    pub async fn start(lab: &TestLab, moto: &Moto) -> Self {
        let workspace = Workspace::find().unwrap();
        let address = free_address().unwrap();
        let mut env = moto.access();
        let database = lab.lab.database().unwrap().url(User::Ingest);
        env.insert("DATABASE_URL", database.expose().to_owned());
        env.insert("AWS_LAMBDA_FUNCTION_TIMEOUT", "60".to_owned());
        let launch = Launch {
            program: python::emulator(&workspace.tools()).unwrap(),
            args: vec![
                "--runtime-api-address".into(),
                free_address().unwrap().to_string().into(),
                "--runtime-interface-emulator-address".into(),
                address.to_string().into(),
                bootstrap(lab.dir()).into(),
            ],
            env,
            output: Output::File,
        };
        Self(start("emulator", lab, address, launch, Health::Connects).await)
    }

    /// Returns the function's answer.
    pub async fn invoke(&self, event: &Value) -> Value {
        let url = format!("{}/2015-03-31/functions/function/invocations", self.0.url());
        let request = http::client().unwrap().post(url).body(event.to_string());
        let answer = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("no JSON: {answer}"))
    }

    pub async fn end(self) {
        self.0.end().await;
    }
}

/// The app tier's release binary.
pub struct AppTier(Server);

impl AppTier {
    pub async fn start(lab: &TestLab, moto: &Moto) -> Self {
        let address = free_address().unwrap();
        let mut env = moto.access();
        env.insert("LISTEN_ADDR", address.to_string());
        env.insert("DRAIN_SECONDS", "0".to_owned());
        let launch = Launch {
            program: programs().join("app-tier"),
            args: Vec::new(),
            env,
            output: Output::File,
        };
        let health = Health::Http { path: "/health" };
        Self(start("app-tier", lab, address, launch, health).await)
    }

    pub async fn process(&self, payment: &Value) -> (u16, Value) {
        let url = format!("{}/process", self.0.url());
        let request = http::client().unwrap().post(url);
        let request = request.header("content-type", "application/json");
        let answer = request.body(payment.to_string()).send().await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.text().await.unwrap();
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    pub async fn end(self) {
        self.0.end().await;
    }
}

async fn start(
    name: &str,
    lab: &TestLab,
    address: std::net::SocketAddr,
    launch: Launch,
    health: Health,
) -> Server {
    let spec = Spec {
        address,
        launch,
        files: Vec::new(),
        health,
        stop_timeout: STOP_TIMEOUT,
    };
    let log = lab.dir().join(format!("{name}.log"));
    Server::start(name, spec, &log).await.unwrap()
}

/// Returns the folder of the programs: of this build, or of `cargo lab dist` if the environment names it.
fn programs() -> PathBuf {
    if let Some(folder) = std::env::var_os(PROGRAMS) {
        return folder.into();
    }
    let lab = Path::new(env!("CARGO_BIN_EXE_lab"));
    lab.parent().unwrap().to_owned()
}

/// Returns the single file of `bootstrap.zip`, packed as `cargo lab dist` does it: a build for glibc, or what
/// [`PROGRAMS`] names.
fn bootstrap(dir: &Path) -> PathBuf {
    let commit = Commit {
        version: "1.2.3".to_owned(),
        epoch: 0,
    };
    let products = products(root(), &programs(), BuildTarget::X86_64, &commit).unwrap();
    let zipped = products
        .into_iter()
        .find(|product| product.name == "bootstrap-x86_64.zip")
        .unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(zipped.content)).unwrap();
    let mut program = Vec::new();
    let mut file = zip.by_name("bootstrap").unwrap();
    file.read_to_end(&mut program).unwrap();
    let mode = file.unix_mode().unwrap();
    // As Lambda unpacks it, with the file mode of the archive.
    let path = dir.join("bootstrap");
    fs::write(&path, program).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}
