//! What a diagram must hold.

use super::place::Layout;
use super::route::{inside, points, routes};
use super::*;

fn spot(name: &str, row: usize, column: Option<usize>) -> Spot {
    Spot { name: name.into(), row, column }
}

/// A grid of boxes, every one wired to all above it, and to and from bars at the ends.
fn grid(rows: usize, columns: usize, every: usize) -> Diagram {
    let mut spots = vec![spot("in", 0, None)];
    spots.extend((1..=rows).flat_map(|row| (0..columns).map(move |column| spot("a_1", row, Some(column)))));
    spots.push(spot("out", rows + 1, None));
    let pairs = (0..spots.len()).flat_map(|from| (0..spots.len()).map(move |to| (from, to)));
    let upwards = pairs.filter(|(from, to)| spots[*from].row < spots[*to].row).step_by(every);
    let wire = |(place, (from, to)): (usize, (usize, usize))| Wire {
        from,
        to,
        port: (place % 3) as f64 - 1.0,
        weight: (place as f64 + 1.0) * if place % 2 == 0 { 1.0 } else { -1.0 },
        note: format!("{from}>{to}"),
    };
    let wires = upwards.enumerate().map(wire).collect();
    let columns = (0..columns).map(|column| format!("column {column}")).collect();
    Diagram { title: "50% & more".into(), unit: "effect".into(), columns, spots, wires, legend: vec![] }
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
    assert_eq!(many.wires.iter().filter(|wire| wire.weight.abs() >= threshold).count(), super::ink::FULL);
    assert!(many.svg().contains(&format!("({} of {} edges)", many.wires.len() - super::ink::FULL, many.wires.len())));
    assert!(!few.svg().contains("faint"));
}

#[test]
fn tikz_draws_every_wire_and_box_once() {
    let diagram = grid(3, 3, 7);
    let tikz = diagram.tikz();
    assert_eq!(tikz.matches("\\draw[").count(), diagram.wires.len());
    assert_eq!(tikz.matches("\\node[").count(), diagram.spots.len());
    assert!(tikz.contains("{a\\_1}") && tikz.starts_with("% 50% & more\n"));
    assert_eq!(tikz.matches('{').count(), tikz.matches('}').count());
}
