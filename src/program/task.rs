//! A program with its sizes: what its tokens are called, which inputs there are, and what it says to them.

use super::{Answers, Name, Program, Reads, Value, evaluate};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The token before every input: what heads look at that find nothing, and what widths are counted against.
pub const BOUNDARY: &str = "<bos>";

/// The letters that symbols are called by.
const MOST_SYMBOLS: usize = 26;
/// Beyond it shares of tokens lie so near each other that logits in f32 no longer tell them apart surely.
const MOST_TOKENS: usize = 16;
/// What a program has that nobody gave sizes.
const SYMBOLS: usize = 4;
const TOKENS: usize = 5;
/// Draws in a row that give no new question: then there are hardly any left.
const DRAWS: usize = 2000;
/// More programs than this in one model are a slip of the pen.
const MOST_BESIDE: usize = 16;

/// A program with its sizes, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Which program.
    pub program: Name,
    /// How many symbols texts are made of; without it 4. Gates read bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbols: Option<usize>,
    /// The most tokens of a text; without it 5. Gates read as many as they have inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// Programs that are computed in the same model, and that nobody reads the answer of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Name>,
}

/// A program whose sizes make sense.
pub struct Setting {
    /// Its name.
    pub name: Name,
    /// How many symbols there are.
    pub symbols: usize,
    /// The most tokens of a text.
    pub length: usize,
    /// The program.
    pub program: Program,
    /// What else is computed in the same model.
    pub beside: Vec<Program>,
}

/// Two inputs that a program answers differently at some position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// An input, as numbers of symbols.
    pub clean: Vec<usize>,
    /// Another of the same length.
    pub corrupt: Vec<usize>,
    /// The position, counted from 0 without the boundary token.
    pub at: usize,
    /// The answer there to the first.
    pub right: Value,
    /// The answer there to the second.
    pub wrong: Value,
}

