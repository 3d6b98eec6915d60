//! Claims about which figure shows which table.

use super::super::{Figure, Scale};
use super::figures_of;
use crate::table::{Row, Table};
use indexmap::IndexMap;

fn row(layer: usize, head: Option<usize>, position: Option<usize>, effect: f64) -> Row {
    Row {
        method: "patch".into(),
        site: Some("hook_z".into()),
        layer: Some(layer),
        head,
        position,
        metric: "logit_diff".into(),
        effect,
        low: Some(effect - 1.0),
        high: Some(effect + 1.0),
        p: Some(if effect > 2.0 { 0.01 } else { 0.5 }),
        n: 10,
        ..Row::default()
    }
}

fn table(rows: Vec<Row>) -> Table {
    let positions = vec!["The".into(), " <cat>".into()];
    Table { name: "01".into(), title: "Patching".into(), facts: IndexMap::new(), positions, rows }
}

fn grid(layers: usize, heads: usize) -> Vec<Row> {
    let at = |index: usize| row(index / heads, Some(index % heads), None, index as f64 - 1.0);
    (0..layers * heads).map(at).collect()
}

/// The only figure of a table of `rows`.
fn only(rows: Vec<Row>) -> Figure {
    let mut figures = figures_of(&table(rows));
    assert_eq!(figures.len(), 1);
    figures.remove(0).1
}

#[test]
fn layers_by_heads_is_a_map_with_its_significant_cells_marked() {
    let Figure::HeatMap(map) = only(grid(2, 3)) else { panic!("no map") };
    assert_eq!((map.x_title.as_str(), map.y_title.as_str()), ("Head", "Layer"));
    assert_eq!(map.values, ndarray::array![[-1.0, 0.0, 1.0], [2.0, 3.0, 4.0]]);
    assert_eq!(map.marks, ndarray::array![[false, false, false], [false, true, true]]);
    assert_eq!(map.scale, Scale::Diverging);
}

#[test]
fn positions_are_named_by_their_tokens_and_missing_cells_stay_empty() {
    let rows = vec![row(0, None, Some(0), 1.0), row(0, None, Some(1), 2.0), row(1, None, Some(0), f64::NAN)];
    let Figure::HeatMap(map) = only(rows) else { panic!("no map") };
    assert_eq!(map.x, ["The", "␣<cat>"]);
    assert!(map.values[(1, 0)].is_nan() && map.values[(1, 1)].is_nan());
    assert_eq!(map.scale, Scale::Sequential);
    assert!(Figure::HeatMap(map).svg().contains("␣&lt;cat&gt;"));
}

#[test]
fn rows_of_single_items_are_not_drawn() {
    let mut rows = grid(2, 3);
    rows.extend(grid(2, 3).into_iter().map(|row| Row { item: Some(1), effect: 99.0, ..row }));
    let Figure::HeatMap(map) = only(rows) else { panic!("no map") };
    assert!(map.values.iter().all(|value| *value < 9.0));
}

#[test]
fn layers_alone_are_curves_with_a_series_for_each_site() {
    let site =
        |layer: usize, name: &str| Row { site: Some(format!("blocks.{layer}.{name}")), ..row(layer, None, None, 1.0) };
    let rows = (0..4).flat_map(|layer| [site(layer, "hook_mlp_out"), site(layer, "hook_attn_out")]).collect();
    let Figure::Curves(curves) = only(rows) else { panic!("no curves") };
    assert_eq!(curves.x, ["0", "1", "2", "3"]);
    let names: Vec<_> = curves.series.iter().map(|series| (series.name.as_str(), series.points.len())).collect();
    assert_eq!(names, [("mlp out", 4), ("attn out", 4)]);
}

#[test]
fn a_few_heads_here_and_there_are_bars() {
    let rows = (0..5).map(|layer| row(layer, Some(7 - layer), None, 1.0)).collect();
    let Figure::Bars(bars) = only(rows) else { panic!("no bars") };
    assert_eq!(bars.bars[1].label, "L1H6");
    assert_eq!((bars.bars[1].low, bars.bars[1].high), (Some(0.0), Some(2.0)));
}

