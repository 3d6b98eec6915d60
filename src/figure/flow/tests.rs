//! What a flow diagram must hold.

use super::*;
use crate::table::{Row, Table};

/// Two layers and three positions of a site; the effect is 1 at the given cells and little elsewhere.
fn rows(site: &str, strong: &[(usize, usize)]) -> Vec<Row> {
    let cells = (0..2).flat_map(|layer| (0..3).map(move |position| (layer, position)));
    let row = |(layer, position): (usize, usize)| Row {
        method: "patch".into(),
        site: Some(format!("blocks.{layer}.{site}")),
        layer: Some(layer),
        position: Some(position),
        metric: "logit_diff".into(),
        effect: if strong.contains(&(layer, position)) { 1.0 } else { 0.01 },
        low: Some(-0.5),
        high: Some(1.5),
        n: 4,
        ..Row::default()
    };
    cells.map(row).collect()
}

fn table(rows: Vec<Row>) -> Table {
    let positions = ["a", "b", "c"].map(String::from).to_vec();
    Table { name: "01_patch".into(), title: "t".into(), facts: Default::default(), positions, rows }
}

fn glance(layer: usize, head: usize, (query, key): (usize, usize), share: f64) -> Glance {
    Glance { layer, head, query, key, share }
}

#[test]
fn a_place_has_a_dot_with_its_interval() {
    let table = table([rows("hook_resid_pre", &[(0, 1), (1, 2)]), rows("hook_mlp_out", &[])].concat());
    let [(stem, flow)] = flow_of(&table, &[]).try_into().unwrap();
    assert_eq!((stem.as_str(), flow.dots.len(), flow.stream), ("01_patch_flow", 12, Side::Before));
    assert_eq!(flow.dots[5].note, "resid pre, layer 1, c: 1.00 [−0.50, 1.50]");
    let svg = flow.svg();
    assert!(svg.contains("resid pre, layer 1, c: 1.00") && svg.contains("stream") && svg.contains("MLP"));
    assert!(svg.contains("lines: the smaller") && !svg.contains("arrows"), "there are none to be explained");
}

#[test]
fn arrows_join_places_with_effects_by_the_head_that_looks_most() {
    let strong = rows("hook_resid_pre", &[(0, 1), (1, 2)]);
    let looks = [
        glance(0, 3, (2, 1), 0.4),
        glance(0, 5, (2, 1), 0.6),
        glance(0, 5, (2, 0), 0.9), // from where nothing stands
        glance(0, 6, (2, 1), 0.1), // hardly looks
        glance(1, 0, (2, 1), 0.9), // out of the last row
    ];
    let flow = |rows: Vec<Row>| flow_of(&table(rows), &looks).remove(0).1;
    let found = flow(strong.clone());
    let [arrow] = found.arrows.as_slice() else { panic!("{:?}", found.arrows) };
    assert_eq!((arrow.row, arrow.key, arrow.query, arrow.share), (0, 1, 2, 0.6));
    assert!(arrow.note.starts_with("a0.h5 ") && found.svg().contains("a0.h5 looks here with 0.60"));
    // nobody brings itself anything
    let itself = [glance(0, 7, (1, 1), 0.9)];
    assert!(flow_of(&table(rows("hook_resid_pre", &[(0, 1), (1, 1)])), &itself).remove(0).1.arrows.is_empty());
    // where attention's own effect is known, it must be there too
    assert!(flow([strong.clone(), rows("hook_attn_out", &[])].concat()).arrows.is_empty());
    assert_eq!(flow([strong, rows("hook_attn_out", &[(0, 2)])].concat()).arrows.len(), 1);
}

#[test]
fn behind_a_layer_arrows_end_at_its_own_row() {
    let strong = rows("hook_resid_post", &[(0, 1), (1, 2)]);
    let found = flow_of(&table(strong), &[glance(1, 2, (2, 1), 0.5), glance(0, 2, (2, 1), 0.5)]).remove(0).1;
    assert_eq!(found.stream, Side::Behind);
    assert_eq!(found.arrows.iter().map(|arrow| arrow.row).collect::<Vec<_>>(), [1]);
}

#[test]
fn other_tables_have_no_flow() {
    let heads = rows("attn.hook_z", &[]);
    let one = rows("hook_resid_pre", &[]).into_iter().filter(|row| row.layer == Some(0)).collect();
    let of_items = rows("hook_resid_pre", &[]).into_iter().map(|row| Row { item: Some(0), ..row }).collect();
    for rows in [heads, one, of_items, Vec::new()] {
        assert!(flow_of(&table(rows), &[]).is_empty());
    }
}
