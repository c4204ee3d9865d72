//! `payctl sql`.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use payment_store::query::{QueryError, Reader, Table};
use program::{Env, chain};

use crate::config::{self, User};
use crate::outcome::{Failure, Outcome};
use crate::{grid, output};

/// Most memory that the rows of one answer take.
const BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// One statement that reads, such as "SELECT * FROM transactions"
    /// [default: read from stdin; on a terminal, a prompt]
    statement: Option<String>,
}

pub async fn run(args: Args, mut env: Env) -> Result<Outcome, Failure> {
    let access = config::access(&mut env, User::Reader);
    let access = env.finish(|| access).map_err(Failure::config)?;
    let reader = Reader::new(access);
    if let Some(statement) = args.statement {
        return answer(&reader, &statement).await;
    }
    if io::stdin().is_terminal() {
        return prompt(&reader, |line| io::stdin().lock().read_line(line)).await;
    }
    let mut statement = String::new();
    io::stdin().lock().read_to_string(&mut statement)?;
    answer(&reader, &statement).await
}

async fn answer(reader: &Reader, statement: &str) -> Result<Outcome, Failure> {
    match reader.read(statement, BYTES_MAX).await {
        Ok(table) => tell(&table),
        Err(error @ QueryError::NotReading) => Err(Failure::config(error)),
        Err(error @ QueryError::Refused(_)) => {
            output::warn(&chain(&error));
            Ok(Outcome::Different)
        }
        Err(QueryError::Database(error)) => Err(error.into()),
    }
}

fn tell(table: &Table) -> Result<Outcome, Failure> {
    grid::write(table, &mut io::stdout().lock())?;
    let count = output::grouped(u64::try_from(table.rows.len())?);
    if table.is_cut {
        let mib = BYTES_MAX / 1024 / 1024;
        output::warn(&format!(
            "only the first {count} rows are shown: all of them take more than {mib} MiB; add a WHERE or a LIMIT"
        ));
    }
    Ok(Outcome::unfinished_if(table.is_cut))
}

/// Statements as a person types them, each ended by a semicolon. One that fails is told of, and the next is taken; the
/// worst of them is how it ends.
async fn prompt(
    reader: &Reader,
    mut read_line: impl FnMut(&mut String) -> io::Result<usize>,
) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Clean;
    output::say("It only reads. End a statement with ;  Leave with Ctrl-D.\n")?;
    let mut statement = String::new();
    loop {
        output::say(if statement.is_empty() {
            "payctl> "
        } else {
            "     -> "
        })?;
        io::stdout().flush()?;
        if read_line(&mut statement)? == 0 {
            output::say("\n")?;
            return Ok(outcome);
        }
        match statement.trim() {
            "" => statement.clear(),
            "exit" | "quit" => return Ok(outcome),
            whole if whole.ends_with(';') => {
                let answered = answer(reader, whole).await.unwrap_or_else(|failure| {
                    output::warn(&chain(failure.error()));
                    failure.outcome()
                });
                outcome = outcome.and(answered);
                statement.clear();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the outcome of a prompt whose database does not answer.
    async fn outcome(typed: &str) -> Outcome {
        let mut env = Env::from([("DATABASE_URL", "mysql://reader:x@127.0.0.1:9/payments")]);
        let access = config::access(&mut env, User::Reader).unwrap();
        let mut typed = io::Cursor::new(typed.to_owned());
        let prompt = prompt(&Reader::new(access), |line| typed.read_line(line)).await;
        prompt.unwrap()
    }

    #[tokio::test]
    async fn a_prompt_ends_as_its_worst_statement_did() {
        assert_eq!(outcome("").await, Outcome::Clean);
        assert_eq!(outcome("DROP TABLE t;\nexit\n").await, Outcome::Different);
        assert_eq!(
            outcome("SELECT 1;\nDROP TABLE t;\n").await,
            Outcome::Unfinished
        );
    }
}