/// Everything that is wrong with a task: the field and what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(|(field, what)| format!("{field}: {what}")).collect::<Vec<_>>().join("\n"))]
pub struct TaskError(pub Vec<(&'static str, String)>);

/// `reverse, 4 symbols, up to 5 tokens, beside sort`.
impl fmt::Display for Task {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (symbols, length) = self.sizes();
        write!(out, "{}, {symbols} symbols, up to {length} tokens", self.program)?;
        let beside: Vec<String> = self.beside.iter().map(Name::to_string).collect();
        if beside.is_empty() { Ok(()) } else { write!(out, ", beside {}", beside.join(", ")) }
    }
}

impl Task {
    /// Symbols and tokens, as they are written or as they are where nobody writes them.
    fn sizes(&self) -> (usize, usize) {
        match self.program.bits() {
            Some(bits) => (self.symbols.unwrap_or(2), self.length.unwrap_or(bits)),
            None => (self.symbols.unwrap_or(SYMBOLS), self.length.unwrap_or(self.tokens())),
        }
    }

    /// The program in sizes that make sense, or everything that is wrong with them.
    pub fn setting(&self) -> Result<Setting, TaskError> {
        let (symbols, length) = self.sizes();
        let problems = self.problems(symbols, length);
        if !problems.is_empty() {
            return Err(TaskError(problems));
        }
        let beside = self.beside.iter().map(|name| name.program(length)).collect();
        Ok(Setting { name: self.program, symbols, length, program: self.program.program(length), beside })
    }

    /// The length where none is written: texts of all symbols, each once, would all be sorted alike.
    fn tokens(&self) -> usize {
        match self.program {
            Name::SortUnique => TOKENS.min(self.symbols.unwrap_or(SYMBOLS).saturating_sub(1)),
            _ => TOKENS,
        }
    }

    fn problems(&self, symbols: usize, length: usize) -> Vec<(&'static str, String)> {
        let (mut problems, name) = (Vec::new(), self.program);
        if self.beside.len() > MOST_BESIDE {
            problems.push(("beside", format!("{} programs; {MOST_BESIDE} are the most", self.beside.len())));
        }
        if let Some(bits) = name.bits() {
            if symbols != 2 {
                problems.push(("symbols", format!("{symbols}; {name:?} reads bits, so leave it out")));
            }
            if length != bits {
                problems.push(("length", format!("{length}; {name:?} reads {bits} bits, so leave it out")));
            }
            return problems;
        }
        if !(2..=MOST_SYMBOLS).contains(&symbols) {
            problems.push(("symbols", format!("{symbols} is not between 2 and {MOST_SYMBOLS}, the letters")));
        }
        if !(2..=MOST_TOKENS).contains(&length) {
            let why = "longer texts have shares and counts too near each other for f32";
            problems.push(("length", format!("{length} is not between 2 and {MOST_TOKENS}; {why}")));
        } else if name == Name::SortUnique && length > symbols {
            let what =
                format!("{length} different tokens cannot be made of {symbols} symbols; give more, or take Sort");
            problems.push(("length", what));
        }
        problems
    }
}

impl Setting {
    /// What the symbols are called: bits are 0 and 1, others are letters.
    pub fn names(&self) -> Vec<String> {
        let name = |number: usize| match self.name.bits() {
            Some(_) => number.to_string(),
            None => char::from(b'a' + number as u8).to_string(),
        };
        (0..self.symbols).map(name).collect()
    }

    /// What an answer is called.
    pub fn answer(&self, value: Value) -> String {
        let symbol = value.index().filter(|_| self.program.answers == Answers::Symbols);
        symbol.and_then(|index| self.names().get(index).cloned()).unwrap_or_else(|| value.to_string())
    }

    /// A text of these symbols.
    pub fn text(&self, tokens: &[usize]) -> String {
        let names = self.names();
        tokens.iter().map(|token| names[*token].as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The program's answers to an input, where it is asked for them: position and answer.
    pub fn answers(&self, tokens: &[usize]) -> Vec<(usize, Value)> {
        let values = evaluate(&self.program.output, tokens, self.program.sight);
        let read = |at: &usize| self.program.reads == Reads::Every || *at + 1 == tokens.len();
        (0..tokens.len()).filter(read).filter_map(|at| Some((at, values[at]?))).collect()
    }

    /// Every input of these lengths that the program answers.
    pub fn inputs(&self, lengths: std::ops::RangeInclusive<usize>) -> Vec<Vec<usize>> {
        let longer = |texts: &Vec<Vec<usize>>| {
            let with = |text: &Vec<usize>| {
                let text = text.clone();
                (0..self.symbols).map(move |symbol| [text.as_slice(), &[symbol]].concat())
            };
            texts.iter().flat_map(with).collect()
        };
        let by_length = std::iter::successors(Some(vec![Vec::new()]), |texts| Some(longer(texts)));
        let wanted = by_length.take(lengths.end() + 1).skip(*lengths.start()).flatten();
        wanted.filter(|text| self.name.accepts(text)).collect()
    }

    /// At most so many questions on texts of `shortest` to all tokens, no two the same, drawn by the seed; fewer where
    /// there are no more.
    pub fn questions(&self, items: usize, shortest: usize, seed: u64) -> Vec<Question> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut known, mut questions, mut idle) = (BTreeSet::new(), Vec::new(), 0);
        while questions.len() < items && idle < DRAWS {
            idle += 1;
            let length = random.random_range(shortest.clamp(1, self.length)..=self.length);
            let inputs = [self.draw(length, &mut random), self.draw(length, &mut random)];
            if let Some(question) = self.question(inputs, &mut random)
                && known.insert(question.clone())
            {
                questions.push(question);
                idle = 0;
            }
        }
        questions
    }

    /// A random input of this length.
    fn draw(&self, length: usize, random: &mut ChaCha8Rng) -> Vec<usize> {
        if self.name == Name::SortUnique {
            let mut symbols: Vec<usize> = (0..self.symbols).collect();
            symbols.shuffle(random);
            symbols.truncate(length);
            return symbols;
        }
        (0..length).map(|_| random.random_range(0..self.symbols)).collect()
    }

    /// A question at one of the positions where two inputs have different answers.
    fn question(&self, [clean, corrupt]: [Vec<usize>; 2], random: &mut ChaCha8Rng) -> Option<Question> {
        let (right, wrong) = (self.answers(&clean), self.answers(&corrupt));
        let both = right.iter().zip(&wrong).filter(|(right, wrong)| right.0 == wrong.0 && right.1 != wrong.1);
        let differ: Vec<_> = both.collect();
        let ((at, right), (_, wrong)) = differ.get(random.random_range(0..differ.len().max(1)))?;
        Some(Question { clean, corrupt, at: *at, right: *right, wrong: *wrong })
    }
}
