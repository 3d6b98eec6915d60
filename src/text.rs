//! Text and tokens: batches of token ids with their padding, and the tokenizer that a model comes with.

mod charsmap;
mod merges;
mod span;
mod template;

use std::path::Path;
use tokenizers::{Encoding, Tokenizer};

/// On which side shorter rows are filled up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub enum Padding {
    /// Before the tokens.
    Left,
    /// After the tokens.
    #[default]
    Right,
}

/// Token ids `[batch][pos]`, with padding marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    ids: Vec<Vec<u32>>,
    real: Vec<Vec<bool>>,
}

impl Tokens {
    /// Rows of any lengths, filled up with `filler` on one side. There must be a row, and no row may be empty.
    pub fn padded(rows: Vec<Vec<u32>>, side: Padding, filler: u32) -> Self {
        let width = rows.iter().map(Vec::len).max().expect("a batch has a row");
        let fill = |row: Vec<u32>| {
            let real = vec![true; row.len()];
            (pad(row, width, filler, side), pad(real, width, false, side))
        };
        let (ids, real) = rows.into_iter().map(fill).unzip();
        Tokens { ids, real }
    }

    /// Rows of one length.
    pub fn new(rows: Vec<Vec<u32>>) -> Self {
        Tokens::padded(rows, Padding::Right, 0)
    }

    /// Rows in the batch.
    pub fn rows(&self) -> usize {
        self.ids.len()
    }

    /// Positions, padding included.
    pub fn width(&self) -> usize {
        self.ids[0].len()
    }

    /// The ids of a row, padding included.
    pub fn row(&self, row: usize) -> &[u32] {
        &self.ids[row]
    }

    /// Whether this position holds a token and not padding.
    pub fn is_real(&self, row: usize, position: usize) -> bool {
        self.real[row][position]
    }

    /// Whether any row has padding.
    pub fn is_padded(&self) -> bool {
        self.real.iter().flatten().any(|real| !real)
    }

    /// The last position of a row that is not padding.
    pub fn last(&self, row: usize) -> usize {
        self.real[row].iter().rposition(|real| *real).unwrap_or(0)
    }

    /// Ids from position `first` on.
    pub fn ids(&self, first: usize) -> Vec<Vec<usize>> {
        self.ids.iter().map(|row| row[first..].iter().map(|id| *id as usize).collect()).collect()
    }

    /// What number each position has within its own row, padding not counted, from position `first` on.
    pub fn positions(&self, first: usize) -> Vec<Vec<usize>> {
        self.real.iter().map(|row| numbered(row)[first..].to_vec()).collect()
    }

    /// Some of the rows.
    pub fn rows_at(&self, rows: &[usize]) -> Self {
        let pick = |row: &usize| (self.ids[*row].clone(), self.real[*row].clone());
        let (ids, real) = rows.iter().map(pick).unzip();
        Tokens { ids, real }
    }

    /// One more token a row.
    pub fn push(&mut self, next: &[u32]) {
        for (row, id) in next.iter().enumerate() {
            self.ids[row].push(*id);
            self.real[row].push(true);
        }
    }
}

fn pad<T: Clone>(row: Vec<T>, width: usize, filler: T, side: Padding) -> Vec<T> {
    let fill = vec![filler; width - row.len()];
    match side {
        Padding::Left => [fill, row].concat(),
        Padding::Right => [row, fill].concat(),
    }
}

fn numbered(real: &[bool]) -> Vec<usize> {
    let mut seen = 0usize;
    let number = |real: &bool| {
        seen += usize::from(*real);
        seen.saturating_sub(1)
    };
    real.iter().map(number).collect()
}

/// What goes wrong between text and tokens.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The tokenizer's file cannot be used.
    #[error("{path}: not a tokenizer: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the library says.
        why: String,
    },
    /// A text cannot be encoded.
    #[error("{text:?} cannot be made into tokens: {why}")]
    Unencodable {
        /// The text.
        text: String,
        /// What the library says.
        why: String,
    },
    /// Words that are asked for are not in the prompt.
    #[error("{words:?} does not stand in {prompt:?}")]
    Absent {
        /// The words.
        words: String,
        /// The prompt.
        prompt: String,
    },
    /// They begin or end within a token.
    #[error("{words:?} begins or ends within a token of {prompt:?} ({tokens}); write other words, or positions")]
    Misaligned {
        /// The words.
        words: String,
        /// The prompt.
        prompt: String,
        /// Its tokens.
        tokens: String,
    },
}

/// Which special tokens (beginning of sequence, `[CLS]` …) stand around a prompt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub enum SpecialTokens {
    /// Those that the tokenizer's own post-processor adds: what `transformers` does by default.
    #[default]
    AsTokenizer,
    /// None.
    Never,
}

/// A tokenizer.
#[derive(Clone)]
pub struct Text {
    tokenizer: Tokenizer,
}

/// What the library takes on trust and panics over: the decoder, which must be some JSON, the tables of the normalizer, the
/// templates of the post-processor, and what the merges of the model are made of.
#[derive(serde::Deserialize)]
struct Trusted {
    #[serde(default, rename = "decoder")]
    _decoder: serde_json::Value,
    #[serde(default)]
    normalizer: serde_json::Value,
    #[serde(default)]
    post_processor: serde_json::Value,
    #[serde(default)]
    model: merges::Prefix,
}

