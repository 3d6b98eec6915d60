//! Mutations: of text by its brackets, fields, numbers and words, and of bytes.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use std::borrow::Cow;

/// A piece of a text: a string, a word or number, a run of blanks, a comment, or one other character.
pub type Lexeme = Cow<'static, str>;

/// Numbers at the edges of types, or none at all.
const NUMBERS: [&str; 29] = [
    "0",
    "-0",
    "-1",
    "1",
    "2",
    "3",
    "63",
    "64",
    "255",
    "256",
    "65536",
    "16777216",
    "16777217",
    "4294967295",
    "4294967296",
    "1000000000000",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "0.5",
    "-0.0001",
    "1e308",
    "1e309",
    "-1e308",
    "1e-320",
    "NaN",
    "-inf",
];

/// Values that a reader may not have thought of.
const VALUES: [&str; 33] = [
    "\"\"",
    "\" \"",
    "\"\\u0000\"",
    "\"\\u{0}\"",
    "\"\\ud800\"",
    "\"é\u{301}😀\u{200f}\"",
    "\"\u{feff}\"",
    "\"{\"",
    "\"}{\"",
    "\"{name}\"",
    "\"..\"",
    "\".\"",
    "\"blocks.99999999999999999999.attn.hook_z\"",
    "\"blocks.3.attn.hook_z\"",
    "\"blocks.-1.hook_resid_pre\"",
    "\"hook_embed\"",
    "\"logits\"",
    "\" she\"",
    "\"\\\"",
    "\"",
    "r#\"a\"#",
    "r###\"a",
    "b\"a\"",
    "'a'",
    "true",
    "null",
    "None",
    "Some(1)",
    "()",
    "[]",
    "{}",
    "/*",
    "//",
];

/// The pieces of a text; together they are the text.
pub fn lex(text: &'static str) -> Vec<Lexeme> {
    let (mut found, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (first, after) = rest.split_at(length(rest));
        found.push(Cow::Borrowed(first));
        rest = after;
    }
    found
}

fn length(text: &str) -> usize {
    let run = |belongs: fn(char) -> bool| text.find(|c| !belongs(c)).unwrap_or(text.len());
    match text.chars().next() {
        Some('"') => end_of_string(text),
        Some('/') if text.starts_with("//") => text.find('\n').unwrap_or(text.len()),
        Some(c) if c.is_whitespace() => run(char::is_whitespace),
        Some(c) if is_of_word(c) => run(is_of_word),
        Some(c) => c.len_utf8(),
        None => 0,
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "_.+-".contains(c)
}

fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

fn is_value(lexeme: &str) -> bool {
    lexeme.starts_with(|c| is_of_word(c) || "\"([{".contains(c))
}

/// Behind the value that starts at `start`: a bracket goes to its partner, and a name takes its brackets along.
fn end_of_value(text: &[Lexeme], start: usize) -> usize {
    let named = text.get(start + 1).is_some_and(|next| next == "(");
    let (mut at, mut depth) = (if named { start + 1 } else { start }, 0i64);
    while at < text.len() {
        match text[at].as_ref() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth <= 0 {
            break;
        }
    }
    at
}

/// Changes texts by chance, with pieces of others among them.
pub struct Mutator<'a> {
    pub random: ChaCha8Rng,
    pub corpus: &'a [Vec<Lexeme>],
}

