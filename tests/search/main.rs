//! Searches for circuits, and what circuits of any search are held against.

#[path = "../common/mod.rs"]
mod common;

mod acdc;
mod against;

use common::*;
use patchclamp::circuit::Blocks;
use patchclamp::hook::Severed;
use patchclamp::method::Bench;
use patchclamp::method::circuit::Evaluation;
use patchclamp::model::load::Loaded;
use patchclamp::model::{Model, Pass, Read, run};
use patchclamp::node::Edge;
use patchclamp::plan::{Acdc, Plan};
use patchclamp::spec::{Judge, Stand};
use patchclamp::tensor::to_doubles;

fn plan(data: &str, loaded: &Loaded) -> Plan {
    Plan::new(&experiment(&question(data, r#"Patch(sites: ["hook_embed"], over: [])"#, "")), loaded).unwrap()
}

fn bench<'a>(model: &'a dyn Model, plan: &'a Plan, rows: usize) -> Bench<'a> {
    let statistics = plan.experiment.statistics;
    Bench { model, text: None, items: &plan.items, features: &[], metric: plan.metric(), statistics, seed: 0, rows }
}

fn acdc(model: &dyn Model, threshold: f64, judge: Judge, stand: Stand) -> Acdc {
    let blocks = Blocks::new(model.dims().layers, model.dims().heads, model.flow().unwrap());
    Acdc { blocks, thresholds: vec![threshold], judge, stand, random: 0 }
}

/// Pairs that agree up to some position each, so that trials leave out what no ablation changes.
const LATE: &str = "Pairs([(clean: [2, 8, 20, 14, 6], corrupt: [2, 8, 31, 15, 6], right: 30, wrong: 36), \
     (clean: [12, 4, 8, 40, 26, 5], corrupt: [12, 4, 8, 41, 26, 5], right: 10, wrong: 22), \
     (clean: [12, 4, 9, 40, 26], corrupt: [12, 4, 9, 40, 27], right: 11, wrong: 22, at: 4)])";

/// What a circuit is judged at, an item each, by a whole pass with every other edge severed.
fn whole_pass(bench: &Bench, asked: &Acdc, severed: &[Edge]) -> Vec<f64> {
    let evaluation = Evaluation::new(bench, asked.stand).unwrap();
    let judge = |item: usize| {
        let (ablated, tokens) =
            (evaluation.ablated(&[item]).unwrap(), bench.tokens(&[item], patchclamp::method::Side::Clean));
        let at = bench.answers(item).at;
        let read = Read { positions: Some(vec![at]), tokens: None };
        let logits = |severed: &[Edge]| {
            let mut hook = Severed::new(&ablated, severed.iter().copied());
            to_doubles(&run(bench.model, &Pass::whole(&tokens).reading(read.clone()), &mut hook).unwrap())
        };
        let (own, found) = (logits(&[]), logits(severed));
        let log_total = |logits: &[f64]| logits.iter().map(|logit| logit.exp()).sum::<f64>().ln();
        match asked.judge {
            Judge::Metric => -bench.metric.value(&found, &bench.answers(item).right, &bench.answers(item).wrong),
            Judge::Divergence => {
                let (own_total, total) = (log_total(&own), log_total(&found));
                own.iter().zip(&found).map(|(p, q)| (p - own_total).exp() * ((p - own_total) - (q - total))).sum()
            }
        }
    };
    (0..bench.items.len()).map(judge).collect()
}
