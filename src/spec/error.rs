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
        let what = bracketed(&error.code, text, line, column).unwrap_or_else(|| what(&error.code));
        SpecError::Malformed {
            path: path.display().to_string(),
            line,
            column,
            what,
            excerpt: excerpt(text, line, column),
        }
    }
}

/// A word without the brackets it needs, with some it has not, or with a bare value in them: the library knows the place only.
fn bracketed(code: &ron::Error, text: &str, line: usize, column: usize) -> Option<String> {
    let before: String = text.lines().nth(line.checked_sub(1)?)?.chars().take(column.saturating_sub(1)).collect();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let word = &before[before.trim_end_matches(is_part).len()..];
    match code {
        ron::Error::ExpectedStructLike | ron::Error::ExpectedNamedStructLike(_) if !word.is_empty() => Some(format!(
            "`{word}` needs brackets: write `{word}()`, with values within where you want others than the usual or there are no usual ones"
        )),
        ron::Error::ExpectedComma if !word.is_empty() && at(text, line, column) == Some('(') => {
            Some(format!("`{word}` has no values of its own: write it without brackets"))
        }
        ron::Error::InvalidIdentifier(found) | ron::Error::SuggestRawIdentifier(found)
            if found.starts_with(is_part) =>
        {
            Some(format!(
                "`{found}` stands where a field's name is expected; write the name before it, as in `name: {found}`"
            ))
        }
        _ => None,
    }
}

fn at(text: &str, line: usize, column: usize) -> Option<char> {
    text.lines().nth(line.checked_sub(1)?)?.chars().nth(column.checked_sub(1)?)
}

/// The library's error in the words of a RON file: what was found, what was expected.
pub(super) fn what(code: &ron::Error) -> String {
    use ron::Error::*;
    match code {
        NoSuchStructField { expected, found, outer } => {
            format!("there is no field `{found}`{}; there {}", within(outer), known(expected))
        }
        NoSuchEnumVariant { expected, found, outer } => {
            format!(
                "`{found}` is no{}; there {}",
                outer.as_ref().map_or(" choice".into(), |kind| format!(" `{kind}`")),
                known(expected)
            )
        }
        MissingStructField { field, outer } => format!("the field `{field}` is missing{}", within(outer)),
        DuplicateStructField { field, outer } => format!("the field `{field}` stands twice{}", within(outer)),
        InvalidValueForType { expected, found } => format!("expected {expected} but found {found}"),
        IntegerOutOfBounds => "the number does not fit here; expected a whole number that is not negative".into(),
        ExpectedInteger => "expected a whole number".into(),
        ExpectedFloat => "expected a number".into(),
        ExpectedString => "expected a text in quotes".into(),
        ExpectedStringEnd | Eof => "the text ends too early; is a quote or a bracket left open?".into(),
        ExpectedComma => "expected a comma, or the closing bracket; is a quote left open before?".into(),
        TrailingCharacters => "something stands behind the end; is there one bracket too many?".into(),
        ExpectedIdentifier => "expected a name, for instance `Cpu`".into(),
        other => lower(&other.to_string()),
    }
}

fn within(outer: &Option<String>) -> String {
    outer.as_ref().map(|name| format!(" in `{name}`")).unwrap_or_default()
}

fn known(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "is none".into(),
        [one] => format!("is {one}"),
        [most @ .., last] => format!("are {} and {last}", most.join(", ")),
    }
}

fn lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
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

#[cfg(test)]
mod tests {
    use crate::spec::{Experiment, set};
    use std::path::Path;

    /// What is said of an experiment with this method.
    fn told(method: &str) -> String {
        let text = "(question: \"q\", model: Builtin(\"organism\"), data: Tokens([[1]]), methods: [])";
        let text = set(text, "methods", &format!("[{method}]"));
        let found = text.and_then(|text| Experiment::parse(Path::new("q.ron"), &text).map(drop));
        found.unwrap_err().to_string()
    }

    #[test]
    fn a_word_without_its_brackets_is_told_how_to_be_written() {
        for (method, expected) in [
            ("Circuit(score: EapIg)", "`EapIg` needs brackets: write `EapIg()`"),
            ("Circuit(score: EapIg, select: TopN(3))", "`EapIg` needs brackets: write `EapIg()`"),
            ("Circuit", "`Circuit` needs brackets: write `Circuit()`"),
            ("Circuit(select: TopN)", "`TopN` needs brackets: write `TopN()`"),
            ("Circuit(score: Eap(), select: TopN(3))", "`Eap` has no values of its own: write it without brackets"),
            ("Circuit(score: EapIg(5))", "`5` stands where a field's name is expected; write the name before it"),
        ] {
            let told = told(method);
            assert!(told.contains(expected) && told.starts_with("q.ron:"), "{method}: {told}");
        }
    }
}