impl Mutator<'_> {
    /// Any text of the corpus, changed.
    pub fn text(&mut self) -> Vec<u8> {
        let which = self.random.random_range(0..self.corpus.len());
        self.text_of(which)
    }

    /// A text of the corpus after one change or some more, now and then with changed bytes too.
    pub fn text_of(&mut self, which: usize) -> Vec<u8> {
        let mut text = self.corpus[which].clone();
        for _ in 0..*[1, 1, 1, 2, 2, 4].choose(&mut self.random).expect("some") {
            self.change(&mut text);
        }
        let mut bytes = text.concat().into_bytes();
        if self.random.random_ratio(1, 12) {
            self.bytes(&mut bytes);
        }
        bytes
    }

    /// An odd value alone, or a value of the corpus.
    pub fn value(&mut self) -> String {
        match self.random.random_ratio(1, 2) {
            true => self.odd().into_owned(),
            false => self.foreign().concat(),
        }
    }

    /// One to eight bytes changed, put in or taken out, or the end cut off.
    pub fn bytes(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.random.random_range(1..=8) {
            if bytes.is_empty() {
                return;
            }
            let at = self.random.random_range(0..bytes.len());
            match self.random.random_range(0..8) {
                0 => bytes.truncate(at),
                1 | 2 => drop(bytes.remove(at)),
                3 | 4 => bytes.insert(at, self.random.random()),
                5 => bytes[at] ^= 1 << self.random.random_range(0..8),
                _ => bytes[at] = self.random.random(),
            }
        }
    }

    fn change(&mut self, text: &mut Vec<Lexeme>) {
        let Some(start) = self.start(text) else { return };
        let end = end_of_value(text, start);
        match self.random.random_range(0..16) {
            0..=4 => text[start] = self.alike(&text[start]),
            5 => drop(text.splice(start..end, [self.odd()])),
            6 | 7 => drop(text.splice(start..end, self.foreign())),
            8 => self.swap(text, start..end),
            9 | 10 => drop(text.drain(self.field(text, start)..end)),
            11 => self.repeat(text, start..end),
            12 => self.nest(text, start..end),
            13 if self.random.random_ratio(1, 4) => text.truncate(start),
            _ => self.rename(text, start),
        }
    }

    /// Where some value begins.
    fn start(&mut self, text: &[Lexeme]) -> Option<usize> {
        let tries: Vec<usize> = (0..20).map(|_| self.random.random_range(0..text.len().max(1))).collect();
        tries.into_iter().find(|at| text.get(*at).is_some_and(|lexeme| is_value(lexeme)))
    }

    /// Where the field begins that has this value; the value itself where it has no name.
    fn field(&self, text: &[Lexeme], start: usize) -> usize {
        let before = |at: usize| (0..at).rev().find(|at| !text[*at].trim().is_empty());
        let colon = before(start).filter(|at| text[*at] == ":");
        colon.and_then(before).unwrap_or(start)
    }

    fn odd(&mut self) -> Lexeme {
        match self.random.random_range(0..400) {
            0 => Cow::Owned(format!("\"{}\"", "a".repeat(20_000))),
            1..=3 => Cow::Owned(format!("\"{}\"", " the".repeat(500))),
            4..=199 => Cow::Borrowed(NUMBERS.choose(&mut self.random).expect("some")),
            _ => Cow::Borrowed(VALUES.choose(&mut self.random).expect("some")),
        }
    }

    /// Another number for a number, another text for a text; any odd value for what is neither.
    fn alike(&mut self, lexeme: &str) -> Lexeme {
        match lexeme.chars().next() {
            Some(c) if c.is_ascii_digit() || "+-.".contains(c) => {
                Cow::Borrowed(NUMBERS.choose(&mut self.random).expect("some"))
            }
            Some('"') => loop {
                let odd = self.odd();
                if odd.len() > 1 && odd.starts_with('"') && odd != "\"\\\"" {
                    return odd;
                }
            },
            _ => self.odd(),
        }
    }

    /// A value of any text of the corpus.
    fn foreign(&mut self) -> Vec<Lexeme> {
        let corpus = self.corpus;
        let text = corpus.choose(&mut self.random).expect("a corpus has texts");
        let start = self.start(text).unwrap_or(0);
        text[start..end_of_value(text, start)].to_vec()
    }

    fn swap(&mut self, text: &mut Vec<Lexeme>, one: std::ops::Range<usize>) {
        let Some(start) = self.start(text) else { return };
        let other = start..end_of_value(text, start);
        let (first, second) = if one.start < other.start { (one, other) } else { (other, one) };
        if first.end <= second.start {
            let moved: Vec<Lexeme> = text[first.clone()].to_vec();
            let taken: Vec<Lexeme> = text.splice(second, moved).collect();
            drop(text.splice(first, taken));
        }
    }

    /// The same field again and again, mostly twice.
    fn repeat(&mut self, text: &mut Vec<Lexeme>, value: std::ops::Range<usize>) {
        let times = if self.random.random_ratio(1, 12) { 300 } else { 1 };
        let field: Vec<Lexeme> = text[self.field(text, value.start)..value.end].to_vec();
        let most = 20_000 / field.len().max(1);
        let copies = (0..times.min(most.max(1))).flat_map(|_| [vec![Cow::Borrowed(", ")], field.clone()].concat());
        drop(text.splice(value.end..value.end, copies.collect::<Vec<_>>()));
    }

    fn nest(&mut self, text: &mut Vec<Lexeme>, value: std::ops::Range<usize>) {
        let (open, close) =
            *[("[", "]"), ("(", ")"), ("{\"a\":", "}"), ("Some(", ")")].choose(&mut self.random).expect("some");
        let depth = *[1, 2, 60, 200, 20_000].choose(&mut self.random).expect("some");
        text.insert(value.end, Cow::Owned(close.repeat(depth)));
        text.insert(value.start, Cow::Owned(open.repeat(depth)));
    }

    /// Another word of the corpus in a word's place.
    fn rename(&mut self, text: &mut [Lexeme], start: usize) {
        let corpus = self.corpus;
        let other = corpus.choose(&mut self.random).expect("a corpus has texts");
        if let Some(at) = self.start(other).filter(|at| !other[*at].starts_with(['(', '[', '{'])) {
            text[start] = other[at].clone();
        }
    }
}
