//! Prompts: text, or tokens as they are.

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A prompt: text for the tokenizer, or tokens taken as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// `"Once upon a time"`.
    Text(String),
    /// `[5, 9]`.
    Tokens(Vec<u32>),
}

impl Serialize for Prompt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Prompt::Text(text) => text.serialize(serializer),
            Prompt::Tokens(tokens) => tokens.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Prompt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Prompt;
            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                out.write_str("a text in quotes or a list of token ids")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Prompt, E> {
                Ok(Prompt::Text(text.to_string()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Prompt, A::Error> {
                let mut tokens = Vec::new();
                while let Some(token) = list.next_element()? {
                    tokens.push(token);
                }
                Ok(Prompt::Tokens(tokens))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
