//! What a diagram must hold.

use super::super::pen::Frame;
use super::legend::Line;
use super::place::Layout;
use super::route::{inside, points, routes};
use super::*;

fn spot(name: &str, row: usize, column: Option<usize>) -> Spot {
    Spot { name: name.into(), text: name.into(), row, column }
}

/// A grid of boxes, every one wired to all above it, and to and from bars at the ends.
fn grid(rows: usize, columns: usize, every: usize) -> Diagram {
    let mut spots = vec![spot("in", 0, None)];
    spots.extend((1..=rows).flat_map(|row| (0..columns).map(move |column| spot("a_1", row, Some(column)))));
    spots.push(spot("out", rows + 1, None));
    let pairs = (0..spots.len()).flat_map(|from| (0..spots.len()).map(move |to| (from, to)));
    let upwards = pairs.filter(|(from, to)| spots[*from].row < spots[*to].row).step_by(every);
    let wire = |(place, (from, to)): (usize, (usize, usize))| Wire {
        name: format!("{from}->{to}"),
        kind: Kind::Edge,
        label: None,
        from,
        to,
        port: (place % 3) as f64 - 1.0,
        weight: (place as f64 + 1.0) * if place % 2 == 0 { 1.0 } else { -1.0 },
        note: format!("{from}>{to}"),
    };
    let wires = upwards.enumerate().map(wire).collect();
    let columns = (0..columns).map(|column| format!("column {column}")).collect();
    let bands = (1..=rows).map(|row| Band { name: format!("band {row}"), rows: row..row + 1 }).collect();
    let signs = ["lowers".into(), "raises".into()];
    Diagram {
        title: "50% & more".into(),
        unit: "effect".into(),
        signs,
        columns,
        bands,
        spots,
        wires,
        ..Diagram::default()
    }
}

/// Wires inside of nodes are drawn, and count for nothing else.
#[test]
fn a_wire_inside_has_no_weight_and_no_label() {
    let plain = grid(3, 3, 7);
    let mut more = plain.clone();
    let inside = |wire: &Wire| Wire { kind: Kind::Inside, weight: 0.0, ..wire.clone() };
    more.wires.extend(plain.wires.iter().take(5).map(inside));
    assert_eq!(plain.legend_lines(7.0), more.legend_lines(7.0));
    let layout = Layout::of(&more);
    let labelled = more.labels(&layout, &more.drawn(&layout));
    let drawn = more.drawn(&layout);
    assert!(labelled.iter().all(|(place, _)| drawn[*place].0.kind == Kind::Edge));
    assert_eq!(more.svg().matches("data-inside=").count(), 5);
    assert_eq!(more.svg().matches("data-edge=").count(), plain.svg().matches("data-edge=").count());
}

#[test]
fn groups_stand_below_their_columns_with_lines_between() {
    let mut diagram = grid(2, 4, 3);
    diagram.columns = vec![String::new(); 4];
    let group = |name: &str, columns| Group { name: name.into(), columns };
    diagram.groups = vec![group("one", 0..1), group("a longer name of several words", 1..4)];
    let svg = diagram.svg();
    assert!(svg.contains("a longer name of several words"));
    let layout = Layout::of(&diagram);
    let wide = crate::figure::font::widest([&diagram.groups[1].name], super::place::NAME);
    assert!(layout.lanes[4] - layout.lanes[1] > wide);
    assert_eq!(layout.lanes.len(), 5);
}

#[test]
fn no_wire_crosses_a_box() {
    for diagram in [grid(3, 3, 7), grid(6, 4, 1), grid(9, 5, 3)] {
        let layout = Layout::of(&diagram);
        for (wire, route) in diagram.wires.iter().zip(routes(&diagram, &layout)) {
            let path = points(&route);
            for (spot, frame) in layout.frames.iter().enumerate() {
                let ends = spot == wire.from || spot == wire.to;
                let hit = path.windows(2).flat_map(|pair| {
                    (0..=50).map(move |step| {
                        let share = f64::from(step) / 50.0;
                        (pair[0].0 + (pair[1].0 - pair[0].0) * share, pair[0].1 + (pair[1].1 - pair[0].1) * share)
                    })
                });
                assert!(ends || !hit.into_iter().any(|point| inside(*frame, point, 0.0)), "{} at {spot}", wire.note);
            }
        }
    }
}

