//! A diagram in TikZ, for papers: the same shapes, with names in the paper's own font.

use super::super::palette::{AXIS, Colour, INK};
use super::super::pen::{Anchor, Frame, Point, Type};
use super::look::{Look, Side};
use super::scene::Shape;
use super::{Diagram, Piece, Wire};

impl Diagram {
    /// A `tikzpicture`, to be put in by `\input`; the paper needs `\usepackage{tikz}`.
    pub fn tikz(&self) -> String {
        let mut tikz = format!("% {}\n% needs \\usepackage{{tikz}}\n", one_line(&self.title));
        tikz += &colours();
        tikz += "\\begin{tikzpicture}[x=1pt, y=1pt, spot/.style={draw=axis, fill=white, line width=0.5pt, \
                 inner sep=0pt, font=\\fontsize{6.5}{7}\\selectfont}, words/.style={inner sep=0pt, \
                 font=\\fontsize{#1}{#1}\\selectfont}]\n";
        if !self.spots.is_empty() {
            let scene = self.scene();
            let at = |(x, y): Point| format!("({x:.2},{:.2})", scene.size.1 - y);
            scene.shapes.iter().for_each(|shape| tikz += &drawn(shape, &at));
        }
        tikz + "\\end{tikzpicture}\n"
    }
}

/// The colours that the pen has, under names of their own.
fn colours() -> String {
    let named = [("lowers", Side::Below.colour()), ("raises", Side::Above.colour()), ("axis", AXIS), ("ink", INK)];
    let all = named.into_iter();
    all.map(|(name, colour)| format!("\\definecolor{{{name}}}{{HTML}}{{{}}}\n", code(colour))).collect()
}

fn code(colour: Colour) -> String {
    format!("{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
}

/// The name of a colour, or TikZ's own spelling of it.
fn name(colour: Colour) -> String {
    let known = [(Side::Below.colour(), "lowers"), (Side::Above.colour(), "raises"), (AXIS, "axis"), (INK, "ink")];
    let found = known.iter().find(|(other, _)| *other == colour).map(|(_, name)| (*name).to_string());
    let Colour { 0: red, 1: green, 2: blue } = colour;
    found.unwrap_or_else(|| format!("{{rgb,255:red,{red};green,{green};blue,{blue}}}"))
}

fn drawn(shape: &Shape, at: &impl Fn(Point) -> String) -> String {
    match shape {
        // a label has its ground with it, as another font takes other room
        Shape::Ground(_, _, Some(_)) => String::new(),
        Shape::Ground(frame, colour, None) => {
            let (from, to) = ((frame.left, frame.top), (frame.right(), frame.bottom()));
            format!("\\fill[fill={}] {} rectangle {};\n", name(*colour), at(from), at(to))
        }
        Shape::Curve(route, look, wire) => curve(route, look, *wire, at),
        Shape::Box(frame, spot) => {
            let Frame { width, height, .. } = *frame;
            let middle = at((frame.left + width / 2.0, frame.top + height / 2.0));
            let text = escape(&spot.text);
            format!("\\node[spot, minimum width={width:.2}pt, minimum height={height:.2}pt] at {middle} {{{text}}};\n")
        }
        Shape::Text(place, text, Type { size, anchor, colour, .. }, wire) => {
            let ground = wire.map_or("", |_| ", fill=white, inner sep=1pt");
            let anchor = match anchor {
                Anchor::Start => "west",
                Anchor::Middle => "center",
                Anchor::End => "east",
            };
            let (colour, text) = (name(*colour), escape(text));
            format!("\\node[words={size:.1}, text={colour}, anchor={anchor}{ground}] at {} {{{text}}};\n", at(*place))
        }
    }
}

fn curve(route: &[Piece], look: &Look, wire: Option<&Wire>, at: &impl Fn(Point) -> String) -> String {
    let start = route.first().map_or_else(String::new, |piece| at(piece[0]));
    let pieces = route.iter().map(|[_, a, b, to]| format!(" .. controls {} and {} .. {}", at(*a), at(*b), at(*to)));
    let pieces: String = pieces.collect();
    let dash = look.dash.map(|[on, off]| format!(", dash pattern=on {on}pt off {off}pt")).unwrap_or_default();
    let (colour, width, opacity) = (name(look.colour), look.width, look.opacity);
    let note = wire.map(|wire| format!(" % {}", one_line(&wire.note))).unwrap_or_default();
    format!("\\draw[draw={colour}, line width={width:.2}pt, opacity={opacity:.2}{dash}] {start}{pieces};{note}\n")
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Text with TeX's own characters as text.
fn escape(text: &str) -> String {
    let sign = |c: char| match c {
        '\\' => "\\textbackslash{}".to_string(),
        '~' => "\\textasciitilde{}".to_string(),
        '^' => "\\textasciicircum{}".to_string(),
        '−' => "$-$".to_string(),
        '#' | '$' | '%' | '&' | '_' | '{' | '}' => format!("\\{c}"),
        other => other.to_string(),
    };
    text.chars().map(sign).collect()
}
