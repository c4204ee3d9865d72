//! What can be wrong with the text.

/// A mistake, and where it is.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// Not TOML, or a value of another kind than is expected; the message shows the line.
    #[error("{0}")]
    Form(String),
    /// Each part is fine, but they don't fit together.
    #[error("line {line}: {fault}")]
    Fault { line: usize, fault: String },
}

impl Error {
    pub(crate) fn at(text: &str, start: usize, fault: String) -> Self {
        let before = text.get(..start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        Self::Fault { line, fault }
    }
}
