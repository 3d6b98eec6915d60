//! Prompts and answers as tokens.

use super::{Answers, Problems};
use crate::data::{self, Labelled, Prompts, Side, Sourced};
use crate::model::load::Loaded;
use crate::spec::{Control, Data, Experiment, Fact, Method, Pair, Prompt, Uneven};
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
    /// The tokens of which any is right after the clean prompt: of the right answer, or the first of a fact's attribute;
    /// none where nobody says.
    pub expected: Vec<u32>,
    /// Labels of the item.
    pub labels: IndexMap<String, String>,
}

impl Item {
    /// The tokens of one of its prompts.
    pub fn prompt(&self, side: Side) -> &Vec<u32> {
        match side {
            Side::Clean => &self.clean,
            Side::Corrupt => &self.corrupt,
        }
    }
}

/// What the data comes to.
#[derive(Default)]
pub struct Resolved {
    /// The items.
    pub items: Vec<Item>,
    /// How many pairs were left out, as their prompts have different numbers of tokens.
    pub left_out: usize,
}

/// Every item of the data, or problems.
pub fn resolve(experiment: &Experiment, loaded: &Loaded, problems: &mut Problems) -> Resolved {
    let prompts = match data::read(experiment) {
        Ok(prompts) => prompts,
        Err(error) => {
            problems.add("data", error.to_string());
            return Resolved::default();
        }
    };
    if let (Data::Program(_), SpecialTokens::Never) = (&experiment.data, experiment.special_tokens) {
        let what = "Never leaves out the boundary token, without which a compiled program does not work; leave it out";
        problems.add("special_tokens", what);
    }
    let mut reader = Reader { experiment, loaded, problems, left_out: 0 };
    let mut items: Vec<Item> = match prompts {
        Prompts::Pairs(pairs) => pairs.iter().filter_map(|pair| reader.pair(pair)).collect(),
        Prompts::Alone(prompts) => prompts.iter().filter_map(|prompt| reader.alone(prompt)).collect(),
        Prompts::Labelled(texts) => texts.iter().filter_map(|text| reader.labelled(text)).collect(),
        Prompts::Facts(facts) => facts.iter().filter_map(|fact| reader.fact(fact)).collect(),
    };
    let left_out = reader.left_out;
    if items.is_empty() && left_out > 0 && problems.count() == 0 {
        let what = format!("all {left_out} pairs have prompts of different numbers of tokens, so none is left");
        problems.add("data", what);
    }
    if experiment.control == Control::ShuffledAnswers {
        shuffle(&mut items, experiment.seed);
    }
    Resolved { items, left_out }
}

/// The tokens of a prompt that stands outside the data.
pub(super) fn prompt(
    at: &str,
    prompt: &Prompt,
    experiment: &Experiment,
    loaded: &Loaded,
    problems: &mut Problems,
) -> Option<Vec<u32>> {
    Reader { experiment, loaded, problems, left_out: 0 }.prompt(at, prompt)
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
pub(super) fn reads_whole(experiment: &Experiment) -> bool {
    experiment.methods.iter().all(|method| matches!(method, Method::Mediate { .. }))
}

impl Item {
    pub(super) fn alone(clean: Vec<u32>) -> Self {
        let (answers, more, labels) = (None, [Vec::new(), Vec::new()], IndexMap::new());
        Item { corrupt: clean.clone(), clean, answers, more, subject: None, expected: Vec::new(), labels }
    }
}

/// Makes items of prompts.
pub(super) struct Reader<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) loaded: &'a Loaded,
    pub(super) problems: &'a mut Problems,
    /// Pairs that are left out.
    left_out: usize,
}

impl Reader<'_> {
    fn alone(&mut self, Sourced { at, what }: &Sourced<Prompt>) -> Option<Item> {
        let clean = self.prompt(at, what)?;
        Some(Item::alone(clean))
    }

    fn labelled(&mut self, Sourced { at, what }: &Sourced<Labelled>) -> Option<Item> {
        let clean = self.prompt(at, &what.prompt)?;
        Some(Item { labels: what.labels.clone(), ..Item::alone(clean) })
    }

    fn fact(&mut self, Sourced { at, what: fact }: &Sourced<Fact>) -> Option<Item> {
        let clean = self.prompt(&format!("{at}.prompt"), &fact.prompt)?;
        let subject = self.subject(&format!("{at}.subject"), &fact.prompt, &clean, &fact.subject);
        let expected = match &fact.attribute {
            Some(attribute) => vec![self.attribute(&format!("{at}.attribute"), &fact.prompt, attribute)?],
            None => Vec::new(),
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
            match self.experiment.uneven {
                Uneven::Refuse => self.problems.add(at, self.lengths(&clean, &corrupt)),
                Uneven::LeaveOut => self.left_out += 1,
            }
            return None;
        }
        self.differ(at, &right, &wrong)?;
        let read = self.read_at(at, pair, &clean, &corrupt)?;
        self.fits(at, &clean, read, 1 + right.more.len().max(wrong.more.len()))?;
        let subject = match &pair.subject {
            Some(subject) => Some(self.subject(&format!("{at}.subject"), &pair.clean, &clean, subject)?),
            None => None,
        };
        let (expected, labels, more) = (right.any.clone(), pair.labels.clone(), [right.more, wrong.more]);
        let answers = Some(Answers { right: right.any, wrong: wrong.any, at: read });
        Some(Item { clean, corrupt, answers, more, subject, expected, labels })
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

    pub(super) fn check(&mut self, at: &str, tokens: &[u32]) -> bool {
        let dims = self.loaded.model.dims();
        let (count, context) = (tokens.len(), dims.context);
        if count == 0 {
            self.problems.add(at, "the prompt is empty");
        }
        if count > context {
            self.problems.add(at, format!("the prompt has {count} tokens; the model has {context} positions"));
        }
        self.exist(at, tokens) && count > 0 && count <= context
    }

    /// Whether the model has all these tokens.
    pub(super) fn exist(&mut self, at: &str, tokens: &[u32]) -> bool {
        let vocabulary = self.loaded.model.dims().vocabulary;
        let unknown = tokens.iter().find(|token| **token as usize >= vocabulary);
        if let Some(token) = unknown {
            self.problems.add(at, format!("token {token} does not exist; the vocabulary has 0 to {}", vocabulary - 1));
        }
        unknown.is_none()
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
                        self.problems
                            .add(at, format!("a model that sees both ways reads the answer at its mask token, {why}"))
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