#[test]
fn three_axes_are_panels_or_the_largest_over_the_third() {
    let cube = |layers: usize| -> Vec<Row> {
        let cell = |index: usize| row(index / 4, Some(index / 2 % 2), Some(index % 2), index as f64);
        (0..layers * 4).map(cell).collect()
    };
    let Figure::Panels(panels) = only(cube(24)) else { panic!("no panels") };
    assert_eq!((panels.panels.len(), panels.panels[3].title.as_str()), (24, "Layer 3"));
    let Figure::HeatMap(map) = only(cube(25)) else { panic!("no map") };
    assert_eq!(map.title, "Patching (largest |effect| over positions)");
    assert_eq!(map.values[(1, 1)], 7.0);
}

#[test]
fn many_neurons_are_the_largest_of_them() {
    let neuron = |index: usize| Row { neuron: Some(index), ..row(index % 2, None, None, index as f64) };
    let Figure::Bars(bars) = only((0..500).map(neuron).collect()) else { panic!("no bars") };
    assert_eq!((bars.bars.len(), bars.bars[0].label.as_str()), (30, "L1N499"));
    assert!(bars.title.contains("30 largest of 500"));
}

#[test]
fn metrics_have_figures_of_their_own() {
    let mut rows = grid(2, 3);
    rows.extend(grid(2, 3).into_iter().map(|row| Row { metric: "kl".into(), ..row }));
    let stems: Vec<_> = figures_of(&table(rows)).into_iter().map(|(stem, _)| stem).collect();
    assert_eq!(stems, ["01_logit_diff", "01_kl"]);
}

/// The rows once more by another method.
fn by_two(rows: Vec<Row>) -> Vec<Row> {
    let other = rows.clone().into_iter().map(|row| Row { method: "random".into(), effect: 0.5, ..row });
    rows.into_iter().chain(other.collect::<Vec<_>>()).collect()
}

#[test]
fn methods_at_the_same_places_stand_side_by_side() {
    let Figure::Panels(panels) = only(by_two(grid(2, 3))) else { panic!("no panels") };
    let titles: Vec<_> = panels.panels.iter().map(|panel| panel.title.as_str()).collect();
    assert_eq!((titles, panels.title.as_str()), (vec!["patch", "random"], "Patching"));
    assert!(panels.panels[1].values.iter().all(|value| *value == 0.5) && panels.panels[0].values[(1, 2)] == 4.0);
    let Figure::Curves(curves) = only(by_two((0..4).map(|layer| row(layer, None, None, 1.0)).collect())) else {
        panic!("no curves")
    };
    assert_eq!(curves.series.iter().map(|series| series.name.as_str()).collect::<Vec<_>>(), ["patch", "random"]);
    let Figure::Bars(bars) = only(by_two(vec![row(0, None, None, 1.0)])) else { panic!("no bars") };
    assert_eq!(bars.bars.iter().map(|bar| bar.label.as_str()).collect::<Vec<_>>(), ["patch", "random"]);
    assert_eq!(bars.x_title, "Method");
}

#[test]
fn intervals_follow_the_normalised_effect_or_it_is_not_shown() {
    let scaled = |row: Row| Row { normalised: Some(row.effect / -2.0), ..row };
    let heads = |layer| (0..3).map(move |head| row(layer, Some(head), None, head as f64 + 1.0));
    let Figure::Bars(bars) = only(heads(1).map(scaled).collect()) else { panic!("no bars") };
    assert_eq!((bars.bars[2].value, bars.bars[2].low, bars.bars[2].high), (-1.5, Some(-2.0), Some(-1.0)));
    let free = |row: Row| Row { normalised: Some(row.effect.powi(2)), ..row };
    let Figure::Bars(bars) = only(heads(1).map(free).collect()) else { panic!("no bars") };
    assert_eq!((bars.bars[2].value, bars.y_title.as_str()), (3.0, "Effect on logit difference"));
}

#[test]
fn one_number_and_no_number_have_no_figure() {
    assert!(figures_of(&table(vec![])).is_empty());
    assert!(figures_of(&table(vec![row(0, None, None, 1.0)])).is_empty());
}
