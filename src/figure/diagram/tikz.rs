//! A diagram in TikZ, for papers: the same curves, with names in the paper's own font.

use super::super::pen::Point;
use super::Diagram;
use super::place::Layout;

/// The colours of wires, as the pen has them.
const COLOURS: &str = "\\definecolor{lowers}{HTML}{0072B2}\n\\definecolor{raises}{HTML}{D55E00}\n";

impl Diagram {
    /// A `tikzpicture`, to be put in by `\input`; the paper needs `\usepackage{tikz}`.
    pub fn tikz(&self) -> String {
        let layout = Layout::of(self);
        let at = |(x, y): Point| format!("({x:.2},{:.2})", layout.size.1 - y);
        let mut tikz = format!("% {}\n% needs \\usepackage{{tikz}}\n{COLOURS}", one_line(&self.title));
        tikz += "\\begin{tikzpicture}[x=1pt, y=1pt, spot/.style={draw=black!70, fill=white, line width=0.5pt, \
                 inner sep=0pt, font=\\fontsize{6.5}{7}\\selectfont}]\n";
        for (wire, route, look) in self.drawn(&layout) {
            let colour = if wire.weight < 0.0 { "lowers" } else { "raises" };
            let start = route.first().map_or_else(String::new, |piece| at(piece[0]));
            let pieces =
                route.iter().map(|[_, a, b, to]| format!(" .. controls {} and {} .. {}", at(*a), at(*b), at(*to)));
            let (width, opacity) = (look.width, look.opacity);
            tikz += &format!(
                "\\draw[{colour}, line width={width:.2}pt, opacity={opacity:.2}] {start}{}; % {}\n",
                pieces.collect::<String>(),
                one_line(&wire.note)
            );
        }
        for (spot, frame) in self.spots.iter().zip(&layout.frames) {
            let middle = at((frame.left + frame.width / 2.0, frame.top + frame.height / 2.0));
            let (width, height) = (frame.width, frame.height);
            let name = escape(&spot.name);
            tikz += &format!(
                "\\node[spot, minimum width={width:.2}pt, minimum height={height:.2}pt] at {middle} {{{name}}};\n"
            );
        }
        tikz + "\\end{tikzpicture}\n"
    }
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
        '#' | '$' | '%' | '&' | '_' | '{' | '}' => format!("\\{c}"),
        other => other.to_string(),
    };
    text.chars().map(sign).collect()
}
