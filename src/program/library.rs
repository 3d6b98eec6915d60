//! The programs that can be compiled, by name: those of Tracr's authors, and gates of bits.
//!
//! Reference: Lindner et al. 2023, "Tracr: compiled transformers as a laboratory for interpretability"; gates as in Chen et
//! al. 2025, "Rethinking circuit completeness in language models: AND, OR, and ADDER gates".

use super::{Encoding, Selector, Sequence, Value};
use crate::model::parts::position::Sight;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A program by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Name {
    /// At every position the share of the first symbol among the tokens so far.
    FracPrevs,
    /// The tokens in the opposite order.
    Reverse,
    /// Different tokens in the order of the symbols.
    SortUnique,
    /// Tokens in the order of the symbols, equal ones side by side.
    Sort,
    /// How often the token at this position stands in the whole text.
    Histogram,
    /// How many tokens there are.
    Length,
    /// Whether both bits are 1.
    And,
    /// Whether one of two bits is 1, or both are.
    Or,
    /// Whether one of two bits is 1, and not both.
    Xor,
    /// The sum of three bits.
    Adder,
    /// The first bit, brought by two heads of which either is enough.
    Backup,
    /// Whether the first two bits are both 1, or of the others just one is: three gates in two layers.
    Gates,
}

/// Where a program's answer is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// At any position.
    Every,
    /// At the last position.
    Last,
}

/// What the values of a program's output are called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answers {
    /// As the symbols that they are numbers of.
    Symbols,
    /// As numbers.
    Numbers,
}

/// A program with what is to be known to ask it something.
pub struct Program {
    /// What it answers.
    pub output: Sequence,
    /// What its answers are called.
    pub answers: Answers,
    /// Which positions see which.
    pub sight: Sight,
    /// Where its answers are read.
    pub reads: Reads,
}

impl Name {
    /// Every program.
    pub const ALL: [Name; 12] = [
        Name::FracPrevs,
        Name::Reverse,
        Name::SortUnique,
        Name::Sort,
        Name::Histogram,
        Name::Length,
        Name::And,
        Name::Or,
        Name::Xor,
        Name::Adder,
        Name::Backup,
        Name::Gates,
    ];

    /// Of a gate how many bits it reads.
    pub fn bits(self) -> Option<usize> {
        match self {
            Name::And | Name::Or | Name::Xor | Name::Backup => Some(2),
            Name::Adder => Some(3),
            Name::Gates => Some(4),
            _ => None,
        }
    }

    /// Whether the program answers on this input.
    pub fn accepts(self, tokens: &[usize]) -> bool {
        let differ = || tokens.iter().enumerate().all(|(at, token)| !tokens[..at].contains(token));
        self.bits().is_none_or(|bits| bits == tokens.len()) && (self != Name::SortUnique || differ())
    }

    /// The program for texts of up to `length` tokens.
    pub fn program(self, length: usize) -> Program {
        let (output, answers) = match self {
            Name::FracPrevs => (frac_prevs(), Answers::Numbers),
            Name::Reverse => (reverse(), Answers::Symbols),
            Name::SortUnique => (sorted_by(&Sequence::tokens()), Answers::Symbols),
            Name::Sort => (sort(length), Answers::Symbols),
            Name::Histogram => (histogram(), Answers::Numbers),
            Name::Length => (self::length(), Answers::Numbers),
            gate => (gated(gate), Answers::Numbers),
        };
        let gate = self.bits().is_some();
        let sight = if gate || self == Name::FracPrevs { Sight::Causal } else { Sight::Both };
        Program { output, answers, sight, reads: if gate { Reads::Last } else { Reads::Every } }
    }
}

/// As the command line writes it: `frac_prevs`.
impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, letter) in format!("{self:?}").chars().enumerate() {
            let between = if place > 0 && letter.is_uppercase() { "_" } else { "" };
            write!(out, "{between}{}", letter.to_lowercase())?;
        }
        Ok(())
    }
}

impl FromStr for Name {
    type Err = String;

    /// From `frac_prevs` or `FracPrevs`.
    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Name::ALL.map(|name| name.to_string()).join(", ");
        let is_it = |name: &Name| name.to_string() == text || format!("{name:?}") == text;
        Name::ALL.into_iter().find(is_it).ok_or_else(|| format!("there is no such program; there are {}", known()))
    }
}

fn frac_prevs() -> Sequence {
    let (indices, first) = (Sequence::indices(), Sequence::tokens().number(|token| (token == Value::ZERO).into()));
    Selector::new(&indices, &indices, |key, query| key <= query).aggregate(&first)
}

fn length() -> Sequence {
    let tokens = Sequence::tokens();
    Selector::new(&tokens, &tokens, |_, _| true).width()
}

fn reverse() -> Sequence {
    let (tokens, indices) = (Sequence::tokens(), Sequence::indices());
    let opposite = length().zip(&indices, |length, index| {
        let opposite = length - index - Value::ONE;
        (opposite >= Value::ZERO).then_some(opposite)
    });
    Selector::new(&indices, &opposite, |key, query| key == query).always().aggregate(&tokens)
}

/// Every token goes where as many of these keys are smaller as its own.
fn sorted_by(keys: &Sequence) -> Sequence {
    let (tokens, indices) = (Sequence::tokens(), Sequence::indices());
    // counted with itself, a rank is never 0: that is what the boundary token would have
    let rank = Selector::new(keys, keys, |key, query| key <= query).width();
    Selector::new(&rank, &indices, |rank, index| rank == index + Value::ONE).always().aggregate(&tokens)
}

/// Equal tokens keep their order, so that no two have one key.
fn sort(length: usize) -> Sequence {
    let different =
        Sequence::tokens().zip(&Sequence::indices(), move |token, index| Some(token * Value::from(length) + index));
    sorted_by(&different)
}

fn histogram() -> Sequence {
    let tokens = Sequence::tokens();
    Selector::new(&tokens, &tokens, |key, query| key == query).width()
}

/// The bit at a position, brought to every later one by a head of its own.
fn bit(position: usize) -> Sequence {
    let (tokens, indices) = (Sequence::tokens(), Sequence::indices());
    let at = Selector::new(&indices, &indices, move |key, _| key == Value::from(position)).always();
    let bit = at.aggregate(&tokens.number(|token| token));
    debug_assert_eq!(bit.encoding, Encoding::Numerical);
    bit
}

fn and(bits: [Sequence; 2]) -> Sequence {
    Sequence::of_sum(&bits, |sum| (sum == Value::from(2)).into())
}

fn or(bits: [Sequence; 2]) -> Sequence {
    Sequence::of_sum(&bits, |sum| (sum > Value::ZERO).into())
}

fn xor(bits: [Sequence; 2]) -> Sequence {
    Sequence::of_sum(&bits, |sum| (sum == Value::ONE).into())
}

fn gated(gate: Name) -> Sequence {
    match gate {
        Name::And => and([bit(0), bit(1)]),
        Name::Or => or([bit(0), bit(1)]),
        Name::Xor => xor([bit(0), bit(1)]),
        Name::Adder => Sequence::of_sum(&[bit(0), bit(1), bit(2)], |sum| sum),
        Name::Backup => or([bit(0), bit(0)]),
        _ => or([and([bit(0), bit(1)]), xor([bit(2), bit(3)])]),
    }
}
