//! A web tier on a port of its own, before an upstream that does what the test says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use program::Env;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use web_tier::{App, config::Config, upstream::Resolve};

/// The header Accept of browsers.
pub const BROWSER: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

/// What the upstream does with one request.
pub enum Act {
    Answer(String),
    /// Answers, and then closes the connection without a word, as a load balancer does with one that is idle.
    AnswerAndClose(String),
    /// Reads the request and closes the connection, as a server does that dies.
    HangUp,
}

pub struct Tier {
    pub url: String,
    admin: String,
    /// Requests that reached the upstream, head and body.
    pub seen: Arc<Mutex<Vec<String>>>,
    /// Connections that the upstream closed.
    pub closed: watch::Receiver<usize>,
    tasks: Vec<JoinHandle<()>>,
}

impl Tier {
    /// Each request takes the next act; the last act goes on for ever.
    pub async fn before(acts: Vec<Act>) -> Self {
        Self::with(acts, &[]).await
    }

    /// A tier with these variables besides.
    pub async fn with(acts: Vec<Act>, variables: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (closing, closed) = watch::channel(0);
        let serving = tokio::spawn(serve(listener, acts, Arc::clone(&seen), closing));
        let mut tier = Self::start(upstream, variables).await;
        tier.tasks.push(serving);
        tier.seen = seen;
        tier.closed = closed;
        tier
    }

    /// A web tier whose upstream is at `addr`, where nothing needs to listen.
    pub async fn at(addr: SocketAddr) -> Self {
        Self::start(addr, &[]).await
    }

    /// A web tier whose upstream is where `name` says.
    pub async fn named(name: impl Resolve) -> Self {
        let config = config("http://internal-alb:3000", &[]);
        Self::run(App::with_resolver(name, config).await.unwrap())
    }

    /// A web tier that reaches its upstream by https, at one of these addresses under the name internal-alb.
    pub async fn over_tls(name: impl Resolve, ca_file: &str) -> Self {
        let config = config(
            "https://internal-alb:3000",
            &[("APP_TIER_CA_FILE", ca_file)],
        );
        Self::run(App::with_resolver(name, config).await.unwrap())
    }

    async fn start(upstream: SocketAddr, variables: &[(&str, &str)]) -> Self {
        let config = config(&format!("http://{upstream}"), variables);
        Self::run(App::build(config).await.unwrap())
    }

    fn run(app: App) -> Self {
        let url = format!("http://{}", app.local_addr().unwrap());
        let admin = format!("http://{}", app.admin_addr());
        let serving = tokio::spawn(async move { app.run().await.unwrap() });
        Self {
            url,
            admin,
            seen: Arc::default(),
            closed: watch::channel(0).1,
            tasks: vec![serving],
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    pub async fn post(
        &self,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> reqwest::Response {
        let request = reqwest::Client::new().post(format!("{}/pay", self.url));
        let request = headers
            .iter()
            .fold(request, |request, (k, v)| request.header(*k, *v));
        request.body(body).send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        reqwest::get(format!("{}{path}", self.url)).await.unwrap()
    }

    /// As a browser opens an address; it does not go where it is sent.
    pub async fn browse(&self, path: &str) -> reqwest::Response {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let request = client.build().unwrap().get(format!("{}{path}", self.url));
        request.header("accept", BROWSER).send().await.unwrap()
    }

    /// Status and body from the second listener.
    pub async fn admin(&self, path: &str) -> (u16, String) {
        let response = reqwest::get(format!("{}{path}", self.admin)).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub fn calls(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

impl Drop for Tier {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn config(upstream: &str, variables: &[(&str, &str)]) -> Config {
    let own = [
        ("LISTEN_ADDR", "127.0.0.1:0"),
        ("ADMIN_LISTEN_ADDR", "127.0.0.1:0"),
        ("APP_TIER_URL", upstream),
        ("DRAIN_SECONDS", "0"),
    ];
    let all = own.iter().chain(variables);
    let env: Env = all
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Config::from_env(env).unwrap()
}

/// An answer of the app tier.
pub fn answer(status: &str, headers: &str, body: &str) -> Act {
    let length = body.len();
    Act::Answer(format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    ))
}

async fn serve(
    listener: TcpListener,
    acts: Vec<Act>,
    seen: Arc<Mutex<Vec<String>>>,
    closed: watch::Sender<usize>,
) {
    let acts = Arc::new(acts);
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (acts, seen, closed) = (Arc::clone(&acts), Arc::clone(&seen), closed.clone());
        // Each core of the tier has a connection of its own.
        tokio::spawn(async move {
            while let Some(request) = read_request(&mut stream).await {
                let earlier = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(request);
                    seen.len() - 1
                };
                match &acts[earlier.min(acts.len() - 1)] {
                    Act::Answer(text) => stream.write_all(text.as_bytes()).await.unwrap(),
                    Act::AnswerAndClose(text) => {
                        stream.write_all(text.as_bytes()).await.unwrap();
                        break;
                    }
                    Act::HangUp => break,
                }
            }
            drop(stream);
            closed.send_modify(|closed| *closed += 1);
        });
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => text.push_str(std::str::from_utf8(&buffer[..read]).unwrap()),
        }
    }
}
