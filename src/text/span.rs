//! Which tokens of a prompt some words in it are.

use super::{SpecialTokens, Text, TextError};
use std::ops::Range;

impl Text {
    /// The tokens of a prompt that some words in it are: the first place where they stand for themselves or, where there
    /// is none such, as a part of other words. The tokens must begin and end with the words, spaces aside.
    pub fn span(&self, prompt: &str, words: &str, special: SpecialTokens) -> Result<Range<usize>, TextError> {
        let words = words.trim();
        let mut places: Vec<usize> = prompt.match_indices(words).map(|(start, _)| start).collect();
        if words.is_empty() || places.is_empty() {
            return Err(TextError::Absent { words: words.into(), prompt: prompt.into() });
        }
        let alone = |start: usize| {
            let around = [prompt[..start].chars().next_back(), prompt[start + words.len()..].chars().next()];
            !around.into_iter().flatten().any(char::is_alphanumeric)
        };
        places.sort_by_key(|start| !alone(*start));
        let tokens = self.encoding(prompt, special)?;
        let inked: Vec<Range<usize>> = tokens.get_offsets().iter().map(|at| inked(prompt, *at)).collect();
        places.into_iter().find_map(|start| covering(&inked, start..start + words.len())).ok_or_else(|| {
            let tokens = tokens.get_ids().iter().map(|id| self.label(*id)).collect::<Vec<_>>().join(" ");
            TextError::Misaligned { words: words.into(), prompt: prompt.into(), tokens }
        })
    }
}

/// The bytes of a token without the spaces around them; a special token has none.
fn inked(text: &str, (start, end): (usize, usize)) -> Range<usize> {
    let Some(piece) = text.get(start..end) else { return start..end };
    let before = piece.len() - piece.trim_start().len();
    start + before..(start + piece.trim_end().len()).max(start + before)
}

/// The tokens that cover these bytes, where they cover nothing else.
fn covering(tokens: &[Range<usize>], bytes: Range<usize>) -> Option<Range<usize>> {
    let within = |token: &Range<usize>| !token.is_empty() && token.start < bytes.end && token.end > bytes.start;
    let first = tokens.iter().position(within)?;
    let last = tokens.iter().rposition(within)?;
    (tokens[first].start == bytes.start && tokens[last].end == bytes.end).then_some(first..last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_tokens_that_cover_them_and_nothing_else() {
        // "The Eiffel Tower" after a special token: spaces before words belong to their tokens
        let tokens: Vec<Range<usize>> =
            [(0, 0), (0, 3), (3, 7), (7, 10), (10, 16)].map(|at| inked("The Eiffel Tower", at)).to_vec();
        assert_eq!(covering(&tokens, 4..16), Some(2..5));
        assert_eq!(covering(&tokens, 4..10), Some(2..4));
        assert_eq!(covering(&tokens, 4..9), None);
        assert_eq!(covering(&tokens, 5..10), None);
    }
}
