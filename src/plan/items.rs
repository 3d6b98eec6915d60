//! Prompts and answers as tokens.

use super::Problems;
use crate::data::{self, Prompts, Sourced};
use crate::metric::Metric;
use crate::model::load::Loaded;
use crate::spec::{Answer, Control, Experiment, Fact, Method, Pair, Prompt};
use crate::text::{SpecialTokens, Text, TextError};
use indexmap::IndexMap;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// One item of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Tokens of the clean prompt.
    pub clean: Vec<u32>,
    /// Tokens of the corrupted prompt, equally many; those of the clean one where there is none.
    pub corrupt: Vec<u32>,
    /// The answers, where the data has them.
    pub answers: Option<Answers>,
    /// The tokens of the right and the wrong answer behind their first; none unless every method reads whole answers.
    pub more: [Vec<u32>; 2],
    /// The positions of what the clean prompt is about, where the data says it.
    pub subject: Option<Range<usize>>,
    /// The token that is right after the clean prompt: of the right answer, or the first of a fact's attribute.
    pub expected: Option<u32>,
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
        Prompts::Pairs(pairs) => pairs.iter().filter_map(|pair| reader.pair(pair)).collect(),
        Prompts::Alone(prompts) => prompts.iter().filter_map(|prompt| reader.alone(prompt)).collect(),
        Prompts::Facts(facts) => facts.iter().filter_map(|fact| reader.fact(fact)).collect(),
    };
    if experiment.control == Control::ShuffledAnswers {
        shuffle(&mut items, experiment.seed);
    }
    items
}

/// The tokens of a prompt that stands outside the data.
pub(super) fn prompt(
    at: &str,
    prompt: &Prompt,
    experiment: &Experiment,
    loaded: &Loaded,
    problems: &mut Problems,
) -> Option<Vec<u32>> {
    Reader { experiment, loaded, problems }.prompt(at, prompt)
}

/// Exchanges the answers of a random half of the observations.
fn shuffle(items: &mut [Item], seed: u64) {
    let mut groups = data::observations(items.iter().map(|item| &item.labels));
    groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    for index in groups.iter().take(groups.len() / 2).flatten() {
        if let Some(answers) = &mut items[*index].answers {
            std::mem::swap(&mut answers.right, &mut answers.wrong);
            items[*index].more.reverse();
        }
    }
}

/// Whether every method reads answers of any number of tokens.
fn reads_whole(experiment: &Experiment) -> bool {
    experiment.methods.iter().all(|method| matches!(method, Method::Mediate { .. }))
}

impl Item {
    fn alone(clean: Vec<u32>) -> Self {
        let (answers, more, labels) = (None, [Vec::new(), Vec::new()], IndexMap::new());
        Item { corrupt: clean.clone(), clean, answers, more, subject: None, expected: None, labels }
    }
}

/// Makes items of prompts.
pub(super) struct Reader<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) loaded: &'a Loaded,
    pub(super) problems: &'a mut Problems,
}

