//! Health checks by the console itself, because the supervisor's are as old as its last round.

use std::net::SocketAddr;
use std::time::Duration;

use lab_runner::health::Health;
use lab_runner::http::{CallError, Client};
use lab_runner::lab::Lab;
use lab_runner::part::PartName;
use tokio::time::timeout;

/// A part and its health check.
#[derive(Clone, Debug)]
pub struct Asked {
    pub part: PartName,
    address: SocketAddr,
    health: Health,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    Well,
    /// It reported that it is not healthy, or its machine refused the connection.
    Ill(String),
    Silent,
}

/// Returns the parts of a lab except the console.
pub fn parts(lab: &Lab) -> anyhow::Result<Vec<Asked>> {
    let parts = lab.parts()?.into_iter();
    let others = parts.filter(|part| part.name != PartName::Console);
    Ok(others
        .map(|part| Asked {
            part: part.name,
            address: part.address,
            health: part.health,
        })
        .collect())
}

impl Asked {
    pub async fn ask(&self, limit: Duration, http: &Client) -> Answer {
        let check = async {
            match self.health.url(self.address) {
                // With the connections that the console has.
                Some(url) => get(http, &url).await,
                None => match self.health.check(self.address).await {
                    Ok(()) => Answer::Well,
                    Err(ill) => Answer::Ill(ill.to_string()),
                },
            }
        };
        timeout(limit, check).await.unwrap_or(Answer::Silent)
    }
}

async fn get(http: &Client, url: &str) -> Answer {
    match http.get(url).await {
        Ok(answer) if answer.status.is_success() => Answer::Well,
        Ok(answer) => Answer::Ill(format!("its health check answers {}", answer.status)),
        Err(CallError::TimedOut(_)) => Answer::Silent,
        Err(error) => Answer::Ill(lab_runner::output::chain(&error)),
    }
}

#[cfg(test)]
mod tests {
    use tls::Roots;
    use tokio::net::TcpListener;

    use super::*;

    async fn ask(address: SocketAddr, health: Health) -> Answer {
        let part = PartName::AppA;
        let asked = Asked {
            part,
            address,
            health,
        };
        let limit = Duration::from_millis(100);
        let http = Client::new(&Roots::none(), limit).unwrap();
        asked.ask(limit, &http).await
    }

    #[tokio::test]
    async fn a_part_that_takes_connections_and_never_answers_is_silent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        for health in [Health::Http { path: "/health" }, Health::MysqlGreeting] {
            assert_eq!(ask(address, health).await, Answer::Silent);
        }
        drop(listener);
        let refused = ask(address, Health::MysqlGreeting).await;
        assert!(matches!(refused, Answer::Ill(_)), "{refused:?}");
    }
}
