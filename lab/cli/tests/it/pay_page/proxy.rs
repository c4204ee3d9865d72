//! A network between the page and the lab that does what a test says: it loses, delays and forges answers.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures::{StreamExt as _, stream};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::Notify,
    task::{JoinHandle, yield_now},
};

const BODY_MAX: usize = 1 << 20;
const TIMEOUT: Duration = Duration::from_secs(20);

/// What happens to one exchange.
#[derive(Clone, Debug)]
pub enum Fate {
    Passed,
    /// The server never sees the request.
    RequestLost,
    /// The server handles the request, but the page never gets the answer.
    AnswerLost,
    /// The server handles the request, and the page gets this answer instead of the server's.
    AnswerReplaced(u16, Value),
    /// The server never sees the request, and the page gets this answer.
    Forged(u16, Value),
    /// Like [`Fate::Forged`], with Retry-After in seconds.
    Refused(u16, Value, u32),
    /// The answer is delayed until it is released.
    Held(Arc<Notify>),
}

/// The fates of the next exchanges, and of all later ones.
#[derive(Debug)]
struct Plan {
    next: VecDeque<Fate>,
    then: Fate,
}

impl Plan {
    const fn new() -> Self {
        Self {
            next: VecDeque::new(),
            then: Fate::Passed,
        }
    }

    fn draw(&mut self) -> Fate {
        self.next.pop_front().unwrap_or_else(|| self.then.clone())
    }
}

#[derive(Debug)]
struct Script {
    posts: Plan,
    asks: Plan,
    /// Methods, in the order in which the page used them.
    seen: Vec<String>,
    /// Bodies of the payments.
    sent: Vec<Value>,
}

impl Script {
    const fn new() -> Self {
        Self {
            posts: Plan::new(),
            asks: Plan::new(),
            seen: Vec::new(),
            sent: Vec::new(),
        }
    }
}

#[derive(Debug)]
struct Network {
    server: String,
    client: reqwest::Client,
    script: Mutex<Script>,
}

pub struct Proxy {
    pub url: String,
    network: Arc<Network>,
    serving: JoinHandle<io::Result<()>>,
}

impl Proxy {
    pub async fn before(server: String) -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        let network = Arc::new(Network {
            server,
            client: client.build().unwrap(),
            script: Mutex::new(Script::new()),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(exchange)
            .with_state(Arc::clone(&network));
        let serving = tokio::spawn(axum::serve(listener, router).into_future());
        Self {
            url,
            network,
            serving,
        }
    }

    pub fn reset(&self) {
        *self.network.script() = Script::new();
    }

    /// Sets the fates of the next payments that the page sends.
    pub fn posts(&self, fates: impl IntoIterator<Item = Fate>) {
        self.network.script().posts.next.extend(fates);
    }

    /// Sets the fate of all later payments.
    pub fn all_posts(&self, fate: Fate) {
        self.network.script().posts.then = fate;
    }

    /// Sets the fates of the page's next status queries.
    pub fn asks(&self, fates: impl IntoIterator<Item = Fate>) {
        self.network.script().asks.next.extend(fates);
    }

    /// Sets the fate of all later status queries.
    pub fn all_asks(&self, fate: Fate) {
        self.network.script().asks.then = fate;
    }

    /// Returns `POST` for each payment and `GET` for each status query, in order.
    pub fn seen(&self) -> Vec<String> {
        self.network.script().seen.clone()
    }

    /// The payments that the page sent.
    pub fn sent(&self) -> Vec<Value> {
        self.network.script().sent.clone()
    }

    /// Waits until the page has made so many requests.
    pub async fn until_seen(&self, count: usize) {
        let deadline = Instant::now() + TIMEOUT;
        while self.seen().len() < count {
            let seen = self.seen();
            assert!(Instant::now() < deadline, "{count} expected: {seen:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Network {
    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fate(&self, request: &axum::http::request::Parts, body: &Bytes) -> Fate {
        let path = request.uri.path();
        let accepts = request.headers.get(header::ACCEPT);
        let is_json = accepts.is_some_and(|kind| kind == "application/json");
        let mut script = self.script();
        if request.method == Method::POST && path == "/pay" {
            script.seen.push("POST".to_owned());
            script
                .sent
                .push(serde_json::from_slice(body).unwrap_or_default());
            return script.posts.draw();
        }
        if path.starts_with("/pay/") && is_json {
            script.seen.push("GET".to_owned());
            return script.asks.draw();
        }
        Fate::Passed
    }

    async fn forward(&self, request: axum::http::request::Parts, body: Bytes) -> Response {
        let url = format!("{}{}", self.server, request.uri);
        let mut headers = request.headers;
        headers.remove(header::CONNECTION);
        let sent = self.client.request(request.method, url).headers(headers);
        let answer = match sent.body(body).send().await {
            Ok(answer) => answer,
            Err(error) => return (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        };
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        headers.remove(header::TRANSFER_ENCODING);
        headers.remove(header::CONNECTION);
        let body = answer.bytes().await.unwrap_or_default();
        (status, headers, body).into_response()
    }
}

async fn exchange(State(network): State<Arc<Network>>, request: Request) -> Response {
    let (request, body) = request.into_parts();
    let body = to_bytes(body, BODY_MAX).await.unwrap_or_default();
    match network.fate(&request, &body) {
        Fate::Passed => network.forward(request, body).await,
        Fate::RequestLost => cut_off(),
        Fate::AnswerLost => {
            network.forward(request, body).await;
            cut_off()
        }
        Fate::AnswerReplaced(status, answer) => {
            network.forward(request, body).await;
            forged(status, &answer)
        }
        Fate::Forged(status, body) => forged(status, &body),
        Fate::Refused(status, body, seconds) => {
            let mut answer = forged(status, &body);
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
            answer
        }
        Fate::Held(released) => {
            let answer = network.forward(request, body).await;
            released.notified().await;
            answer
        }
    }
}

/// The connection ends in the middle of the answer. If it ended before, the browser itself would send the request
/// again.
fn cut_off() -> Response {
    let begun = stream::once(async { Ok(Bytes::from_static(b"{")) });
    let cut = stream::once(async {
        // What was written so far is sent first.
        yield_now().await;
        Err(io::Error::other("cut off by the test"))
    });
    Body::from_stream(begun.chain(cut)).into_response()
}

fn forged(status: u16, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    let status = StatusCode::from_u16(status).unwrap();
    (status, kind, body.to_string()).into_response()
}