impl Reader<'_> {
    fn alone(&mut self, Sourced { at, what }: &Sourced<Prompt>) -> Option<Item> {
        let clean = self.prompt(at, what)?;
        Some(Item::alone(clean))
    }

    fn fact(&mut self, Sourced { at, what: fact }: &Sourced<Fact>) -> Option<Item> {
        let clean = self.prompt(&format!("{at}.prompt"), &fact.prompt)?;
        let subject = self.subject(&format!("{at}.subject"), &fact.prompt, &clean, &fact.subject);
        let expected = match &fact.attribute {
            Some(attribute) => Some(self.attribute(&format!("{at}.attribute"), &fact.prompt, attribute)?),
            None => None,
        };
        Some(Item { subject: Some(subject?), expected, ..Item::alone(clean) })
    }

    fn pair(&mut self, Sourced { at, what: pair }: &Sourced<Pair>) -> Option<Item> {
        let clean = self.prompt(&format!("{at}.clean"), &pair.clean);
        let corrupt = self.prompt(&format!("{at}.corrupt"), &pair.corrupt);
        let right = self.answer(&format!("{at}.right"), &pair.clean, &pair.right);
        let wrong = self.answer(&format!("{at}.wrong"), &pair.corrupt, &pair.wrong);
        let (clean, corrupt, right, wrong) = (clean?, corrupt?, right?, wrong?);
        if clean.len() != corrupt.len() {
            self.problems.add(at, self.lengths(&clean, &corrupt));
            return None;
        }
        self.differ(at, &right, &wrong)?;
        let read = self.read_at(at, pair, &clean, &corrupt)?;
        self.fits(at, &clean, read, right.len().max(wrong.len()))?;
        let subject = match &pair.subject {
            Some(subject) => Some(self.subject(&format!("{at}.subject"), &pair.clean, &clean, subject)?),
            None => None,
        };
        let answers = Answers { right: right[0], wrong: wrong[0], at: read };
        let more = [right[1..].to_vec(), wrong[1..].to_vec()];
        let (answers, expected, labels) = (Some(answers), Some(right[0]), pair.labels.clone());
        Some(Item { clean, corrupt, answers, more, subject, expected, labels })
    }

    /// A difference of a token and itself is 0 whatever is done.
    fn differ(&mut self, at: &str, right: &[u32], wrong: &[u32]) -> Option<()> {
        if right == wrong && matches!(self.experiment.metric, Metric::LogitDiff | Metric::ProbabilityDiff) {
            let what = format!("right and wrong answer are the same token, {}", self.labels(right));
            self.problems.add(at, what);
            return None;
        }
        Some(())
    }

    pub(super) fn label(&self, id: u32) -> String {
        self.loaded.text.as_ref().map_or(id.to_string(), |text| text.label(id))
    }

    pub(super) fn labels(&self, tokens: &[u32]) -> String {
        tokens.iter().map(|id| self.label(*id)).collect::<Vec<_>>().join(" ")
    }

    fn lengths(&self, clean: &[u32], corrupt: &[u32]) -> String {
        let (clean_count, corrupt_count) = (clean.len(), corrupt.len());
        let (clean, corrupt) = (self.labels(clean), self.labels(corrupt));
        format!(
            "the clean prompt has {clean_count} tokens and the corrupted one {corrupt_count}, but a patch needs the same positions in both; choose words of equally many tokens\n    clean:   {clean}\n    corrupt: {corrupt}"
        )
    }

    pub(super) fn text(&mut self, at: &str) -> Option<&Text> {
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
            // special tokens would make a prompt of it that nobody wrote
            Prompt::Text(text) if text.is_empty() => Vec::new(),
            Prompt::Text(text) => {
                let found = self.text(at)?.encode(text, special);
                self.told(at, found)?
            }
        };
        self.check(at, &tokens).then_some(tokens)
    }

    /// What was found, or its error among the problems.
    pub(super) fn told<T>(&mut self, at: &str, found: Result<T, TextError>) -> Option<T> {
        found.map_err(|error| self.problems.add(at, error.to_string())).ok()
    }

    fn check(&mut self, at: &str, tokens: &[u32]) -> bool {
        let dims = self.loaded.model.dims();
        let (count, context, vocabulary) = (tokens.len(), dims.context, dims.vocabulary);
        if count == 0 {
            self.problems.add(at, "the prompt is empty");
        }
        if count > context {
            self.problems.add(at, format!("the prompt has {count} tokens; the model has {context} positions"));
        }
        let unknown = tokens.iter().find(|token| **token as usize >= vocabulary);
        if let Some(token) = unknown {
            self.problems.add(at, format!("token {token} does not exist; the vocabulary has 0 to {}", vocabulary - 1));
        }
        count > 0 && count <= context && unknown.is_none()
    }

    fn answer(&mut self, at: &str, prompt: &Prompt, answer: &Answer) -> Option<Vec<u32>> {
        let tokens = match answer {
            Answer::Token(token) => vec![*token],
            Answer::Tokens(tokens) => tokens.clone(),
            Answer::Text(answer) => self.written(at, prompt, answer)?,
        };
        if tokens.is_empty() {
            self.problems.add(at, "the answer is empty; it must be one token");
            return None;
        }
        if tokens.len() > 1 && !reads_whole(self.experiment) {
            self.problems.add(at, self.several(&tokens, answer));
            return None;
        }
        self.check(at, &tokens).then_some(tokens)
    }

    /// The tokens of an answer in words: in a causal model those that it adds to the prompt.
    pub(super) fn written(&mut self, at: &str, prompt: &Prompt, answer: &str) -> Option<Vec<u32>> {
        let causal = self.loaded.model.is_causal();
        let text = self.text(at)?;
        let found = match prompt {
            _ if answer.is_empty() => Ok(Vec::new()),
            Prompt::Text(prompt) if causal => text.continuation(prompt, answer),
            _ => text.encode(answer, SpecialTokens::Never),
        };
        self.told(at, found)
    }

    fn several(&self, tokens: &[u32], answer: &Answer) -> String {
        let (count, labels) = (tokens.len(), self.labels(tokens));
        let space = match answer {
            Answer::Text(answer) if self.loaded.model.is_causal() && !answer.starts_with(' ') => {
                format!("; should a space stand before it, as in \" {answer}\"?")
            }
            _ => "; choose an answer of one token".into(),
        };
        format!("the answer is {count} tokens ({labels}), but the metric reads one{space}")
    }

    /// Where the answer is read: as written, or the mask, or the last token.
    fn read_at(&mut self, at: &str, pair: &Pair, clean: &[u32], corrupt: &[u32]) -> Option<usize> {
        let last = clean.len() - 1;
        match pair.at {
            Some(position) if position <= last => Some(position),
            Some(position) => {
                let what = format!("position {position} does not exist; the prompt has 0 to {last}");
                self.problems.add(&format!("{at}.at"), what);
                None
            }
            None if self.loaded.model.is_causal() => Some(last),
            None => {
                let found = self.masked(clean, corrupt);
                found
                    .map_err(|why| {
                        self.problems.add(at, format!("an encoder reads the answer at its mask token, {why}"))
                    })
                    .ok()
            }
        }
    }

    /// The position of the one mask token, the same in both prompts.
    fn masked(&self, clean: &[u32], corrupt: &[u32]) -> Result<usize, String> {
        let names = ["[MASK]", "<mask>"];
        let text = self.loaded.text.as_ref();
        let known = names.into_iter().find_map(|name| Some((name, text?.id(name)?)));
        let (name, mask) = known.ok_or("and the model's tokenizer has none; write `at: position` in the pair")?;
        let places = |tokens: &[u32]| (0..tokens.len()).filter(|at| tokens[*at] == mask).collect::<Vec<_>>();
        match (places(clean).as_slice(), places(corrupt).as_slice()) {
            ([place], [other]) if place == other => Ok(*place),
            ([], _) => Err(format!("and the clean prompt has none; write {name} in it, or `at: position` in the pair")),
            ([place], other) => {
                Err(format!("which is at {place} in the clean prompt, but at {other:?} in the corrupted one"))
            }
            (several, _) => {
                Err(format!("and the clean prompt has {}; write `at: position` in the pair", several.len()))
            }
        }
    }
}
