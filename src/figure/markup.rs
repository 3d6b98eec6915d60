//! From the SVG that plotters writes to one that is small, titled and made for editing.

use super::font::FAMILY;
use std::collections::BTreeMap;

/// What plotters cannot write, by the number of its element.
#[derive(Default)]
pub struct Extras {
    /// What a reader sees who points at it.
    pub notes: BTreeMap<usize, String>,
    /// Lengths of dashes.
    pub dashes: BTreeMap<usize, String>,
    /// Names and values of `data-` attributes.
    pub tags: BTreeMap<usize, (&'static str, String)>,
}

/// The document in points: its text as single elements, the extras put in.
pub fn tidy(svg: &str, (width, height): (f64, f64), units: f64, label: &str, extras: &Extras) -> String {
    let (wide, high) = ((width * units).round(), (height * units).round());
    let head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.2}pt\" height=\"{height:.2}pt\" \
         viewBox=\"0 0 {wide} {high}\" font-family=\"{FAMILY}, sans-serif\" stroke-linejoin=\"round\" \
         role=\"img\" aria-label=\"{}\">\n",
        escape(label)
    );
    let body = svg.split_once('\n').map_or("", |(_, body)| body).replace("\n</text>", "</text>");
    let mut tidied = head;
    let mut element = 0;
    for line in body.lines() {
        tidied += &tidy_line(line, element, extras);
        // A text's own line follows that of its tag.
        element += usize::from(line.starts_with('<'));
        tidied += if line.starts_with("<text") { "" } else { "\n" };
    }
    tidied
}

fn tidy_line(line: &str, element: usize, extras: &Extras) -> String {
    if !line.starts_with('<') {
        return line.to_owned();
    }
    let line = line.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "");
    let line = round_size(&line.replace(&format!(" font-family=\"{FAMILY}\""), ""));
    let line = match extras.dashes.get(&element) {
        Some(lengths) => line.replace("/>", &format!(" stroke-dasharray=\"{lengths}\"/>")),
        None => line,
    };
    let line = match (extras.tags.get(&element), line.split_once(' ')) {
        (Some((name, value)), Some((tag, rest))) => format!("{tag} data-{name}=\"{}\" {rest}", escape(value)),
        _ => line,
    };
    match (extras.notes.get(&element), line.strip_suffix("/>")) {
        (Some(note), Some(tag)) => {
            let name: String = tag[1..].chars().take_while(char::is_ascii_alphabetic).collect();
            format!("{tag}><title>{}</title></{name}>", escape(note))
        }
        _ => line,
    }
}

/// plotters' division leaves sizes such as 160.00000000000003.
fn round_size(line: &str) -> String {
    let name = "font-size=\"";
    let Some((before, rest)) = line.split_once(name) else { return line.to_owned() };
    let Some((size, after)) = rest.split_once('"') else { return line.to_owned() };
    let size = size.parse().map_or(size.to_owned(), |size: f64| format!("{size:.0}"));
    format!("{before}{name}{size}\"{after}")
}

/// `text` as XML content or attribute.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            // XML has no place for these, not even as references.
            control if control.is_control() => escaped.push(' '),
            plain => escaped.push(plain),
        }
    }
    escaped
}