#[test]
fn a_wire_begins_and_ends_at_its_boxes_and_only_rises() {
    let diagram = grid(6, 4, 1);
    let layout = Layout::of(&diagram);
    for (wire, route) in diagram.wires.iter().zip(routes(&diagram, &layout)) {
        let path = points(&route);
        let (from, to) = (layout.frames[wire.from], layout.frames[wire.to]);
        let (first, last) = (path[0], path[path.len() - 1]);
        assert!(first.1 == from.top && first.0 >= from.left && first.0 <= from.right(), "{}", wire.note);
        assert!(last.1 == to.bottom() && last.0 >= to.left && last.0 <= to.right(), "{}", wire.note);
        assert!(path.is_sorted_by(|a, b| a.1 >= b.1), "{}", wire.note);
    }
}

#[test]
fn the_strongest_are_in_full_and_the_legend_says_from_where() {
    let (few, many) = (grid(3, 3, 7), grid(6, 4, 1));
    assert_eq!(few.threshold(), None);
    let threshold = many.threshold().unwrap();
    assert_eq!(many.wires.iter().filter(|wire| wire.weight.abs() >= threshold).count(), super::look::FULL);
    let legend: String = many.legend_lines(8.0).iter().map(|line| format!("{} ", line.text())).collect();
    let counts = format!("({} of {} edges)", many.wires.len() - super::look::FULL, many.wires.len());
    assert!(legend.contains(&counts) && legend.contains("lowers") && legend.contains("raises"), "{legend}");
    assert!(!few.svg().contains("pale"));
}

#[test]
fn labels_cover_no_box_and_no_other_label() {
    for diagram in [grid(3, 3, 7), grid(6, 4, 1), grid(9, 5, 3)] {
        let layout = Layout::of(&diagram);
        let labels = diagram.labels(&layout, &diagram.drawn(&layout));
        let frames: Vec<_> = labels.iter().map(|(_, label)| label.frame).chain(layout.frames.iter().copied()).collect();
        assert!(!labels.is_empty());
        for (place, (_, label)) in labels.iter().enumerate() {
            let apart = |other: &Frame| {
                let own = label.frame;
                let beside = own.right() <= other.left || other.right() <= own.left;
                beside || own.bottom() <= other.top || other.bottom() <= own.top
            };
            let others = frames.iter().enumerate().filter(|(other, _)| *other != place);
            assert!(others.into_iter().all(|(_, other)| apart(other)), "{}", label.text);
        }
    }
}

#[test]
fn signs_are_told_apart_without_colour_where_there_are_both() {
    let mut diagram = grid(3, 3, 7);
    assert_eq!((diagram.look(1.0).dash.is_some(), diagram.look(-1.0).dash), (true, None));
    diagram.wires.iter_mut().for_each(|wire| wire.weight = wire.weight.abs());
    assert_eq!(diagram.look(1.0).dash, None);
    assert!(!diagram.legend_lines(8.0).iter().any(|line| line.text() == "lowers"));
}

#[test]
fn tikz_draws_what_the_svg_draws() {
    let diagram = Diagram { left_out: 7, ..grid(3, 3, 7) };
    let (svg, tikz) = (diagram.svg(), diagram.tikz());
    let samples = diagram.legend_lines(8.0).iter().filter(|line| matches!(line, Line::Sample(..))).count();
    assert_eq!(tikz.matches("\\draw[").count(), diagram.wires.len() + samples);
    assert_eq!(tikz.matches("\\node[spot,").count(), diagram.spots.len());
    assert_eq!(svg.matches("data-edge=").count(), diagram.wires.len());
    assert_eq!(svg.matches("data-node=").count(), diagram.spots.len());
    // of a label the ground and the words
    assert_eq!(svg.matches("data-label=").count(), 2 * tikz.matches("inner sep=1pt]").count());
    for words in ["column 1", "band 2", "7 weaker edges not", "raises"] {
        assert!(svg.contains(words) && tikz.contains(words), "{words}");
    }
    assert!(tikz.contains("{a\\_1}") && tikz.starts_with("% 50% & more\n"));
    assert_eq!(tikz.matches('{').count(), tikz.matches('}').count());
    assert!(!tikz.contains('−'), "TeX has a minus of its own");
}
