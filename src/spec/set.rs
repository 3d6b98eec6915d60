//! `--set path=value`: an edit of the file's text, so that errors still show line and column.

use super::SpecError;
use std::ops::Range;

/// The text with the value at `path` (`methods[0].over`, `data.Pairs[2].clean`, `seed`) replaced, or a field added.
pub fn set(text: &str, path: &str, value: &str) -> Result<String, SpecError> {
    let refused = |why: String| SpecError::Set { path: path.to_string(), why };
    check(value).map_err(refused)?;
    let steps = steps(path).map_err(refused)?;
    let mut at = skip_blank(text, 0)..text.trim_end().len();
    for (number, step) in steps.iter().enumerate() {
        let inside = entries(text, &at);
        let found = inside.iter().enumerate().find(|(index, entry)| match step {
            Step::Field(name) => entry.name.as_deref() == Some(name),
            Step::Index(wanted) => index == wanted,
        });
        match (found, step) {
            (Some((_, entry)), _) => at = entry.value.clone(),
            (None, Step::Field(name)) if number + 1 == steps.len() => {
                return added(text, &at, &inside, name, value).ok_or_else(|| refused(absent(step, &text[at])));
            }
            _ => return Err(refused(absent(step, &text[at]))),
        }
    }
    Ok(format!("{}{value}{}", &text[..at.start], &text[at.end..]))
}

/// Whether a value is one whole RON value, so that it cannot upset what stands behind it.
fn check(value: &str) -> Result<(), String> {
    let wrong = |why: &str| {
        Err(format!("`{value}` is no RON value: {why}; a text stands in quotes, as in 'question=\"Why?\"'"))
    };
    match ron::value::RawValue::from_ron(value) {
        _ if value.is_empty() => wrong("nothing stands behind the `=`"),
        Ok(_) => Ok(()),
        Err(error) => wrong(&super::error::what(&error.code)),
    }
}

/// The text with a field behind the others; nothing where the value is no struct.
fn added(text: &str, at: &Range<usize>, inside: &[Entry], name: &str, value: &str) -> Option<String> {
    let open = || text[at.clone()].find('(').map(|open| at.start + open + 1);
    Some(match inside.last() {
        Some(last) => format!("{},\n    {name}: {value}{}", &text[..last.value.end], &text[last.value.end..]),
        None => open().map(|open| format!("{}{name}: {value}{}", &text[..open], &text[open..]))?,
    })
}

fn absent(step: &Step, found: &str) -> String {
    format!("there is no {step} in `{}`", summary(found))
}

enum Step {
    Field(String),
    Index(usize),
}

impl std::fmt::Display for Step {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Step::Field(name) => write!(out, "field `{name}`"),
            Step::Index(index) => write!(out, "entry {index}"),
        }
    }
}

fn steps(path: &str) -> Result<Vec<Step>, String> {
    let flat = path.replace('[', ".").replace(']', "");
    let step = |part: &str| match part.parse() {
        Ok(index) => Ok(Step::Index(index)),
        Err(_) if part.is_empty() => Err("an empty step; write for instance methods[0].over".to_string()),
        Err(_) => Ok(Step::Field(part.to_string())),
    };
    flat.split('.').map(step).collect()
}

fn summary(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > 60 { line.chars().take(60).chain("…".chars()).collect() } else { line }
}

struct Entry {
    name: Option<String>,
    value: Range<usize>,
}

/// What stands between the brackets of a value: fields of a struct or a map, or entries of a list.
///
/// `Patch(sites: …)` is looked into as `(sites: …)`, and `Pairs([…])`, which holds one thing, as that thing.
fn entries(text: &str, value: &Range<usize>) -> Vec<Entry> {
    let mut value = value.clone();
    loop {
        let Some(open) = text[value.clone()].find(['(', '[', '{']).map(|at| value.start + at) else {
            return Vec::new();
        };
        let found = split(text, open + 1);
        match found.as_slice() {
            [only] if only.name.is_none() && text.as_bytes()[open] == b'(' && opens(text, only) => {
                value = only.value.clone();
            }
            _ => return found,
        }
    }
}

fn opens(text: &str, entry: &Entry) -> bool {
    text[entry.value.clone()].starts_with(['[', '(', '{'])
}

/// The entries from `start` to the bracket that closes.
fn split(text: &str, start: usize) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut at = skip_blank(text, start);
    while at < text.len() && !text[at..].starts_with([')', ']', '}']) {
        let end = end_of_value(text, at);
        found.push(entry(text, at..end));
        at = skip_blank(text, end);
        if text[at..].starts_with(',') {
            at = skip_blank(text, at + 1);
        }
    }
    found
}

