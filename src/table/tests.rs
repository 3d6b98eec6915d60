//! Claims about tables.

use super::{HEADER, Row, Table, TableError, largest};
use indexmap::IndexMap;

fn row(layer: usize, effect: f64) -> Row {
    Row {
        method: "patch".into(),
        site: Some("hook_resid_pre".into()),
        layer: Some(layer),
        metric: "logit_diff".into(),
        effect,
        n: 50,
        ..Row::default()
    }
}

fn table(rows: Vec<Row>) -> Table {
    Table {
        name: "02_patch".into(),
        title: "Patching 50% of $x_1$ & more".into(),
        facts: IndexMap::from([("variant".into(), "denoising,\nmean".into())]),
        positions: vec![" <b>".into(), "\"a, b\"\n".into()],
        rows,
    }
}

/// Numbers that a shortened decimal would change.
fn awkward() -> Vec<Row> {
    let effects = [0.1 + 0.2, -1.0 / 3.0, f64::MIN_POSITIVE, 5e-324, f64::MAX, -0.0, f64::INFINITY];
    let full = |(layer, effect): (usize, f64)| Row {
        head: Some(3),
        position: Some(1),
        neuron: Some(700),
        item: Some(2),
        metric: "a, \"quoted\"\nmetric".into(),
        normalised: Some(effect / 7.0),
        low: Some(effect.next_down()),
        high: Some(effect.next_up()),
        p: Some(1e-17),
        ..row(layer, effect)
    };
    effects.into_iter().enumerate().map(full).chain([row(9, 0.5)]).collect()
}

#[test]
fn csv_reads_back_the_very_same_rows() {
    let rows = awkward();
    let read = Table::rows_from_csv(&table(rows.clone()).to_csv()).unwrap();
    assert_eq!(read, rows);
    assert!(read.iter().zip(&rows).all(|(a, b)| a.effect.to_bits() == b.effect.to_bits()));
}

#[test]
fn csv_begins_with_the_header_even_without_rows() {
    assert_eq!(table(vec![]).to_csv(), HEADER.join(",") + "\n");
    assert_eq!(Table::rows_from_csv(&table(vec![]).to_csv()).unwrap(), vec![]);
}

#[test]
fn csv_leaves_empty_what_does_not_apply() {
    let csv = table(vec![row(1, 0.5)]).to_csv();
    assert_eq!(csv.lines().nth(1), Some("patch,hook_resid_pre,1,,,,,logit_diff,0.5,,,,,50"));
}

#[test]
fn csv_of_something_else_is_refused_by_its_header() {
    let error = Table::rows_from_csv("layer,effect\n1,2\n").unwrap_err();
    assert!(matches!(&error, TableError::Header { .. }));
    assert!(error.to_string().contains("`layer,effect`"), "{error}");
}

#[test]
fn json_reads_back_what_it_can_say() {
    let written = table(vec![row(0, 0.5), row(1, f64::NAN)]);
    let read = Table::from_json(&written.to_json()).unwrap();
    assert_eq!(read.facts, written.facts);
    assert_eq!(read.positions, written.positions);
    assert_eq!(read.rows[0], written.rows[0]);
    assert!(read.rows[1].effect.is_nan());
}

#[test]
fn json_has_the_csvs_keys_with_the_facts_around_them() {
    let json: serde_json::Value = serde_json::from_str(&table(vec![row(0, 0.5)]).to_json()).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&json), ["name", "title", "facts", "positions", "rows"]);
    assert_eq!(keys(&json["rows"][0]), HEADER);
}

#[test]
fn latex_escapes_what_latex_would_obey() {
    let mut rows = vec![row(0, -0.5), row(1, 0.25)];
    rows[0].position = Some(0);
    rows[1].position = Some(1);
    let latex = table(rows).to_latex();
    assert!(latex.contains("Patching 50\\% of \\$x\\_1\\$ \\& more."), "{latex}");
    assert!(latex.contains("site: hook\\_resid\\_pre"), "{latex}");
    assert!(latex.contains("0 \\textvisiblespace{}$<$b$>$"), "{latex}");
    assert!(latex.contains("% variant: denoising, mean\n"), "{latex}");
    assert!(latex.contains("\\label{tab:02-patch}"), "{latex}");
}

#[test]
fn latex_shows_only_columns_that_tell_rows_apart() {
    let mut rows = vec![row(0, -0.5), row(1, 0.25)];
    rows[0].p = Some(1e-6);
    rows[0].low = Some(-0.61234);
    rows[0].high = Some(-0.4);
    let latex = table(rows).to_latex();
    assert!(latex.contains("layer & effect & interval & $p$ \\\\"), "{latex}");
    assert!(latex.contains("0 & $-$0.500 & {[}$-$0.612, $-$0.400] & $<$0.001 \\\\"), "{latex}");
    assert!(latex.contains("$n = 50$"), "{latex}");
}

#[test]
fn latex_keeps_the_forty_largest_and_says_what_it_left_out() {
    let rows = (0..100).map(|layer| row(layer, f64::from(layer as u32) * -0.01)).collect();
    let latex = table(rows).to_latex();
    assert!(latex.contains("The 40 rows of largest"), "{latex}");
    assert!(latex.contains("60 are left out"), "{latex}");
    assert!(latex.contains("99 & $-$0.990") && !latex.contains("\n    59 &"), "{latex}");
}

#[test]
fn the_largest_rows_are_never_those_without_a_number() {
    let rows = [row(0, f64::NAN), row(1, 0.0), row(2, -3.0)];
    let kept = largest(rows.iter().collect(), 2);
    assert_eq!(kept.iter().map(|row| row.layer).collect::<Vec<_>>(), [Some(2), Some(1)]);
}
