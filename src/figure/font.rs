//! The one font of all figures, built in, so that they look the same on every machine.

use plotters::style::{FontStyle, IntoFont, register_font};
use resvg::usvg::{self, fontdb};
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

/// The family's name as it stands in an SVG.
pub const FAMILY: &str = "Noto Sans";
/// Latin, Greek, Cyrillic, arrows and some signs of Noto Sans (SIL Open Font License 1.1).
static BYTES: &[u8] = include_bytes!("../../assets/font/NotoSans.ttf");
/// The same font for browsers.
const WOFF2: &str = include_str!("../../assets/font/NotoSans.woff2.base64");
/// Ascent plus descent of Noto Sans in thousandths of an em (its `hhea` table): the size that
/// plotters takes when it measures is this height, not the em.
const HEIGHT: f64 = 1362.0;

static CHARACTERS: LazyLock<BTreeSet<char>> =
    LazyLock::new(|| include_str!("../../assets/font/characters.txt").chars().collect());

static READER: LazyLock<usvg::Options<'static>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(BYTES.to_vec());
    usvg::Options { fontdb: Arc::new(fonts), font_family: FAMILY.into(), ..Default::default() }
});

static REGISTERED: LazyLock<()> = LazyLock::new(|| {
    let registered = register_font(FAMILY, FontStyle::Normal, BYTES);
    registered.unwrap_or_else(|_| unreachable!("the built-in font is a font"));
});

/// Makes the font known to plotters; further calls do nothing.
pub fn register() {
    LazyLock::force(&REGISTERED);
}

/// How to read an SVG with this font and no other.
pub fn reader() -> &'static usvg::Options<'static> {
    &READER
}

/// A CSS rule that carries the font with it, for an SVG or a page that stands alone.
pub fn face() -> String {
    format!("@font-face{{font-family:\"{FAMILY}\";src:url(data:font/woff2;base64,{}) format(\"woff2\")}}", WOFF2.trim())
}

/// The text with each character that the font lacks as its code: `中` becomes `\u{4e2d}`.
pub fn drawable(text: &str) -> String {
    let known = |character: &char| CHARACTERS.contains(character);
    let code = |character: char| format!("\\u{{{:x}}}", u32::from(character));
    text.chars().map(|c| if known(&c) { c.to_string() } else { code(c) }).collect()
}

/// Width in points of `text` set in `size` points.
pub fn width(text: &str, size: f64) -> f64 {
    register();
    let font = (FAMILY, HEIGHT).into_font();
    let (width, _) = font.box_size(&drawable(text)).unwrap_or_default();
    f64::from(width) * size / 1000.0
}

/// Width in points of the widest of `texts`; 0 if there are none.
pub fn widest<'a>(texts: impl IntoIterator<Item = &'a String>, size: f64) -> f64 {
    texts.into_iter().map(|text| width(text, size)).fold(0.0, f64::max)
}

/// `text` cut to `room` points, with an ellipsis if something was cut.
pub fn shorten(text: &str, size: f64, room: f64) -> String {
    let text = drawable(text);
    if width(&text, size) <= room {
        return text;
    }
    let ends = text.char_indices().map(|(end, _)| end).rev();
    let cut = ends.map(|end| format!("{}…", &text[..end]));
    cut.into_iter().find(|cut| width(cut, size) <= room).unwrap_or_else(|| "…".into())
}

/// `text` in lines of at most `room` points, broken at spaces; a longer word is cut.
pub fn wrap(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let joined = lines.last().map(|line| format!("{line} {word}"));
        match (joined, lines.last_mut()) {
            (Some(joined), Some(line)) if width(&joined, size) <= room => *line = joined,
            _ => lines.push(shorten(word, size, room)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_every_character_it_claims() {
        let text: String = CHARACTERS.iter().filter(|c| !c.is_whitespace()).collect();
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
        let svg = format!("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><text>{escaped}</text></svg>");
        let tree = usvg::Tree::from_str(&svg, reader()).unwrap();
        let usvg::Node::Text(node) = &tree.root().children()[0] else { panic!("no text") };
        let missing = |glyph: &usvg::layout::PositionedGlyph| glyph.id.0 == 0;
        let spans = node.layouted();
        assert!(spans.iter().flat_map(|span| &span.positioned_glyphs).all(|glyph| !missing(glyph)));
    }

    #[test]
    fn characters_without_a_glyph_are_written_as_codes() {
        assert_eq!(drawable("a中−␣"), "a\\u{4e2d}−␣");
    }

    #[test]
    fn text_is_cut_and_wrapped_to_its_room() {
        let lines = wrap("effects of patching the residual stream at each position", 8.0, 80.0);
        assert!(lines.len() > 1 && lines.iter().all(|line| width(line, 8.0) <= 80.0), "{lines:?}");
        assert!(shorten("unbelievably_long_token", 8.0, 40.0).ends_with('…'));
        assert_eq!(shorten("short", 8.0, 40.0), "short");
    }
}
