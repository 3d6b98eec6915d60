//! From a table of effects over layers and positions to a flow diagram.

use super::super::choose::words;
use super::super::pivot::Axis;
use super::super::unit::{Unit, is_quantity};
use super::arrow::{Glance, arrows};
use super::{Dot, Flow, Kind, Side};
use crate::table::{Rounding, Row, Table};
use indexmap::IndexMap;

/// Wider and higher diagrams are read as maps.
const MOST: (usize, usize) = (40, 40);

/// The flow of a table for each of its methods and metrics, with the stem of its files; none where no effects of one kind
/// stand over several layers and positions. `glances` are of the same prompts.
pub fn flow_of(table: &Table, glances: &[Glance]) -> Vec<(String, Flow)> {
    let mut groups: IndexMap<(&str, &str), Vec<(Kind, &Row)>> = IndexMap::new();
    let effects = table.rows.iter().filter(|row| row.item.is_none() && !is_quantity(&row.metric));
    for row in effects.filter(|row| row.head.is_none() && row.neuron.is_none()) {
        if let (Some(kind), Some(_), Some(_)) = (kind(row), row.layer, row.position) {
            groups.entry((&row.method, &row.metric)).or_default().push((kind, row));
        }
    }
    let several = groups.len() > 1;
    let stem = |(_, metric): &(&str, &str)| match several {
        true => format!("{}_{metric}_flow", table.name),
        false => format!("{}_flow", table.name),
    };
    groups.iter().filter_map(|(key, rows)| Some((stem(key), flow(table, rows, glances)?))).collect()
}

/// What a row's site is in a flow.
fn kind(row: &Row) -> Option<Kind> {
    let site = row.site.as_deref()?;
    match site.rsplit('.').next()? {
        "hook_resid_pre" | "hook_resid_post" => Some(Kind::Stream),
        "hook_attn_out" => Some(Kind::Attention),
        "hook_mlp_out" => Some(Kind::Mlp),
        _ => None,
    }
}

fn flow(table: &Table, rows: &[(Kind, &Row)], glances: &[Glance]) -> Option<Flow> {
    // one stream of two: the one that is asked for first
    let site = |row: &Row| row.site.as_deref().map(|site| site.ends_with("hook_resid_pre"));
    let first = rows.iter().find(|(kind, _)| *kind == Kind::Stream).map(|(_, row)| site(row));
    let rows: Vec<(Kind, &Row)> =
        rows.iter().copied().filter(|(kind, row)| *kind != Kind::Stream || Some(site(row)) == first).collect();
    let stream = if first == Some(Some(true)) { Side::Before } else { Side::Behind };
    let all: Vec<&Row> = rows.iter().map(|(_, row)| *row).collect();
    let (layers, columns) = (Axis::Layer.places(&all), Axis::Position.places(&all));
    if !(2..=MOST.1).contains(&layers.len()) || !(2..=MOST.0).contains(&columns.len()) {
        return None;
    }
    let unit = Unit::with_intervals(&all);
    let rounding = Rounding::of(all.iter().map(|row| unit.value(row)));
    let dot = |(kind, row): &(Kind, &Row)| {
        let (layer, position, value) = (row.layer?, row.position?, unit.value(row));
        let (low, high) = unit.interval(row);
        let interval = low.zip(high).map(|(low, high)| format!(" [{}, {}]", rounding.show(low), rounding.show(high)));
        let name = words(row.site.as_deref().unwrap_or_default().rsplit('.').next().unwrap_or_default());
        let (token, shown) = (table.position_label(position), rounding.show(value));
        Some(Dot {
            kind: *kind,
            row: layers.iter().position(|other| *other == layer)?,
            column: columns.iter().position(|other| *other == position)?,
            value,
            note: format!("{name}, layer {layer}, {token}: {shown}{}", interval.unwrap_or_default()),
        })
    };
    let dots: Vec<Dot> = rows.iter().filter_map(dot).filter(|dot| dot.value.is_finite()).collect();
    Some(Flow {
        title: table.title.clone(),
        value_title: unit.title(&all),
        x: columns.iter().map(|position| table.position_label(*position)).collect(),
        y: layers.iter().map(ToString::to_string).collect(),
        arrows: arrows(&dots, stream, glances, &layers, &columns),
        dots,
        stream,
    })
}
