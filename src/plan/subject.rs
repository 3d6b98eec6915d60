//! Where the subject of a prompt stands, and what completes a fact.

use super::items::Reader;
use crate::spec::{Prompt, Subject};
use std::ops::Range;

impl Reader<'_> {
    /// The positions of a prompt's subject.
    pub(super) fn subject(
        &mut self,
        at: &str,
        prompt: &Prompt,
        tokens: &[u32],
        subject: &Subject,
    ) -> Option<Range<usize>> {
        let special = self.experiment.special_tokens;
        match (subject, prompt) {
            (Subject::Positions(positions), _) => self.listed(at, positions, tokens.len()),
            (Subject::Words(words), Prompt::Text(prompt)) => {
                let found = self.text(at)?.span(prompt, words, special);
                self.told(at, found)
            }
            (Subject::Words(words), Prompt::Tokens(_)) => {
                let what = format!("{words:?} is text, but the prompt is tokens; write positions, for instance [1, 2]");
                self.problems.add(at, what);
                None
            }
        }
    }

    fn listed(&mut self, at: &str, positions: &[usize], count: usize) -> Option<Range<usize>> {
        let (Some(first), Some(last)) = (positions.first(), positions.last()) else {
            self.problems.add(at, "is empty; name the positions of at least one token");
            return None;
        };
        if !positions.iter().copied().eq(*first..last + 1) {
            self.problems.add(at, format!("{positions:?} are not neighbours in order; write for instance [1, 2]"));
            return None;
        }
        if *last >= count {
            self.problems.add(at, format!("position {last} does not exist; the prompt has 0 to {}", count - 1));
            return None;
        }
        Some(*first..last + 1)
    }

    /// The first token of what completes a fact, written behind the prompt after a space.
    pub(super) fn attribute(&mut self, at: &str, prompt: &Prompt, attribute: &Prompt) -> Option<u32> {
        let tokens = match (attribute, prompt) {
            (Prompt::Tokens(tokens), _) => tokens.clone(),
            (Prompt::Text(attribute), Prompt::Text(text)) if !text.ends_with(char::is_whitespace) => {
                self.written(at, prompt, &format!(" {}", attribute.trim_start()))?
            }
            (Prompt::Text(attribute), _) => self.written(at, prompt, attribute)?,
        };
        let vocabulary = self.loaded.model.dims().vocabulary;
        match tokens.first() {
            Some(first) if (*first as usize) < vocabulary => Some(*first),
            Some(first) => {
                let what = format!("token {first} does not exist; the vocabulary has 0 to {}", vocabulary - 1);
                self.problems.add(at, what);
                None
            }
            None => {
                self.problems.add(at, "is empty; leave it out where there is none");
                None
            }
        }
    }

    /// Whether answers of up to `count` tokens can be read behind a prompt.
    pub(super) fn fits(&mut self, at: &str, prompt: &[u32], read: usize, count: usize) -> Option<()> {
        let (context, last) = (self.loaded.model.dims().context, prompt.len() - 1);
        let refused = match count {
            1 => None,
            _ if !self.loaded.model.is_causal() => {
                Some("a model that sees both ways reads answers of one token".to_string())
            }
            _ if read != last => Some(format!("an answer of {count} tokens follows the prompt; leave `at` out")),
            _ if last + count > context => {
                let all = last + count;
                Some(format!("the prompt with its answer has {all} tokens to read; the model has {context} positions"))
            }
            _ => None,
        };
        refused.map(|why| self.problems.add(at, why)).map_or(Some(()), |()| None)
    }
}
