//! Prompts and answers as tokens.

use super::Problems;
use crate::data::{self, Prompts};
use crate::model::load::Loaded;
use crate::spec::{Answer, Control, Experiment, Pair, Prompt};
use crate::text::Text;
use indexmap::IndexMap;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// One item of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Tokens of the clean prompt.
    pub clean: Vec<u32>,
    /// Tokens of the corrupted prompt, equally many; those of the clean one where there is none.
    pub corrupt: Vec<u32>,
    /// The answers, where the data has them.
    pub answers: Option<Answers>,
    /// Labels of the item.
    pub labels: IndexMap<String, String>,
}

/// The answers of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    /// The token that is right after the clean prompt.
    pub right: u32,
    /// The token that is right after the corrupted prompt.
    pub wrong: u32,
    /// The position they are read at.
    pub at: usize,
}

/// Every item of the data, or problems.
pub fn resolve(experiment: &Experiment, loaded: &Loaded, problems: &mut Problems) -> Vec<Item> {
    let prompts = match data::read(&experiment.data, experiment.seed) {
        Ok(prompts) => prompts,
        Err(error) => {
            problems.add("data", error.to_string());
            return Vec::new();
        }
    };
    let mut reader = Reader { experiment, loaded, problems };
    let mut items: Vec<Item> = match prompts {
        Prompts::Pairs(pairs) => {
            pairs.iter().enumerate().filter_map(|(index, pair)| reader.pair(index, pair)).collect()
        }
        Prompts::Alone(prompts) => {
            prompts.iter().enumerate().filter_map(|(index, prompt)| reader.alone(index, prompt)).collect()
        }
    };
    if items.is_empty() && problems.is_empty() {
        problems.add("data", "there is no item in it");
    }
    if experiment.control == Control::ShuffledAnswers {
        shuffle(&mut items, experiment.seed);
    }
    items
}

/// Exchanges the answers of a random half of the items.
fn shuffle(items: &mut [Item], seed: u64) {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    for index in &order[..items.len() / 2] {
        if let Some(answers) = &mut items[*index].answers {
            std::mem::swap(&mut answers.right, &mut answers.wrong);
        }
    }
}

struct Reader<'a> {
    experiment: &'a Experiment,
    loaded: &'a Loaded,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn alone(&mut self, index: usize, prompt: &Prompt) -> Option<Item> {
        let clean = self.prompt(&format!("data[{index}]"), prompt)?;
        Some(Item { corrupt: clean.clone(), clean, answers: None, labels: IndexMap::new() })
    }

    fn pair(&mut self, index: usize, pair: &Pair) -> Option<Item> {
        let at = format!("data[{index}]");
        let clean = self.prompt(&format!("{at}.clean"), &pair.clean);
        let corrupt = self.prompt(&format!("{at}.corrupt"), &pair.corrupt);
        let right = self.answer(&format!("{at}.right"), &pair.clean, &pair.right);
        let wrong = self.answer(&format!("{at}.wrong"), &pair.corrupt, &pair.wrong);
        let (clean, corrupt, right, wrong) = (clean?, corrupt?, right?, wrong?);
        if clean.len() != corrupt.len() {
            self.problems.add(&at, self.lengths(&clean, &corrupt));
            return None;
        }
        let read = self.read_at(&at, pair, &clean)?;
        Some(Item { clean, corrupt, answers: Some(Answers { right, wrong, at: read }), labels: pair.labels.clone() })
    }

    fn lengths(&self, clean: &[u32], corrupt: &[u32]) -> String {
        let shown = |tokens: &[u32]| match &self.loaded.text {
            Some(text) => tokens.iter().map(|id| text.label(*id)).collect::<Vec<_>>().join(" "),
            None => format!("{tokens:?}"),
        };
        format!(
            "the clean prompt has {} tokens and the corrupted one {}, but a patch needs the same positions in both; choose words of equally many tokens\n    clean:   {}\n    corrupt: {}",
            clean.len(),
            corrupt.len(),
            shown(clean),
            shown(corrupt)
        )
    }

    fn text(&mut self, at: &str) -> Option<&Text> {
        if self.loaded.text.is_none() {
            self.problems
                .add(at, "is text, but the model's folder has no tokenizer.json; write tokens, for instance [5, 9]");
        }
        self.loaded.text.as_ref()
    }

    fn prompt(&mut self, at: &str, prompt: &Prompt) -> Option<Vec<u32>> {
        let special = self.experiment.special_tokens;
        let tokens = match prompt {
            Prompt::Tokens(tokens) => tokens.clone(),
            Prompt::Text(text) => match self.text(at)?.encode(text, special) {
                Ok(tokens) => tokens,
                Err(error) => {
                    self.problems.add(at, error.to_string());
                    return None;
                }
            },
        };
        self.check(at, &tokens).then_some(tokens)
    }

    fn check(&mut self, at: &str, tokens: &[u32]) -> bool {
        let dims = self.loaded.model.dims();
        let (count, context, vocabulary) = (tokens.len(), dims.context, dims.vocabulary);
        if count == 0 {
            self.problems.add(at, "has no token");
        }
        if count > context {
            self.problems.add(at, format!("has {count} tokens; the model has {context} positions"));
        }
        let unknown = tokens.iter().find(|token| **token as usize >= vocabulary);
        if let Some(token) = unknown {
            self.problems.add(at, format!("token {token} does not exist; the vocabulary has 0 to {}", vocabulary - 1));
        }
        count > 0 && count <= context && unknown.is_none()
    }

    fn answer(&mut self, at: &str, prompt: &Prompt, answer: &Answer) -> Option<u32> {
        let tokens = match (answer, prompt) {
            (Answer::Token(token), _) => vec![*token],
            (Answer::Text(answer), prompt) => {
                let causal = self.loaded.model.is_causal();
                let text = self.text(at)?;
                let found = match prompt {
                    Prompt::Text(prompt) if causal => text.continuation(prompt, answer),
                    _ => text.encode(answer, crate::text::SpecialTokens::Never),
                };
                match found {
                    Ok(tokens) => tokens,
                    Err(error) => {
                        self.problems.add(at, error.to_string());
                        return None;
                    }
                }
            }
        };
        match (tokens.as_slice(), answer) {
            ([token], _) => self.check(at, &tokens).then_some(*token),
            (several, Answer::Text(answer)) => {
                let labels: Vec<String> = several
                    .iter()
                    .map(|id| self.loaded.text.as_ref().map_or(id.to_string(), |text| text.label(*id)))
                    .collect();
                self.problems.add(at, format!("{answer:?} is {} tokens ({}), but the metric reads one; choose an answer of one token, with its leading space", several.len(), labels.join(" ")));
                None
            }
            _ => None,
        }
    }

    /// Where the answer is read: as written, or the mask, or the last token.
    fn read_at(&mut self, at: &str, pair: &Pair, clean: &[u32]) -> Option<usize> {
        if let Some(position) = pair.at {
            if position < clean.len() {
                return Some(position);
            }
            self.problems.add(
                &format!("{at}.at"),
                format!("position {position} does not exist; the prompt has 0 to {}", clean.len() - 1),
            );
            return None;
        }
        if self.loaded.model.is_causal() {
            return Some(clean.len() - 1);
        }
        let mask =
            self.loaded.text.as_ref().and_then(|text| ["[MASK]", "<mask>"].iter().find_map(|name| text.id(name)));
        let position = mask.and_then(|mask| clean.iter().position(|token| *token == mask));
        if position.is_none() {
            self.problems.add(at, "an encoder reads the answer at its mask token, and the clean prompt has none; write [MASK] in it, or `at: position`");
        }
        position
    }
}
