//! Errors of a RON file: path, line, column, the line itself and a caret.

use std::path::Path;

/// A file that is no experiment.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what was expected.
    #[error("{path}:{line}:{column}: {what}\n{excerpt}")]
    Malformed {
        /// The file.
        path: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What was found and what was expected.
        what: String,
        /// The line with a caret below.
        excerpt: String,
    },
    /// `--set` names a field that cannot be found.
    #[error("--set {path}: {why}")]
    Set {
        /// The path given.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl SpecError {
    pub(super) fn unreadable(path: &Path, source: std::io::Error) -> Self {
        SpecError::Unreadable { path: path.display().to_string(), source }
    }

    pub(super) fn malformed(path: &Path, text: &str, error: &ron::error::SpannedError) -> Self {
        let (line, column) = (error.span.start.line, error.span.start.col);
        let what = error.code.to_string();
        SpecError::Malformed {
            path: path.display().to_string(),
            line,
            column,
            what,
            excerpt: excerpt(text, line, column),
        }
    }
}

/// The line with its number, and a caret under the column.
fn excerpt(text: &str, line: usize, column: usize) -> String {
    let shown = text.lines().nth(line.saturating_sub(1)).unwrap_or("");
    let margin = " ".repeat(line.to_string().len());
    // a tab stays a tab below, so that the caret stands under its column
    let indent: String =
        shown.chars().take(column.saturating_sub(1)).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    format!("{margin} |\n{line} | {shown}\n{margin} | {indent}^")
}
