//! What says to the web tier which client this is: a key, or what signs requests.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clients::digest::{CONTENT_DIGEST, header_of};
use clients::signature::{Message, SIGNATURE, SIGNATURE_INPUT, SigningKey};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use payment_core::Timestamp;
use program::{Env, Secret};
use time::OffsetDateTime;
use toml_edit::{DocumentMut, Item};

#[derive(Debug, Clone, clap::Args)]
pub struct CredentialArgs {
    /// Key of the client; other users of this machine see it in the list of processes, unlike `PAY_KEY`
    #[arg(long, value_name = "KEY")]
    key: Option<Secret>,
    /// Sign requests with the key in this file, which payctl client makes
    #[arg(long, value_name = "KEYFILE", conflicts_with = "key")]
    sign: Option<PathBuf>,
}

#[derive(Debug)]
pub enum Credential {
    Key(HeaderValue),
    Signer { id: String, key: SigningKey },
}

impl Credential {
    /// Reads the credential from the arguments, or from `PAY_KEY`. `None` if there is none, or after a mistake was
    /// noted.
    pub fn new(args: CredentialArgs, env: &mut Env) -> Option<Self> {
        let by_environment = env.secret("PAY_KEY");
        if let Some(path) = args.sign {
            let signer = read(&path);
            if signer.is_none() {
                env.mistake(format!(
                    "the key file {} can't be used; payctl client rotate --ed25519 writes one",
                    path.display()
                ));
            }
            return signer;
        }
        let key = args.key.or(by_environment)?;
        let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", key.expose())) else {
            env.mistake("the key has characters that no key has");
            return None;
        };
        value.set_sensitive(true);
        Some(Self::Key(value))
    }

    pub fn signs(&self) -> bool {
        matches!(self, Self::Signer { .. })
    }

    /// Adds it to a request that has its other headers.
    pub fn add_to(&self, request: &mut Request<Full<Bytes>>, body: &Bytes) {
        match self {
            Self::Key(value) => _ = request.headers_mut().insert(AUTHORIZATION, value.clone()),
            Self::Signer { id, key } => sign(request, body, id, key),
        }
    }
}

fn sign(request: &mut Request<Full<Bytes>>, body: &Bytes, id: &str, key: &SigningKey) {
    if request.method() == Method::POST
        && let Ok(digest) = HeaderValue::from_str(&header_of(body))
    {
        request.headers_mut().insert(CONTENT_DIGEST, digest);
    }
    let message = Message {
        method: request.method(),
        uri: request.uri(),
        headers: request.headers(),
    };
    let now = Timestamp::new(OffsetDateTime::now_utc());
    // Without a signature the answer is 401, which says it all.
    let Some((input, signature)) = key.sign(&message, id, now) else {
        return;
    };
    for (name, value) in [(SIGNATURE_INPUT, input), (SIGNATURE, signature)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            request.headers_mut().insert(name, value);
        }
    }
}

fn read(path: &Path) -> Option<Credential> {
    let file: DocumentMut = fs::read_to_string(path).ok()?.parse().ok()?;
    let text = |name| file.get(name).and_then(Item::as_str);
    Some(Credential::Signer {
        id: text("keyid")?.to_owned(),
        key: SigningKey::parse(text("algorithm")?, text("secret")?)?,
    })
}
