//! Windows over a text: every token is scored once, in the first window that holds it.

use super::{Case, Kind, Maker, Set};
use crate::data::text_file;
use crate::score::Request;
use std::path::Path;

impl Maker<'_, '_> {
    /// Of a text as `transformers` describes it: windows of `window` tokens, each `stride` further, of which only those tokens
    /// count that no window before has held. With a stride as long as the window this is the rolling log-likelihood of
    /// lm-evaluation-harness, but for the context that it gives a window's first token.
    pub(super) fn perplexity(
        &mut self,
        text: Option<&Path>,
        window: Option<usize>,
        stride: Option<usize>,
    ) -> Option<Set> {
        let context = self.known.dims().context;
        let window = window.unwrap_or(context);
        let stride = stride.unwrap_or(window);
        let before = self.problems.count();
        if !self.known.model.is_causal() {
            self.problems.add(
                &self.at,
                "a model that sees both ways gives no probability of a text; measure perplexity of a causal one",
            );
        }
        if window < 2 || window > context {
            self.problems.add(
                &format!("{}.window", self.at),
                format!("{window} is not between 2 and the model's {context} positions"),
            );
        }
        if stride == 0 || stride > window {
            self.problems.add(
                &format!("{}.stride", self.at),
                format!("{stride} is not between 1 and the window's {window} tokens"),
            );
        }
        if self.problems.count() > before {
            return None;
        }
        let (cases, of) = match text {
            Some(path) => {
                let text = self.told(text_file::text(path))?;
                let ids = self.writer()?.tokens(&text).map_err(|why| self.problems.add(&self.at, why)).ok()?.ids;
                (
                    windows(&ids, window, stride),
                    format!(
                        "the text in windows of {window} tokens, each {stride} further; a token counts in the first window that holds it with a token before it, given those before it there"
                    ),
                )
            }
            None if self.known.items.is_empty() => return None, // said of the method
            None => {
                let prompts: Vec<Case> = self
                    .known
                    .items
                    .iter()
                    .enumerate()
                    .filter_map(|(number, item)| prompt(number, &item.clean))
                    .collect();
                self.missing = self.known.items.len() - prompts.len();
                (prompts, "every clean prompt by itself, its first token not scored".into())
            }
        };
        self.finished(Kind::Perplexity, cases, vec![("scored", of)])
    }
}

fn prompt(number: usize, tokens: &[u32]) -> Option<Case> {
    (tokens.len() > 1).then(|| case(number, Request::causal(tokens, 1)))
}

fn windows(ids: &[u32], window: usize, stride: usize) -> Vec<Case> {
    let (mut cases, mut scored, mut begin) = (Vec::new(), 1, 0);
    while scored < ids.len() {
        let end = (begin + window).min(ids.len());
        // a window's first token has nothing before it, but for the very first it was scored in the window before
        let first = (scored - begin).max(1);
        if end - begin > first {
            cases.push(case(cases.len(), Request::causal(&ids[begin..end], first)));
        }
        scored = end;
        begin += stride;
    }
    cases
}

fn case(number: usize, request: Request) -> Case {
    Case { number, cluster: number.to_string(), requests: vec![request], parts: vec![1], ..Case::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(ids: usize, window: usize, stride: usize) -> Vec<(usize, usize, usize)> {
        let ids: Vec<u32> = (0..ids as u32).collect();
        let of = |case: &Case| {
            let Request { ids, reads } = &case.requests[0];
            (ids[0] as usize, reads[0].1 as usize, reads.last().unwrap().1 as usize)
        };
        windows(&ids, window, stride).iter().map(of).collect()
    }

    #[test]
    fn every_token_is_scored_once() {
        // window's first token, first and last token scored
        assert_eq!(told(10, 4, 2), [(0, 1, 3), (2, 4, 5), (4, 6, 7), (6, 8, 9)]);
        assert_eq!(told(10, 4, 4), [(0, 1, 3), (4, 5, 7), (8, 9, 9)]); // as transformers: tokens 4 and 8 have no context
        assert_eq!(told(3, 10, 10), [(0, 1, 2)]);
        assert_eq!(told(1, 10, 10), []);
    }
}
