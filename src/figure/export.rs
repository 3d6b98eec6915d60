//! A figure's files: SVG for the web, PDF for papers, PNG for slides.

use super::{Figure, font};
use resvg::{tiny_skia, usvg};

/// Pixels of the PNG for each of the 96 in an inch of CSS: 192 to the inch.
const PNG_SCALE: f32 = 2.0;
/// CSS pixels to the inch, by which usvg turns points into its own units.
const DOTS: f32 = 96.0;

/// Why a figure's SVG could not become another format.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// The SVG was not understood.
    #[error("the figure's SVG could not be read: {0}")]
    Svg(#[from] usvg::Error),
    /// The PDF could not be made.
    #[error("the figure could not become a PDF: {0}")]
    Pdf(String),
    /// The PNG could not be made.
    #[error("the figure could not become a PNG of {0} by {1} pixels: too large or empty")]
    Png(u32, u32),
}

impl Figure {
    /// The SVG with its font inside, which looks the same wherever it is opened.
    pub fn svg_with_font(&self) -> String {
        let style = format!("<style>{}</style>\n", font::face());
        let svg = self.svg();
        let (head, body) = svg.split_once('\n').unwrap_or((&svg, ""));
        format!("{head}\n{style}{body}")
    }

    /// A PDF page of the figure's own size, with text as text.
    ///
    /// # Errors
    /// When svg2pdf refuses, which is a fault of this program.
    pub fn pdf(&self) -> Result<Vec<u8>, FigureError> {
        let tree = usvg::Tree::from_str(&self.svg(), font::reader())?;
        let page = svg2pdf::PageOptions { dpi: DOTS };
        svg2pdf::to_pdf(&tree, svg2pdf::ConversionOptions::default(), page)
            .map(|pdf| in_order(&pdf))
            .map_err(|error| FigureError::Pdf(error.to_string()))
    }

    /// A PNG of 192 pixels to the inch, on white.
    ///
    /// # Errors
    /// When there is not the memory for it.
    pub fn png(&self) -> Result<Vec<u8>, FigureError> {
        let tree = usvg::Tree::from_str(&self.svg(), font::reader())?;
        let size = tree.size();
        let (width, height) = ((size.width() * PNG_SCALE).ceil(), (size.height() * PNG_SCALE).ceil());
        let (width, height) = (width as u32, height as u32);
        let failed = || FigureError::Png(width, height);
        let mut image = tiny_skia::Pixmap::new(width, height).ok_or_else(failed)?;
        image.fill(tiny_skia::Color::WHITE);
        resvg::render(&tree, tiny_skia::Transform::from_scale(PNG_SCALE, PNG_SCALE), &mut image.as_mut());
        image.encode_png().map_err(|_| failed())
    }

    /// The figure's files: extension and content.
    ///
    /// # Errors
    /// As [`Figure::pdf`] and [`Figure::png`].
    pub fn files(&self) -> Result<[(&'static str, Vec<u8>); 3], FigureError> {
        Ok([("svg", self.svg_with_font().into_bytes()), ("pdf", self.pdf()?), ("png", self.png()?)])
    }
}

/// The same PDF with neighbouring references of a dictionary in order, as svg2pdf writes resources in one that chance gives.
///
/// The order in a dictionary means nothing to a reader, and no byte moves beyond its own dictionary.
fn in_order(pdf: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = pdf.split(|byte| *byte == b'\n').collect();
    for run in lines.chunk_by_mut(|a, b| is_reference(a) && is_reference(b)) {
        run.sort_unstable();
    }
    lines.join(&b'\n')
}

/// Whether a line of a PDF is an entry `/name 7 0 R`.
fn is_reference(line: &[u8]) -> bool {
    let words: Vec<&[u8]> = line.trim_ascii().split(|byte| *byte == b' ').collect();
    match words.as_slice() {
        [name, number, b"0", b"R"] => name.starts_with(b"/") && number.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}
