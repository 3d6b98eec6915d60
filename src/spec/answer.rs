//! Answers: one, or several of which any counts.

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// An answer: text that stands after the prompt, or tokens, or a set of which any counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `" she"`.
    Text(String),
    /// `358`.
    Token(u32),
    /// `[358, 12]`: one token after the other.
    Tokens(Vec<u32>),
    /// A set of answers of one token each.
    Set(AnswerSet),
}

/// Answers of one token each, of which any counts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerSet {
    /// `(any_of: [" he", " his", " him"])`.
    AnyOf(Vec<Word>),
    /// `(two_digits_above: "41")`: 42 to 99, each as two digits.
    TwoDigitsAbove(String),
    /// `(two_digits_up_to: "41")`: 00 to 41, each as two digits.
    TwoDigitsUpTo(String),
}

/// One of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a text in quotes or a token id")]
pub enum Word {
    /// `" he"`.
    Text(String),
    /// `358`.
    Token(u32),
}

impl Answer {
    /// The same answer with every text of it replaced: by what a slot or a column holds.
    pub fn map<E>(&self, text: impl Fn(&str) -> Result<String, E>) -> Result<Answer, E> {
        let word = |word: &Word| match word {
            Word::Text(own) => Ok(Word::Text(text(own)?)),
            Word::Token(token) => Ok(Word::Token(*token)),
        };
        Ok(match self {
            Answer::Text(own) => Answer::Text(text(own)?),
            Answer::Token(_) | Answer::Tokens(_) => self.clone(),
            Answer::Set(AnswerSet::AnyOf(words)) => {
                Answer::Set(AnswerSet::AnyOf(words.iter().map(word).collect::<Result<_, _>>()?))
            }
            Answer::Set(AnswerSet::TwoDigitsAbove(own)) => Answer::Set(AnswerSet::TwoDigitsAbove(text(own)?)),
            Answer::Set(AnswerSet::TwoDigitsUpTo(own)) => Answer::Set(AnswerSet::TwoDigitsUpTo(text(own)?)),
        })
    }

    /// Every text of it.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Answer::Text(own) => vec![own],
            Answer::Token(_) | Answer::Tokens(_) => Vec::new(),
            Answer::Set(AnswerSet::TwoDigitsAbove(own) | AnswerSet::TwoDigitsUpTo(own)) => vec![own],
            Answer::Set(AnswerSet::AnyOf(words)) => words.iter().filter_map(Word::text).collect(),
        }
    }
}

impl Word {
    fn text(&self) -> Option<&str> {
        match self {
            Word::Text(text) => Some(text),
            Word::Token(_) => None,
        }
    }
}

impl From<&str> for Answer {
    fn from(text: &str) -> Self {
        Answer::Text(text.to_string())
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Answer::Text(text) => text.serialize(serializer),
            Answer::Token(token) => token.serialize(serializer),
            Answer::Tokens(tokens) => tokens.serialize(serializer),
            Answer::Set(set) => set.serialize(serializer),
        }
    }
}

/// As a struct with one field, which RON and JSON write alike.
impl Serialize for AnswerSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut set = serializer.serialize_struct("AnswerSet", 1)?;
        match self {
            AnswerSet::AnyOf(words) => set.serialize_field("any_of", words)?,
            AnswerSet::TwoDigitsAbove(digits) => set.serialize_field("two_digits_above", digits)?,
            AnswerSet::TwoDigitsUpTo(digits) => set.serialize_field("two_digits_up_to", digits)?,
        }
        set.end()
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either)
    }
}

/// Takes whatever form an answer is written in.
struct Either;

impl<'de> Visitor<'de> for Either {
    type Value = Answer;
    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a text in quotes, a token id, a list of token ids, or a set as in (any_of: [\" he\", \" his\"])")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Answer, E> {
        Ok(Answer::Text(text.to_string()))
    }
    fn visit_u64<E: de::Error>(self, token: u64) -> Result<Answer, E> {
        u32::try_from(token).map(Answer::Token).map_err(|_| E::custom("a token id is below 2³²"))
    }
    fn visit_i64<E: de::Error>(self, token: i64) -> Result<Answer, E> {
        u32::try_from(token).map(Answer::Token).map_err(|_| E::custom("a token id is between 0 and 2³²"))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Answer, A::Error> {
        let mut tokens = Vec::new();
        while let Some(token) = list.next_element()? {
            tokens.push(token);
        }
        Ok(Answer::Tokens(tokens))
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Answer, A::Error> {
        AnswerSet::deserialize(MapAccessDeserializer::new(map)).map(Answer::Set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ron(text: &str) -> Answer {
        crate::spec::options().from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_set_is_written_alike_in_ron_and_json() {
        let words = vec![Word::Text(" he".into()), Word::Token(5)];
        let set = Answer::Set(AnswerSet::AnyOf(words));
        assert_eq!(ron("(any_of: [\" he\", 5])"), set);
        assert_eq!(serde_json::from_str::<Answer>("{\"any_of\": [\" he\", 5]}").unwrap(), set);
        for wrong in
            ["(any: [5])", "(any_of: 5)", "(any_of: [[5]])", "(any_of: [5], above: 3)", "()", "(two_digits_above: 5)"]
        {
            assert!(crate::spec::options().from_str::<Answer>(wrong).is_err(), "{wrong}");
        }
        for answer in [set, ron("(two_digits_above: \"41\")"), ron("(two_digits_up_to: \"07\")"), ron("[3, 4]")] {
            assert_eq!(ron(&crate::spec::options().to_string(&answer).unwrap()), answer);
            assert_eq!(serde_json::from_str::<Answer>(&serde_json::to_string(&answer).unwrap()).unwrap(), answer);
        }
    }
}
