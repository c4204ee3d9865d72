//! HTTP servers to compare with, run as processes of this run.

use std::{collections::BTreeMap, ffi::OsString, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Result;
use lab_runner::{
    health::Health,
    install::{packages, program},
    lab::{BUCKET, REGION},
    part::ConfigFile,
    ports::free_address,
    process::{Launch, Output},
    server::{Server, Spec},
    state::credentials::AccessKey,
};

use super::{places, python};
use crate::testbed::Testbed;

const HEALTH: Health = Health::Http { path: "/health" };

/// An answer of the app tier, verbatim.
const ANSWER: &str = r#"{"id":"tx_01a20516-cf67-76a5-843b-04c6cb955f81","status":"accepted","received_at":"2026-11-22T21:08:30.696755Z","request_id":"01a20516-cf67-76a5-843b-04c6cb955f81"}"#;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Peer {
    NodeAndFlask,
    NodeAndFlaskTuned,
}

/// A chain of servers; the first one takes the requests.
#[derive(Debug)]
pub struct Stack(Vec<Server>);

impl Stack {
    /// `s3` is the URL of the S3 that takes the payments.
    pub async fn start(peer: Peer, s3: &str, bed: &Testbed) -> Result<Self> {
        let app = flask(peer, s3, bed).await?;
        let web = node(peer, &app.url(), bed).await?;
        Ok(Self(vec![web, app]))
    }

    /// nginx instead of the web tier.
    pub async fn nginx(behind: SocketAddr, bed: &Testbed) -> Result<Self> {
        let upstream = [("@UPSTREAM@", behind.to_string())];
        Ok(Self(vec![nginx("nginx", &upstream, bed).await?]))
    }

    pub fn url(&self) -> String {
        self.0.first().map(Server::url).unwrap_or_default()
    }

    pub async fn end(self) {
        for server in self.0 {
            server.end().await;
        }
    }
}

/// A server that answers every request at once as the app tier would.
pub async fn fixed_answer(address: SocketAddr, bed: &Testbed) -> Result<Server> {
    let path = bed.lab.dir.config("bench-fixed.cfg");
    let content = format!(
        "global\n    nbthread 1\n\ndefaults\n    mode http\n    timeout connect 1s\n    timeout client 75s\n    timeout server 8s\n\n\
         frontend fixed\n    bind {address}\n    \
         http-request return status 200 content-type text/plain string OK if {{ path /health }}\n    \
         http-request return status 202 content-type application/json string '{ANSWER}'\n"
    );
    let haproxy = bed.lab.settings.tools.haproxy.program.clone();
    let args = vec!["-db".into(), "-f".into(), path.clone().into()];
    let mut spec = spec(address, haproxy, args, BTreeMap::new());
    spec.launch.output = Output::Pipe;
    spec.files = vec![ConfigFile { path, content }];
    Server::start("fixed-answer", spec, &bed.log("fixed-answer")).await
}

/// An S3 that keeps nothing and answers at once, the same for all sides.
pub async fn neutral_s3(bed: &Testbed) -> Result<Server> {
    nginx("s3", &[], bed).await
}

/// Access to this S3 with this key.
pub(super) fn s3_access(s3: &str, key: &AccessKey) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("LOG_BUCKET", BUCKET.to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ENDPOINT_URL_S3", s3.to_owned()),
        ("AWS_ACCESS_KEY_ID", key.id.clone()),
        ("AWS_SECRET_ACCESS_KEY", key.secret.expose().to_owned()),
    ])
}

async fn flask(peer: Peer, s3: &str, bed: &Testbed) -> Result<Server> {
    let (dir, _) = places(bed, "flask-app");
    let python = python(bed, "flask-app")?;
    let address = free_address()?;
    let mut env = s3_access(s3, &bed.lab.credentials.aws.app_tier);
    env.insert("LISTEN_ADDR", address.to_string());
    env.insert("S3_CONNECTIONS", "32".to_owned());
    env.insert("PYTHONDONTWRITEBYTECODE", "1".to_owned());
    let args: Vec<OsString> = match peer {
        Peer::NodeAndFlask => vec![dir.join("app.py").into()],
        Peer::NodeAndFlaskTuned => {
            let mut args: Vec<OsString> = ["-m", "gunicorn", "--workers", "2", "--threads", "32"]
                .map(OsString::from)
                .into();
            args.extend(["--keep-alive", "75", "--bind"].map(OsString::from));
            args.extend([address.to_string(), "--chdir".to_owned()].map(OsString::from));
            args.extend([dir.into(), "app:app".into()]);
            args
        }
    };
    start("flask-app", python, args, env, address, bed).await
}

async fn node(peer: Peer, upstream: &str, bed: &Testbed) -> Result<Server> {
    let (source, dir) = places(bed, "node-web");
    packages::npm(&source, &dir, &["deployed.js", "tuned.js"]).await?;
    let script = match peer {
        Peer::NodeAndFlask => "deployed.js",
        Peer::NodeAndFlaskTuned => "tuned.js",
    };
    let address = free_address()?;
    let env = BTreeMap::from([
        ("LISTEN_ADDR", address.to_string()),
        ("APP_TIER_URL", upstream.to_owned()),
        ("NODE_ENV", "production".to_owned()),
    ]);
    let node = program("node")?;
    let args = vec![dir.join(script).into()];
    start("node-web", node, args, env, address, bed).await
}

/// nginx with the template of this name, and these words of it replaced.
async fn nginx(name: &str, words: &[(&str, String)], bed: &Testbed) -> Result<Server> {
    let address = free_address()?;
    let dir = bed.lab.dir.data(&format!("config/bench-{name}"));
    lab_runner::files::create_dir(&dir)?;
    let template = bed
        .lab
        .workspace
        .root()
        .join(format!("lab/bench/peers/nginx/{name}.conf.template"));
    let template = String::from_utf8_lossy(&lab_runner::files::read(&template)?).into_owned();
    let mut content = template
        .replace("@DIR@", &dir.to_string_lossy())
        .replace("@LISTEN@", &address.to_string());
    for (word, value) in words {
        content = content.replace(word, value);
    }
    let path = dir.join("nginx.conf");
    let args = vec!["-c".into(), path.clone().into()];
    let spec = Spec {
        files: vec![ConfigFile { path, content }],
        ..spec(address, program("nginx")?, args, BTreeMap::new())
    };
    Server::start(name, spec, &bed.log(name)).await
}

async fn start(
    name: &str,
    program: PathBuf,
    args: Vec<OsString>,
    env: BTreeMap<&'static str, String>,
    address: SocketAddr,
    bed: &Testbed,
) -> Result<Server> {
    let spec = spec(address, program, args, env);
    Server::start(name, spec, &bed.log(name)).await
}

/// This command, with the settings that nearly all servers have.
pub(super) fn spec(
    address: SocketAddr,
    program: PathBuf,
    args: Vec<OsString>,
    env: BTreeMap<&'static str, String>,
) -> Spec {
    Spec {
        address,
        launch: Launch {
            program,
            args,
            env,
            output: Output::File,
        },
        files: Vec::new(),
        health: HEALTH,
        stop_timeout: Duration::from_secs(3),
    }
}
