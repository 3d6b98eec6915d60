//! How a token is written where a person reads it.

/// The token with its edge spaces, line ends and control characters made visible.
///
/// Spaces inside a token stay; SentencePiece's `▁` is a space; a token of nothing is `(empty)`.
///
/// ```text
/// " John" → "␣John"      "\n\n" → "↵↵"      "▁the" → "␣the"      "\t" → "\t"
/// ```
pub fn visible(token: &str) -> String {
    if token.is_empty() {
        return "(empty)".into();
    }
    let inner = token.trim_matches(' ');
    let lead = token.len() - token.trim_start_matches(' ').len();
    let trail = token.len() - inner.len() - lead;
    let mut shown = "␣".repeat(lead);
    inner.chars().for_each(|character| shown.push_str(&visible_character(character)));
    shown + &"␣".repeat(trail)
}

fn visible_character(character: char) -> String {
    match character {
        '▁' => "␣".into(),
        '\n' => "↵".into(),
        '\t' => "\\t".into(),
        '\r' => "\\r".into(),
        '\u{a0}' => "\\u{a0}".into(),
        hidden if hidden.is_control() || is_invisible(hidden) => {
            format!("\\u{{{:x}}}", u32::from(hidden))
        }
        plain => plain.into(),
    }
}

/// Characters without ink that change how their neighbours are laid out, and the two that XML
/// forbids (Unicode 15, general categories Cf and Zl/Zp as far as tokenizers meet them).
fn is_invisible(character: char) -> bool {
    matches!(
        u32::from(character),
        0xad | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x2069 | 0xfeff | 0xfffe | 0xffff
    )
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn nothing_in_a_token_stays_unseen() {
        let pairs = [
            (" John", "␣John"),
            ("a b ", "a b␣"),
            ("  ", "␣␣"),
            ("▁the", "␣the"),
            ("\n\t", "↵\\t"),
            ("\u{0}\u{200b}", "\\u{0}\\u{200b}"),
            ("", "(empty)"),
        ];
        for (token, shown) in pairs {
            assert_eq!(visible(token), shown);
        }
    }
}
