//! Claims about figures.

use super::export::FigureError;
use super::font;
use super::*;
use ndarray::Array2;
use resvg::usvg;

/// Whole units of the SVG against fractions of a point, in pixels.
const SLACK: f32 = 0.1;
const HOSTILE: &str = "<a href=\"x\">&'\u{0}\u{1b} 中\n";

fn names(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{HOSTILE}{index}")).collect()
}

fn map(values: Array2<f64>, scale: Scale) -> HeatMap {
    HeatMap {
        title: HOSTILE.into(),
        x_title: HOSTILE.into(),
        y_title: HOSTILE.into(),
        value_title: HOSTILE.into(),
        x: names(values.ncols()),
        y: names(values.nrows()),
        marks: values.mapv(|value: f64| value > 0.5),
        mark_title: "p < 0.05".into(),
        values,
        scale,
    }
}

/// Matrices that have broken plots before: empty, single, without a number, all alike, beyond range.
fn degenerate() -> Vec<Array2<f64>> {
    let full = |rows, columns, value| Array2::from_elem((rows, columns), value);
    vec![
        full(0, 0, 0.0),
        full(0, 3, 0.0),
        full(1, 1, 0.0),
        full(1, 1, f64::NAN),
        full(3, 4, f64::NAN),
        full(3, 4, -0.25),
        full(2, 2, f64::INFINITY),
        full(1, 2, f64::MAX),
        full(2, 1, 5e-324),
        full(40, 200, 1e-9),
        Array2::from_shape_vec((2, 2), vec![f64::NAN, f64::MIN, 1.0, f64::NEG_INFINITY]).unwrap(),
    ]
}

fn figures() -> Vec<Figure> {
    let mut figures = Vec::new();
    for (values, scale) in
        degenerate().into_iter().flat_map(|m| [(m.clone(), Scale::Diverging), (m, Scale::Sequential)])
    {
        let one = map(values, scale);
        figures.push(Figure::Panels(panels(&one, 5)));
        figures.push(Figure::Curves(curves(one.values.iter().copied())));
        figures.push(Figure::Bars(bars(one.values.iter().copied())));
        figures.push(Figure::HeatMap(one));
    }
    figures
}

fn panels(one: &HeatMap, count: usize) -> Panels {
    let panel = Panel { title: HOSTILE.into(), values: one.values.clone(), marks: one.marks.clone() };
    Panels {
        title: one.title.clone(),
        x_title: one.x_title.clone(),
        y_title: one.y_title.clone(),
        value_title: one.value_title.clone(),
        x: one.x.clone(),
        y: one.y.clone(),
        panels: vec![panel; count],
        columns: None,
        mark_title: one.mark_title.clone(),
        scale: one.scale,
    }
}

fn curves(values: impl Iterator<Item = f64>) -> Curves {
    let point = |(x, y): (usize, f64)| Estimate { x: x as f64, y, low: Some(y - 1.0), high: Some(y + 1.0) };
    let series = Series { name: HOSTILE.into(), points: values.enumerate().map(point).collect() };
    let (title, x_title, y_title) = (HOSTILE.into(), HOSTILE.into(), HOSTILE.into());
    Curves { title, x_title, y_title, x: Vec::new(), series: vec![series; 9] }
}

fn bars(values: impl Iterator<Item = f64>) -> Bars {
    let bar = |value: f64| Bar { label: HOSTILE.into(), value, low: Some(value), high: None, mark: true };
    let (title, x_title, y_title) = (HOSTILE.into(), HOSTILE.into(), HOSTILE.into());
    Bars { title, x_title, y_title, bars: values.map(bar).collect(), mark_title: HOSTILE.into(), base: 0.0 }
}

#[test]
fn every_figure_is_valid_svg_whatever_its_numbers_and_names() {
    for figure in figures() {
        let svg = figure.svg_with_font();
        let tree = usvg::Tree::from_str(&svg, font::reader()).unwrap_or_else(|error| panic!("{error}\n{svg}"));
        assert!(tree.size().width() > 0.0 && !figure.svg().contains("=\"NaN"), "{svg}");
    }
}

#[test]
fn every_figure_becomes_a_pdf_with_text_and_a_png() -> Result<(), FigureError> {
    let figure = Figure::HeatMap(map(Array2::from_elem((2, 3), 0.5), Scale::Diverging));
    let [(_, svg), (_, pdf), (_, png)] = figure.files()?;
    assert!(pdf.starts_with(b"%PDF") && pdf.windows(10).any(|bytes| bytes == b"/ToUnicode"));
    assert!(png.starts_with(b"\x89PNG"));
    assert!(svg.len() < 200_000);
    Ok(())
}

/// Where the letters themselves are, without the space of their line.
fn ink(text: &usvg::Text) -> usvg::Rect {
    text.flattened().bounding_box().transform(text.abs_transform()).unwrap()
}

/// Every text and shape of the tree with its place.
fn parts(group: &usvg::Group) -> Vec<(String, usvg::Rect)> {
    let part = |node: &usvg::Node| match node {
        usvg::Node::Group(group) => parts(group),
        usvg::Node::Text(text) => {
            vec![(text.chunks().iter().map(|chunk| chunk.text()).collect(), ink(text))]
        }
        shape => vec![("shape".into(), shape.abs_bounding_box())],
    };
    group.children().iter().flat_map(part).collect()
}

#[test]
fn nothing_is_clipped() {
    for figure in figures() {
        let svg = figure.svg();
        let tree = usvg::Tree::from_str(&svg, font::reader()).unwrap();
        let (width, height) = (tree.size().width(), tree.size().height());
        for (text, place) in parts(tree.root()) {
            let inside = place.left() >= -SLACK && place.top() >= -SLACK;
            let inside = inside && place.right() <= width + SLACK && place.bottom() <= height + SLACK;
            assert!(inside, "{text} {place:?}\n{svg}");
        }
    }
}

#[test]
fn no_text_stands_on_another() {
    for figure in figures() {
        let svg = figure.svg();
        let tree = usvg::Tree::from_str(&svg, font::reader()).unwrap();
        let texts: Vec<_> = parts(tree.root()).into_iter().filter(|(text, _)| text != "shape").collect();
        for (index, (text, a)) in texts.iter().enumerate() {
            for (other, b) in &texts[..index] {
                let across = a.right().min(b.right()) - a.left().max(b.left());
                let down = a.bottom().min(b.bottom()) - a.top().max(b.top());
                assert!(across < 1.0 || down < 1.0, "{text} on {other}: {a:?} {b:?}\n{svg}");
            }
        }
    }
}

#[test]
fn a_figure_makes_three_files() {
    let files = Figure::Bars(bars([1.0, -2.0].into_iter())).files().unwrap();
    assert_eq!(files.each_ref().map(|(ending, _)| *ending), ["svg", "pdf", "png"]);
    assert!(files.iter().all(|(_, content)| content.len() > 500));
}

#[test]
fn a_pdf_is_the_same_every_time() {
    // bands, lines and text have several graphics states, which svg2pdf keeps in a hash map
    let figure = Figure::Curves(curves([0.5, 1.0, 2.0].into_iter()));
    let first = figure.pdf().unwrap();
    assert!((0..16).all(|_| figure.pdf().unwrap() == first));
}
