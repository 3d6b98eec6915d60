//! Classification: a head on frozen states tells a label of texts, and whether it serves two groups alike.
//!
//! *What it measures.* A multinomial logistic head on the states of one stream, its penalty chosen within what is learned from,
//! tells the class of texts that were held out. Of these: accuracy, over all, by group, of the worst group and of the worst class
//! and group; the gap of each class (the true positive rate of the first group less that of the second), its root mean square
//! over classes, and how it follows the first group's share of the class (Pearson's correlation and the slope); demographic
//! parity, equal opportunity and equalised odds, the largest over classes, and the mean of the odds; the distance to a model that
//! is right and fair (DTO), to (1, 1) and to the best of the streams; and accuracy and gaps by how frequent a class is and how
//! unevenly the groups are in it. Intervals are of the texts that were tested on, drawn again; beside gaps is what they are when
//! it is left to chance who is of which group.
//!
//! *What it cannot show.* Whether the labels are right. An interval over test texts does not hold the variation of training
//! texts. What a head can tell of frozen states, the whole model trained on the task may tell otherwise.
//!
//! *Reference.* De-Arteaga et al. 2019, "Bias in Bios"; Hardt, Price & Srebro 2016; Han et al. 2022 (DTO).
//!
//! *Example.* `Classify(first: "female", held_out: (share: 0.4))`

mod judge;
mod tables;

use super::sweep::made;
use super::{Bench, Finding, batches};
use crate::hook::Record;
use crate::model::{HookError, Pass, Read, run};
use crate::plan::{Classifying, INNER};
use crate::spec::Pooled;
use crate::steps::{RunError, Steps};
use crate::tensor::to_doubles;
use crate::text::Tokens;
use ndarray::Array2;
use patchclamp_probes::decode::{DecodeError, Design, Logistic, Probe, Task, Training};
use patchclamp_probes::rows::Picked;
use serde::{Deserialize, Serialize};

/// What a head says of the texts that are tested on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Told {
    /// The likeliest class of each.
    classes: Vec<usize>,
    /// The penalty that was chosen.
    penalty: f64,
    /// Why there is nothing, where states cannot be read.
    fault: Option<String>,
}

/// Learns a head for every stream, and judges it.
pub fn classify(bench: &Bench, plan: &Classifying, steps: &mut Steps) -> Result<Finding, RunError> {
    let (mut states, mut make) = (None, || pooled(bench, plan));
    let mut all = Vec::new();
    for stream in 0..plan.sites.len() {
        let work = bench.items.len();
        all.push(steps.step(work, || {
            let states = &made(&mut states, &mut make)?[stream];
            let fault = |why: DecodeError| Told { fault: Some(why.to_string()), ..Told::default() };
            Ok(told(bench, plan, states).unwrap_or_else(fault))
        })?);
    }
    steps.complete()?;
    let all: Vec<Told> = all.into_iter().map(|told| told.expect("no step is missing")).collect();
    Ok(tables::finding(bench, plan, &all))
}

/// What a head that has learned from some states says of the others.
fn told(bench: &Bench, plan: &Classifying, states: &Array2<f64>) -> Result<Told, DecodeError> {
    let design = Design::Groups(&plan.apart);
    let family = Logistic::default();
    let training = Training { family: &family, penalties: &plan.penalties, design, folds: INNER, seed: bench.seed };
    let task = Task { labels: &plan.labels, items: &plan.parts.fit };
    let chosen = training.fit(&states.view(), &[task])?.swap_remove(0);
    let said = chosen.probe.log_probabilities(&Picked { rows: &states.view(), items: &plan.parts.test });
    let likeliest = |row: ndarray::ArrayView1<f64>| (0..row.len()).rev().max_by(|a, b| row[*a].total_cmp(&row[*b]));
    let classes = said.rows().into_iter().map(|row| likeliest(row).unwrap_or(0)).collect();
    Ok(Told { classes, penalty: chosen.penalty, fault: None })
}

/// One state a text, `[item, d_model]` for each stream.
fn pooled(bench: &Bench, plan: &Classifying) -> Result<Vec<Array2<f64>>, HookError> {
    let width = bench.model.dims().d_model;
    let mut found = vec![Array2::zeros((bench.items.len(), width)); plan.sites.len()];
    for items in batches(bench.items.len(), bench.rows, |item| bench.items[item].clean.len()) {
        let tokens = Tokens::new(items.iter().map(|item| bench.items[*item].clean.clone()).collect());
        let nothing = Read { positions: Some(vec![0; tokens.rows()]), tokens: Some(vec![vec![0]; tokens.rows()]) };
        let mut record = Record::of(plan.sites.iter().copied());
        run(bench.model, &Pass::whole(&tokens).reading(nothing), &mut record)?;
        for (site, found) in plan.sites.iter().zip(&mut found) {
            let state = to_doubles(&record.kept()[site]); // [row, 1, pos, d_model]
            for (text, item) in state.chunks_exact(tokens.width() * width).zip(&items) {
                let first = if plan.pooled == Pooled::Last { tokens.width() - 1 } else { 0 };
                let share = 1.0 / (tokens.width() - first) as f64;
                for position in text.chunks_exact(width).skip(first) {
                    found.row_mut(*item).iter_mut().zip(position).for_each(|(sum, value)| *sum += share * value);
                }
            }
        }
    }
    Ok(found)
}
