//! Texts as what is run and read of them, for models that see one way and for those that see both.

use crate::plan::Known;
use crate::score::Request;
use crate::spec::Experiment;
use crate::text::{SpecialTokens, Text};

/// Tokens that stand between texts, in models whose tokenizer puts none before a text.
const BOUNDARIES: [&str; 5] = ["<|endoftext|>", "<|begin_of_text|>", "<s>", "<bos>", "</s>"];

/// What tokenizers call the token that stands for a hidden one.
const MASKS: [&str; 2] = ["[MASK]", "<mask>"];

/// A text as requests; none where it cannot be scored.
pub(super) type Written = Result<Option<Vec<Request>>, String>;

/// Turns texts into requests.
pub(super) struct Writer {
    text: Text,
    special: SpecialTokens,
    /// Put before a text where the tokenizer puts nothing.
    boundary: Option<u32>,
    /// Of a model that sees both ways: what it is called, and its number.
    pub(super) mask: Option<(&'static str, u32)>,
    pub(super) context: usize,
}

/// The tokens of a text and where its own stand among those that were put around it.
pub(super) struct Own {
    pub(super) ids: Vec<u32>,
    pub(super) own: std::ops::Range<usize>,
}

impl Writer {
    pub(super) fn new(experiment: &Experiment, known: &Known) -> Result<Self, String> {
        let text = known.loaded.text.clone();
        let text = text.ok_or("reads texts, but the model's folder has no tokenizer.json")?;
        let mask = MASKS.into_iter().find_map(|name| Some((name, text.id(name)?)));
        let causal = known.model.is_causal();
        if !causal && mask.is_none() {
            return Err("a model that sees both ways is asked at its mask token, and its tokenizer has none".into());
        }
        let special = experiment.special_tokens;
        let added = |special| text.encode("a", special).map_err(|error| error.to_string()).map(|ids| ids.len());
        let adds = added(special)? > added(SpecialTokens::Never)?;
        let wanted = causal && !adds && special == SpecialTokens::AsTokenizer;
        let boundary = wanted.then(|| BOUNDARIES.into_iter().find_map(|name| text.id(name))).flatten();
        let (mask, context) = (mask.filter(|_| !causal), known.dims().context);
        Ok(Writer { text, special, boundary, mask, context })
    }

    /// How texts are scored, for the facts of a table.
    pub(super) fn manner(&self) -> String {
        match (self.mask, self.boundary) {
            (Some((name, _)), _) => format!("pseudo-log-likelihood: every token by itself behind {name}"),
            (None, Some(_)) => format!("log-likelihood, nats; {}, as lm-evaluation-harness does", self.begins()),
            (None, None) => {
                format!("log-likelihood, nats; {}; a first token with none before it is not scored", self.begins())
            }
        }
    }

    /// What stands before a text.
    pub(super) fn begins(&self) -> String {
        match self.boundary {
            Some(token) => format!("{} is put before a text", self.text.label(token)),
            None => "a text begins as the tokenizer begins it".into(),
        }
    }

    /// The number of a token.
    pub(super) fn id(&self, token: &str) -> Option<u32> {
        self.text.id(token)
    }

    /// The tokens of a text that some words in it are; none where these begin or end within a token.
    pub(super) fn span(&self, text: &str, words: &str) -> Option<std::ops::Range<usize>> {
        let before = usize::from(self.boundary.is_some());
        let span = self.text.span(text, words, self.special).ok()?;
        Some(span.start + before..span.end + before)
    }

    pub(super) fn tokens(&self, text: &str) -> Result<Own, String> {
        let encode = |special| self.text.encode(text, special).map_err(|error| error.to_string());
        let (plain, around) = (encode(SpecialTokens::Never)?, encode(self.special)?);
        let ids: Vec<u32> = self.boundary.into_iter().chain(around).collect();
        let first = (0..=ids.len() - plain.len()).find(|at| ids[*at..].starts_with(&plain)).unwrap_or(0);
        Ok(Own { own: first..first + plain.len(), ids })
    }

    /// Every token of a text.
    pub(super) fn whole(&self, text: &str) -> Written {
        let Own { ids, own } = self.tokens(text)?;
        Ok(self.requests(&ids, own))
    }

    /// The tokens that `answer` adds behind `before`.
    pub(super) fn continuation(&self, before: &str, answer: &str) -> Written {
        let own = self.tokens(before)?;
        let added = self.text.continuation(before, answer).map_err(|error| error.to_string())?;
        let (head, tail) = own.ids.split_at(own.own.end);
        let ids = [head, &added, if self.mask.is_some() { tail } else { &[] }].concat();
        let end = head.len() + added.len();
        Ok(self.requests(&ids, head.len()..end))
    }

    /// The requests that score the tokens at `places`.
    fn requests(&self, ids: &[u32], places: std::ops::Range<usize>) -> Option<Vec<Request>> {
        match self.mask {
            Some(_) => self.masked(ids, places),
            None => self.fitting(vec![Request::causal(&ids[..places.end], places.start.max(1))]),
        }
    }

    /// A request for each of these positions, with that token masked.
    pub(super) fn masked(&self, ids: &[u32], places: impl IntoIterator<Item = usize>) -> Option<Vec<Request>> {
        let (_, mask) = self.mask?;
        self.fitting(places.into_iter().map(|at| Request::masked(ids, at, mask)).collect())
    }

    /// The requests, where the model has the positions for them and something is read.
    pub(super) fn fitting(&self, requests: Vec<Request>) -> Option<Vec<Request>> {
        let fits = |request: &Request| request.ids.len() <= self.context && !request.reads.is_empty();
        (!requests.is_empty() && requests.iter().all(fits)).then_some(requests)
    }

    /// The tokens of a word by itself, and the beginnings of the word that the first of them are.
    pub(super) fn pieces(&self, word: &str) -> Result<Vec<(u32, String)>, String> {
        let ids = self.text.encode(word, SpecialTokens::Never).map_err(|error| error.to_string())?;
        Ok((0..ids.len()).map(|at| (ids[at], self.text.decode(&ids[..at]))).collect())
    }
}
