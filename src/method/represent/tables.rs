//! What is told of spaces, as tables.

use super::between::keep;
use super::geometry::Told;
use crate::method::{Bench, Finding, blank, table};
use crate::plan::{Cell, Representing};
use crate::table::{Row, Table};
use patchclamp_probes::holm_known;

/// The metric of rows that hold two spaces against each other.
pub(super) const ALIGNMENT: &str = "alignment";
/// The metric of rows that hold two geometries against each other.
pub(super) const AGREEMENT: &str = "agreement";
/// What stands between the names of two spaces that are held against each other.
pub const BETWEEN: &str = " ~ ";
/// What stands between a table's name and that of the variant that it is held against.
pub const AGAINST: &str = ".against.";

/// Tables of geometry, alignment and dimension, and the states they are of.
pub(super) fn finding(bench: &Bench, plan: &Representing, told: &[Told], alike: &[Vec<Option<f64>>]) -> Finding {
    let mut finding = Finding::default();
    finding.tables.extend(geometry(bench, plan, told));
    finding.tables.push(alignment(bench, plan, alike));
    finding.tables.push(dimension(bench, plan, told));
    keep(&mut finding, plan, bench.items.len(), told.iter().map(|told| told.states.as_slice()).collect());
    finding
}

/// What spaces were made of, for the facts of a table.
pub(super) fn put_facts(table: &mut Table, plan: &Representing) {
    let facts = [
        ("alignment", plan.alignment.to_string()),
        ("agreement", format!("{} of dissimilarities of {} conditions", plan.similarity, plan.count())),
        ("dissimilarity", plan.distance.to_string()),
    ];
    table.facts.extend(facts.map(|(name, value)| (name.to_string(), value)));
}

/// What a cell is called beside others: `layer 3 head 1`, with its site where there are several.
pub(super) fn cell_name(plan: &Representing, cell: usize) -> String {
    let of = &plan.sweep.cells[cell];
    let several = plan.sweep.cells.iter().any(|other| other.name != of.name);
    let site = (several || of.layer.is_none()).then(|| of.name.clone());
    let part = |word: &str, index: Option<usize>| index.map(|index| format!("{word} {index}"));
    let parts = [site, part("layer", of.layer), part("head", of.head), part("position", of.position)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The place of a cell, as a row has it.
fn place(bench: &Bench, cell: &Cell) -> Row {
    let Cell { name, layer, head, position, .. } = cell;
    Row {
        site: Some(name.clone()),
        layer: *layer,
        head: *head,
        position: *position,
        ..blank("represent", bench.metric)
    }
}

/// How the geometry of each cell agrees with the models; nothing where neither models nor subjects were named.
fn geometry(bench: &Bench, plan: &Representing, told: &[Told]) -> Option<Table> {
    if plan.models.is_empty() {
        return None;
    }
    let mut main = table("represent.geometry", "What predicts how states lie", bench);
    put_facts(&mut main, plan);
    main.facts.shift_remove("alignment");
    for (cell, told) in plan.sweep.cells.iter().zip(told) {
        let row = |what: &str, values: Option<[f64; 3]>| {
            let place = Row { metric: format!("{AGREEMENT}, {what}"), n: plan.count(), ..place(bench, cell) };
            let [effect, low, high] = values.map_or([None; 3], |values| values.map(Some));
            Row { effect: effect.unwrap_or(f64::NAN), low, high, ..place }
        };
        let alone =
            |what: &str, value: Option<f64>| Row { low: None, high: None, ..row(what, value.map(|value| [value; 3])) };
        for ((name, _), agreed) in plan.models.iter().zip(&told.models) {
            main.rows.push(Row { p: agreed.p, ..row(name, agreed.agreement) });
            main.rows.push(row(&format!("{name} shuffled"), agreed.shuffled));
            if plan.random_models > 0 {
                main.rows.push(alone(&format!("{name} random weights"), agreed.twins));
            }
        }
        if let Some([low, high]) = told.ceiling {
            main.rows.push(alone("ceiling from below", Some(low)));
            main.rows.push(alone("ceiling from above", Some(high)));
        }
    }
    let tested: Vec<Option<f64>> = main.rows.iter().map(|row| row.p).collect();
    main.rows.iter_mut().zip(holm_known(&tested)).for_each(|(row, p)| row.p = p);
    let rows = tested.iter().flatten().count();
    main.facts.insert("p".into(), format!("conditions named at random, one-sided, Holm over {rows} rows"));
    Some(main)
}

/// Every two cells, up the first and across the second.
fn alignment(bench: &Bench, plan: &Representing, alike: &[Vec<Option<f64>>]) -> Table {
    let mut main = table("represent.alignment", "Which spaces are alike", bench);
    put_facts(&mut main, plan);
    for (first, alike) in alike.iter().enumerate() {
        for (second, value) in alike.iter().enumerate() {
            let site = Some(format!("{}{BETWEEN}{}", cell_name(plan, first), cell_name(plan, second)));
            let effect = value.unwrap_or(f64::NAN);
            let row = Row { site, metric: ALIGNMENT.into(), ..blank("represent", bench.metric) };
            main.rows.push(Row { effect, n: bench.items.len(), ..row });
        }
    }
    main
}

/// How many dimensions the states of each cell fill.
fn dimension(bench: &Bench, plan: &Representing, told: &[Told]) -> Table {
    let mut main = table("represent.dimension", "How many dimensions states fill", bench);
    for (cell, told) in plan.sweep.cells.iter().zip(told) {
        let mut row = |what: &str, value: Option<f64>| {
            let place = Row { metric: format!("dimension, {what}"), ..place(bench, cell) };
            main.rows.push(Row { effect: value.unwrap_or(f64::NAN), n: bench.items.len(), ..place });
        };
        row("participation ratio", told.dimensions[0]);
        row("two nearest neighbours", told.dimensions[1]);
        if plan.random_models > 0 {
            row("participation ratio of random weights", told.of_twins[0]);
            row("two nearest neighbours of random weights", told.of_twins[1]);
        }
    }
    main
}
