//! Files of text as they come: with or without a byte order mark, and named with the line where they are no UTF-8.

use super::DataError;
use std::path::Path;

/// The mark that some programs put before a text.
const MARK: &str = "\u{feff}";

/// The text of a file, without a byte order mark.
pub fn text(path: &Path) -> Result<String, DataError> {
    let bytes = std::fs::read(path).map_err(|error| DataError::unreadable(path, error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        DataError::row(path, line, "is not UTF-8; save the file as UTF-8")
    })?;
    Ok(text.strip_prefix(MARK).map_or_else(|| text.clone(), str::to_string))
}

/// A file that is no text.
pub fn file(path: &Path) -> Result<std::fs::File, DataError> {
    std::fs::File::open(path).map_err(|error| DataError::unreadable(path, error))
}

/// The lines of a text that are not blank, each with its number from 1.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered.filter(|(_, line)| !line.trim().is_empty())
}