impl Text {
    /// From a `tokenizer.json`.
    pub fn read(path: &Path) -> Result<Self, TextError> {
        let unreadable = |why: String| TextError::Unreadable { path: path.display().to_string(), why };
        let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        Text::from_bytes(&bytes).map_err(unreadable)
    }

    /// From the bytes of a `tokenizer.json`; the error is the library's own sentence.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let trusted = serde_json::from_slice::<Trusted>(bytes).map_err(|error| error.to_string())?;
        charsmap::check(&trusted.normalizer)?;
        template::check(&trusted.post_processor)?;
        if trusted.model.has_prefix() {
            merges::check(bytes)?;
        }
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| error.to_string())?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
        Ok(Text { tokenizer })
    }

    /// The number of tokens, added ones included.
    pub fn vocabulary(&self) -> usize {
        let ids = self.tokenizer.get_vocab(true);
        ids.values().max().map_or(0, |id| *id as usize + 1)
    }

    /// The tokens of a text.
    pub fn encode(&self, text: &str, special: SpecialTokens) -> Result<Vec<u32>, TextError> {
        Ok(self.encoding(text, special)?.get_ids().to_vec())
    }

    /// The special tokens before a text, its own, and those behind it; where it is empty all stand before it.
    pub fn parted(&self, text: &str, special: SpecialTokens) -> Result<[Vec<u32>; 3], TextError> {
        let encoding = self.encoding(text, special)?;
        let (ids, added) = (encoding.get_ids(), encoding.get_special_tokens_mask());
        let first = added.iter().take_while(|added| **added == 1).count();
        let behind = added[first..].iter().rev().take_while(|added| **added == 1).count();
        let last = ids.len() - behind;
        Ok([&ids[..first], &ids[first..last], &ids[last..]].map(<[u32]>::to_vec))
    }

    fn encoding(&self, text: &str, special: SpecialTokens) -> Result<Encoding, TextError> {
        let add = special == SpecialTokens::AsTokenizer;
        let unencodable = |error: tokenizers::Error| {
            let unknown = self.unknown(text, &error.to_string());
            TextError::Unencodable { text: text.into(), why: unknown.unwrap_or_else(|| error.to_string()) }
        };
        self.tokenizer.encode(text, add).map_err(unencodable)
    }

    /// The words that a tokenizer of whole words without a token for others does not know, where that is what it complains of.
    fn unknown(&self, text: &str, why: &str) -> Option<String> {
        let unknown = |word: &&str| self.tokenizer.token_to_id(word).is_none();
        let words: Vec<&str> = text.split_whitespace().filter(unknown).collect();
        let known = format!("this tokenizer knows {} whole words and nothing else", self.vocabulary());
        (why.contains("[UNK]") && !words.is_empty()).then(|| format!("it does not know {}; {known}", words.join(", ")))
    }

    /// The tokens that `answer` adds when it is written right after `prompt`.
    ///
    /// Encoding the two together keeps what a tokenizer does at the start of a text out of the answer.
    pub fn continuation(&self, prompt: &str, answer: &str) -> Result<Vec<u32>, TextError> {
        let before = self.encode(prompt, SpecialTokens::Never)?;
        let joined = self.encode(&format!("{prompt}{answer}"), SpecialTokens::Never)?;
        match joined.strip_prefix(before.as_slice()) {
            Some(rest) if !rest.is_empty() => Ok(rest.to_vec()),
            _ => self.encode(answer, SpecialTokens::Never),
        }
    }

    /// The id of a token spelt exactly so.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_to_id(token)
    }

    /// A token as it is written on an axis: spaces as `␣`.
    pub fn label(&self, id: u32) -> String {
        let Some(token) = self.tokenizer.id_to_token(id) else { return format!("#{id}") };
        if token.contains('Ġ') || token.contains('▁') || !token.is_ascii() {
            let decoded = self.tokenizer.decode(&[id], false).unwrap_or_default();
            let marked = token.starts_with('▁') || token.starts_with('Ġ');
            let text = decoded.trim_start_matches(' ');
            let text = if marked { format!("␣{text}") } else { decoded.clone() };
            return text.replace('\n', "⏎").replace(' ', "␣");
        }
        token.replace('\n', "⏎").replace(' ', "␣")
    }

    /// Tokens back to text.
    pub fn decode(&self, ids: &[u32]) -> String {
        self.tokenizer.decode(ids, true).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_not_numbered() {
        let left = Tokens::padded(vec![vec![1, 2, 3], vec![4]], Padding::Left, 9);
        assert_eq!(left.positions(0), vec![vec![0, 1, 2], vec![0, 0, 0]]);
        assert_eq!((left.row(1), left.last(1)), (&[9, 9, 4][..], 2));
        let right = Tokens::padded(vec![vec![1, 2, 3], vec![4]], Padding::Right, 9);
        assert_eq!((right.row(1), right.last(1), right.is_real(1, 1)), (&[4, 9, 9][..], 0, false));
    }
}
