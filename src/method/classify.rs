//! Classification: a head, on frozen states or with the whole model trained for it, tells a label of texts; whether it serves
//! two groups alike.
//!
//! *What it measures.* A multinomial logistic head on the states of one stream, its penalty chosen within what is learned from,
//! or a linear head trained with the whole model (`train: Whole()`), tells the class of texts that were held out. Of these:
//! accuracy, over all, by group, of the worst group and of the worst class and group; the gap of each class (the true positive
//! rate of the first group less that of the second), its root mean square over classes, and how it follows the first group's share of the class (Pearson's correlation and the slope); demographic
//! parity, equal opportunity and equalised odds, the largest over classes, and the mean of the odds; the distance to a model that
//! is right and fair (DTO), to (1, 1) and to the best of the streams; and accuracy and gaps by how frequent a class is and how
//! unevenly the groups are in it. Intervals are of the texts that were tested on, drawn again; beside gaps is what they are when
//! it is left to chance who is of which group: groups are exchanged where texts are tested, so nothing is trained again. With
//! `against`, two models tell of the same texts: their differences have intervals and tests of their own, text by text.
//!
//! *What it cannot show.* Whether the labels are right. An interval over test texts does not hold the variation of training
//! texts, nor that of the draws that training hangs on (`draw` draws anew): two models trained alike but for their draw differ by
//! more than p between the two of them allows for, so hold several draws of either against each other. What a head
//! can tell of frozen states, the whole model trained on the task may tell otherwise: ask both.
//!
//! *Reference.* De-Arteaga et al. 2019, "Bias in Bios"; Hardt, Price & Srebro 2016; Han et al. 2022 (DTO).
//!
//! *Example.* `Classify(first: "female", held_out: (share: 0.4))`

mod against;
mod judge;
mod rates;
mod tables;
mod whole;

pub use against::{CLASS, differences, is_of, place};

use super::sweep::made;
use super::{Bench, Finding, batches};
use crate::hook::Record;
use crate::model::{HookError, Pass, Read, run};
use crate::plan::{Classifying, INNER};
use crate::spec::{Pooled, Train};
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
    /// The penalty that was chosen, of a head by itself.
    penalty: f64,
    /// The mean loss of each round of training, of a whole model.
    losses: Vec<f64>,
    /// Why there is nothing, where states cannot be read or training diverged.
    fault: Option<String>,
}

/// Learns a head for every stream, and judges it.
pub fn classify(bench: &Bench, plan: &Classifying, steps: &mut Steps) -> Result<Finding, RunError> {
    let (mut states, mut make) = (None, || pooled(bench, plan));
    let mut all = Vec::new();
    let work = of_stream(bench, plan);
    for (stream, site) in plan.sites.iter().enumerate() {
        all.push(match &plan.train {
            Train::Head => steps.step(work, || {
                let states = &made(&mut states, &mut make)?[stream];
                let fault = |why: DecodeError| Told { fault: Some(why.to_string()), ..Told::default() };
                Ok(told(bench, plan, states).unwrap_or_else(fault))
            })?,
            Train::Whole(how) => steps.watched(work, |heard| Ok(whole::told(bench, plan, how, *site, heard)))?,
        });
    }
    steps.complete()?;
    let all: Vec<Told> = all.into_iter().map(|told| told.expect("no step is missing")).collect();
    Ok(tables::finding(bench, plan, &all))
}

/// Units of work: texts that are read, for every stream.
pub fn work(bench: &Bench, plan: &Classifying) -> usize {
    of_stream(bench, plan) * plan.sites.len()
}

fn of_stream(bench: &Bench, plan: &Classifying) -> usize {
    match &plan.train {
        Train::Head => bench.items.len(),
        Train::Whole(whole) => whole.epochs * plan.parts.fit.len(),
    }
}

/// What a head that has learned from some states says of the others.
fn told(bench: &Bench, plan: &Classifying, states: &Array2<f64>) -> Result<Told, DecodeError> {
    let design = Design::Groups(&plan.apart);
    let family = Logistic::default();
    let training = Training { family: &family, penalties: &plan.penalties, design, folds: INNER, seed: bench.seed };
    let task = Task { labels: &plan.labels, items: &plan.parts.fit };
    let chosen = training.fit(&states.view(), &[task])?.swap_remove(0);
    let said = chosen.probe.log_probabilities(&Picked { rows: &states.view(), items: &plan.parts.test });
    let classes = said.rows().into_iter().map(|row| likeliest(&row.to_vec())).collect();
    Ok(Told { classes, penalty: chosen.penalty, ..Told::default() })
}

/// The place of the first of the largest.
fn likeliest(values: &[f64]) -> usize {
    (0..values.len()).rev().max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap_or(0)
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
