//! Asks the database within a time limit, and leaves it alone for a moment after it failed (promise P5).
//!
//! Closed, every question goes through. A failure opens it: for a while nothing is asked, then one question at a time
//! finds out whether the database is back.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use payment_store::Error;
use program::chain;
use tokio::time::{Instant, timeout};

/// After a failure nothing is asked for this long.
const PAUSE: Duration = Duration::from_secs(1);

/// Stops questions to the database while it does not answer.
#[derive(Debug)]
pub struct Circuit {
    /// What is lost while it is open, for the log.
    without: &'static str,
    time_max: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed,
    Open {
        until: Instant,
        /// One question is out to learn whether the database is back.
        probing: bool,
    },
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    #[error("the database failed a moment ago and is not asked")]
    Paused,
    #[error("the database did not answer within {} ms", .0.as_millis())]
    Silent(Duration),
    #[error(transparent)]
    Failed(#[from] Error),
}

impl Circuit {
    /// `without` says in the log what is lost while it is open.
    pub fn new(time_max: Duration, without: &'static str) -> Self {
        Self {
            without,
            time_max,
            state: Mutex::new(State::Closed),
        }
    }

    /// The answer, unless the circuit is open; the question is then not even begun. A caller who gives up says
    /// nothing of the database.
    pub async fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Unanswered> {
        let turn = self.turn().ok_or(Unanswered::Paused)?;
        let answer = match timeout(self.time_max, question).await {
            Ok(answer) => answer.map_err(Unanswered::from),
            Err(_) => Err(Unanswered::Silent(self.time_max)),
        };
        match &answer {
            Ok(_) => self.close(),
            Err(reason) => self.open(reason),
        }
        drop(turn);
        answer
    }

    fn turn(&self) -> Option<Turn<'_>> {
        self.with(|state| {
            let is_probe = match state {
                State::Closed => false,
                State::Open { until, probing } if !*probing && *until <= Instant::now() => {
                    *probing = true;
                    true
                }
                State::Open { .. } => return None,
            };
            Some(Turn {
                circuit: self,
                is_probe,
            })
        })
    }

    fn close(&self) {
        let was = self.with(|state| std::mem::replace(state, State::Closed));
        if matches!(was, State::Open { .. }) {
            tracing::info!(without = self.without, "the database answers again");
        }
    }

    fn open(&self, reason: &Unanswered) {
        let until = Instant::now() + PAUSE;
        let opened = State::Open {
            until,
            probing: false,
        };
        let was = self.with(|state| std::mem::replace(state, opened));
        if matches!(was, State::Closed) {
            let why = chain(reason);
            tracing::warn!(
                why,
                without = self.without,
                "the database fails and is asked once a second"
            );
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Permission for one question. A probe that was given up lets the next one be the probe.
struct Turn<'a> {
    circuit: &'a Circuit,
    is_probe: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.circuit.with(|state| {
                if let State::Open { probing, .. } = state {
                    *probing = false;
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures::FutureExt as _;
    use tokio::time::advance;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(200);

    fn circuit() -> Circuit {
        Circuit::new(LIMIT, "nothing")
    }

    async fn silence() -> Result<(), Error> {
        std::future::pending().await
    }

    /// How many of the questions reach a database that says nothing.
    async fn asked(circuit: &Circuit, questions: usize) -> usize {
        let asked = Cell::new(0);
        let question = || {
            circuit.ask(async {
                asked.set(asked.get() + 1);
                silence().await
            })
        };
        let answers = futures::future::join_all((0..questions).map(|_| question())).await;
        assert!(answers.iter().all(Result::is_err));
        asked.get()
    }

    #[tokio::test(start_paused = true)]
    async fn p5_a_silent_database_is_asked_once_a_second() {
        let circuit = circuit();
        assert_eq!(asked(&circuit, 1).await, 1);
        assert_eq!(asked(&circuit, 1000).await, 0, "it is left alone");
        for _ in 0..3 {
            advance(PAUSE).await;
            assert_eq!(asked(&circuit, 1000).await, 1, "one finds out");
            assert_eq!(asked(&circuit, 1000).await, 0);
        }
        advance(PAUSE).await;
        circuit.ask(async { Ok(()) }).await.unwrap();
        assert_eq!(asked(&circuit, 10).await, 10, "it was back");
    }

    #[tokio::test(start_paused = true)]
    async fn p5_a_caller_who_gives_up_says_nothing_of_the_database() {
        let circuit = circuit();
        assert!(circuit.ask(silence()).now_or_never().is_none());
        assert_eq!(asked(&circuit, 1).await, 1, "it is still closed");
        advance(PAUSE).await;
        assert!(circuit.ask(silence()).now_or_never().is_none());
        circuit.ask(async { Ok(()) }).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn p5_a_refusal_of_the_database_is_not_asked_for_again_at_once() {
        let circuit = circuit();
        let refusal = circuit.ask(async { Err::<(), _>(Error::KeyTooLong { chars: 701 }) });
        assert!(matches!(refusal.await, Err(Unanswered::Failed(_))));
        assert_eq!(asked(&circuit, 10).await, 0);
    }
}