fn entry(text: &str, range: Range<usize>) -> Entry {
    let shown = &text[range.clone()];
    let name_end = shown.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '"')).unwrap_or(shown.len());
    let after = skip_blank(text, range.start + name_end);
    if name_end > 0 && after < range.end && text[after..].starts_with(':') {
        let name = shown[..name_end].trim_matches('"').to_string();
        return Entry { name: Some(name), value: trimmed(text, skip_blank(text, after + 1)..range.end) };
    }
    Entry { name: None, value: trimmed(text, range) }
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    range.start..range.start + text[range].trim_end().len()
}

/// Where the value that starts at `start` ends: at a comma or a closing bracket of its own level.
fn end_of_value(text: &str, start: usize) -> usize {
    let (mut at, mut depth) = (start, 0usize);
    while let Some(next) = text[at..].chars().next() {
        match next {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' | ',' if depth == 0 => return at,
            ')' | ']' | '}' => depth -= 1,
            'r' if raw_string(&text[at..]).is_some() => {
                at += raw_string(&text[at..]).unwrap_or(1);
                continue;
            }
            '"' => at = end_of_string(text, at) - 1,
            '/' if text[at..].starts_with("//") || text[at..].starts_with("/*") => {
                at = skip_blank(text, at);
                continue;
            }
            _ => {}
        }
        at += if next == '"' { 1 } else { next.len_utf8() };
    }
    text.len()
}

/// Just behind the closing quote of the string that opens at `start`.
fn end_of_string(text: &str, start: usize) -> usize {
    let mut escaped = false;
    for (at, c) in text[start + 1..].char_indices() {
        match c {
            '"' if !escaped => return start + at + 2,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The length of the raw string that `text` begins with: `r#"…"#`.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text[1..].len() - text[1..].trim_start_matches('#').len();
    let inside = text[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text.len() - inside.len() + inside.find(&end)? + end.len())
}

/// The first position from `at` on that is neither space nor comment.
fn skip_blank(text: &str, mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        let blank = rest.len() - rest.trim_start().len();
        let comment = match &rest[blank..] {
            line if line.starts_with("//") => line.find('\n').unwrap_or(line.len()),
            block if block.starts_with("/*") => block.find("*/").map_or(block.len(), |end| end + 2),
            _ => 0,
        };
        at += blank + comment;
        if comment == 0 {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"(
    question: "Which, (really)?", // a note, with a comma
    model: Builtin("organism"),
    data: Pairs([(clean: "a", corrupt: "b"), (clean: "c", corrupt: "d")]),
    methods: [Patch(sites: ["x"], over: [Layer, Position]), Record(sites: All)],
)"#;

    #[test]
    fn a_field_an_entry_and_a_field_of_an_entry_are_replaced() {
        let set = |path, value| set(FILE, path, value).unwrap();
        assert!(set("model", "Path(\"m\")").contains("model: Path(\"m\"),\n    data"));
        assert!(set("methods[0].over", "[Head]").contains("over: [Head])"));
        assert!(set("methods.1", "Generate(tokens: 3)").contains(", Generate(tokens: 3)],"));
        assert!(set("data[1].clean", "\"z\"").contains("(clean: \"z\", corrupt: \"d\")"));
        assert!(set("question", "\"q\"").contains("question: \"q\", // a note"));
    }

    #[test]
    fn a_field_that_is_not_there_is_added() {
        let added = set(FILE, "seed", "3").unwrap();
        assert!(added.contains("Record(sites: All)],\n    seed: 3,"), "{added}");
        assert!(
            set(FILE, "methods[0].direction", "Noise")
                .unwrap()
                .contains("over: [Layer, Position],\n    direction: Noise)")
        );
    }

    #[test]
    fn a_path_that_leads_nowhere_is_an_error() {
        assert!(set(FILE, "methods[7].over", "[Head]").is_err());
        assert!(set(FILE, "nothing.here", "1").is_err());
        assert!(set(FILE, "methods..over", "1").is_err());
    }

    #[test]
    fn a_value_cannot_upset_what_stands_behind_it() {
        for value in ["3, sneaked: 4", "3)", "\"open", "", "(", "3 // note\n)", "3 // note"] {
            assert!(set(FILE, "seed", value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_raw_string_hides_its_brackets() {
        let file = r###"(question: r#"a ")," b"#, seed: 1)"###;
        assert!(set(file, "seed", "2").is_ok_and(|set| set.ends_with("b\"#, seed: 2)")));
    }

    #[test]
    fn a_field_is_added_to_a_method_without_any() {
        let set = set("(methods: [Attention()])", "methods[0].weighting", "ValueWeighted");
        assert_eq!(set.ok().as_deref(), Some("(methods: [Attention(weighting: ValueWeighted)])"));
    }
}
