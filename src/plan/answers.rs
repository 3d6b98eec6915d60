//! Answers as tokens: one, several in a row, or a set of which any counts.

use super::Item;
use super::items::{Reader, reads_whole};
use crate::metric::Metric;
use crate::spec::{Answer, AnswerSet, Prompt, Word};
use crate::text::SpecialTokens;

/// The answers of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// The tokens of which any is right after the clean prompt: mostly one, else in the order of their ids.
    pub right: Vec<u32>,
    /// The tokens of which any is right after the corrupted prompt.
    pub wrong: Vec<u32>,
    /// The position they are read at.
    pub at: usize,
}

/// Whether some item asks for any of several tokens.
pub fn has_sets(items: &[Item]) -> bool {
    items
        .iter()
        .filter_map(|item| item.answers.as_ref())
        .any(|answers| answers.right.len().max(answers.wrong.len()) > 1)
}

/// What the metric of each item is multiplied by to be of the first item's right answer over its wrong one: −1 where an
/// item's answers are those turned round and the metric turns its sign with them, else 1.
pub fn orientation(items: &[Item], metric: Metric) -> Vec<f64> {
    let first = items.first().and_then(|item| item.answers.as_ref());
    let turned = |item: &Item| match (first, &item.answers) {
        (Some(first), Some(own)) => (&own.right, &own.wrong) == (&first.wrong, &first.right),
        _ => false,
    };
    items.iter().map(|item| if metric.is_odd() && turned(item) { -1.0 } else { 1.0 }).collect()
}

/// One answer as tokens.
pub(super) struct Resolved {
    /// Any of these.
    pub(super) any: Vec<u32>,
    /// Behind it, where an answer is several tokens in a row.
    pub(super) more: Vec<u32>,
}

impl Reader<'_> {
    pub(super) fn answer(&mut self, at: &str, prompt: &Prompt, answer: &Answer) -> Option<Resolved> {
        let mut tokens = match answer {
            Answer::Token(token) => vec![*token],
            Answer::Tokens(tokens) => tokens.clone(),
            Answer::Text(answer) => self.written(at, prompt, answer)?,
            Answer::Set(set) => return self.set(at, prompt, set).map(|any| Resolved { any, more: Vec::new() }),
        };
        if tokens.is_empty() {
            self.problems.add(at, "the answer is empty; it must be one token");
            return None;
        }
        if tokens.len() > 1 && !reads_whole(self.experiment) {
            self.problems.add(at, self.several(&tokens, answer));
            return None;
        }
        if !self.check(at, &tokens) {
            return None;
        }
        let more = tokens.split_off(1);
        Some(Resolved { any: tokens, more })
    }

    /// The tokens of a set, in the order of their ids, so that the order of writing reaches no result.
    fn set(&mut self, at: &str, prompt: &Prompt, set: &AnswerSet) -> Option<Vec<u32>> {
        let words = match words(set) {
            Ok(words) => words,
            Err(why) => {
                self.problems.add(at, why);
                return None;
            }
        };
        let mut tokens = Vec::new();
        for word in &words {
            let found = match word {
                Word::Token(token) => vec![*token],
                Word::Text(text) => self.written(at, prompt, text)?,
            };
            match found.as_slice() {
                [token] => tokens.push(*token),
                found => {
                    self.problems.add(at, self.no_member(set, word, found));
                    return None;
                }
            }
        }
        tokens.sort_unstable();
        if let Some(twice) = tokens.windows(2).find(|pair| pair[0] == pair[1]) {
            self.problems.add(at, format!("{} stands twice in the set", self.label(twice[0])));
            return None;
        }
        self.exist(at, &tokens).then_some(tokens)
    }

    fn no_member(&self, set: &AnswerSet, word: &Word, tokens: &[u32]) -> String {
        let (count, labels) = (tokens.len(), self.labels(tokens));
        let written = match word {
            Word::Text(text) => text.as_str(),
            Word::Token(_) => "",
        };
        match set {
            AnswerSet::AnyOf(_) if count == 0 => "an answer in the set is empty".into(),
            AnswerSet::AnyOf(_) => {
                let space = self.space(written);
                format!("{written:?} is {count} tokens ({labels}), but what stands in a set is one token{space}")
            }
            _ => format!(
                "two digits are one token each in this set, but {written:?} is {count} ({labels}); choose a model whose tokenizer has them, for instance gpt2"
            ),
        }
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
        let written = if let Answer::Text(answer) = answer { answer.as_str() } else { " " };
        format!("the answer is {count} tokens ({labels}), but the metric reads one{}", self.space(written))
    }

    /// What may be the matter with an answer of several tokens.
    fn space(&self, answer: &str) -> String {
        match self.loaded.model.is_causal() && !answer.starts_with(' ') {
            true => format!("; should a space stand before it, as in \" {answer}\"?"),
            false => "; choose an answer of one token".into(),
        }
    }

    /// A difference of a token and itself is 0 whatever is done.
    pub(super) fn differ(&mut self, at: &str, right: &Resolved, wrong: &Resolved) -> Option<()> {
        let same = right.any == wrong.any && right.more == wrong.more;
        let both = right.any.iter().find(|token| wrong.any.contains(token));
        let whole = right.any.len() == 1 && wrong.any.len() == 1;
        if !matches!(self.experiment.metric, Metric::LogitDiff | Metric::ProbabilityDiff) {
            return Some(());
        }
        let what = match both {
            Some(_) if whole && same => {
                format!(
                    "right and wrong answer are the same token, {}",
                    self.labels(&[&right.any[..], &right.more].concat())
                )
            }
            Some(token) if !whole => format!("{} is both a right and a wrong answer", self.label(*token)),
            _ => return Some(()),
        };
        self.problems.add(at, what);
        None
    }
}

/// What stands in a set, which has at least one member.
fn words(set: &AnswerSet) -> Result<Vec<Word>, String> {
    let written = |digits: std::ops::RangeInclusive<u32>| digits.map(|year| Word::Text(format!("{year:02}"))).collect();
    match set {
        AnswerSet::AnyOf(words) if words.is_empty() => Err("the set is empty; name at least one answer".into()),
        AnswerSet::AnyOf(words) => Ok(words.clone()),
        AnswerSet::TwoDigitsUpTo(last) => two_digits(last).map(|last| written(0..=last)),
        AnswerSet::TwoDigitsAbove(first) => match two_digits(first)? {
            99 => Err("no two digits are above 99, so the set is empty".into()),
            first => Ok(written(first + 1..=99)),
        },
    }
}

fn two_digits(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number <= 99 && text.bytes().all(|byte| byte.is_ascii_digit()));
    number.ok_or_else(|| format!("{text:?} is no number from 0 to 99"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_digits_fall_into_those_above_and_the_others() {
        let of = |set: AnswerSet| words(&set).unwrap();
        let [above, others] = [of(AnswerSet::TwoDigitsAbove("41".into())), of(AnswerSet::TwoDigitsUpTo("41".into()))];
        assert_eq!((above.len(), above.first()), (58, Some(&Word::Text("42".into()))));
        assert_eq!((others.len(), others.first()), (42, Some(&Word::Text("00".into()))));
        assert!(above.iter().all(|word| !others.contains(word)));
        for wrong in ["99", "100", "-1", "+5", "4 ", "", "xx"] {
            assert!(words(&AnswerSet::TwoDigitsAbove(wrong.into())).is_err(), "{wrong}");
        }
    }
}
