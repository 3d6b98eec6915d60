//! Parity: runs without a feature, swapped and steered, are those of `concept-erasure` in hooks on `transformers`.

use crate::common::*;
use patchclamp::method::Finding;
use serde_json::Value;

/// The model computes in f32 and the golden in f64; LEACE inverts a covariance.
const TOLERANCE: f64 = 1e-4;

fn pairs(golden: &Value) -> String {
    let pair = |pair: &Value| {
        let (clean, corrupt, right, wrong) = (&pair["clean"], &pair["corrupt"], &pair["right"], &pair["wrong"]);
        format!("(clean: {clean}, corrupt: {corrupt}, right: {right}, wrong: {wrong})")
    };
    format!("Pairs([{}])", golden.as_array().unwrap().iter().map(pair).collect::<Vec<_>>().join(", "))
}

/// The effects of single items in the table of a way, `[layer][item]`.
fn effects(found: &Finding, way: &str) -> Vec<Vec<f64>> {
    let table =
        found.items.iter().find(|table| table.name.ends_with(&format!("probe.{}", way.to_lowercase()))).unwrap();
    let layers = table.rows.iter().filter_map(|row| row.layer).max().unwrap() + 1;
    let of = |layer| table.rows.iter().filter(|row| row.layer == Some(layer)).map(|row| row.effect).collect();
    (0..layers).map(of).collect()
}

#[test]
fn erased_swapped_and_steered_runs_are_those_of_concept_erasure() {
    let golden: Value = serde_json::from_str(include_str!("../golden/along.json")).unwrap();
    for (model, golden) in golden.as_object().unwrap() {
        let features = format!(r#"features: [(name: "it", data: {})]"#, pairs(&golden["feature"]));
        let method = r#"Probe(of: Feature("it"), apart: Items, used: [Erase, Swap, Steer], penalties: [1], hidden: 0,
            shuffles: 0, random_models: 0, random_directions: 0)"#;
        let found = &findings(&question(&pairs(&golden["pairs"]), method, &features), &load(model))[0];
        for way in ["Erase", "Swap", "Steer"] {
            let own = effects(found, way);
            let all: Vec<f64> = golden["effects"][way].as_array().unwrap().iter().flat_map(floats).collect();
            assert_eq!(own.iter().flatten().count(), all.len());
            let largest = all.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
            for (own, other) in own.iter().flatten().zip(&all) {
                assert!((own - other).abs() <= TOLERANCE * largest, "{model}, {way}: {own} and {other}");
            }
        }
    }
}
