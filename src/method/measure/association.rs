//! Association of words in a model's states: effect size and test of WEAT and SEAT, from cosines of targets with attributes.
//!
//! A word's row has its cosine with every attribute of its test, so that attributes can be drawn as targets are: how often an
//! attribute stands among the rows is its weight.

use super::figure::{Drawn, Figure};
use super::groups::Maker;
use super::statistic::Rows;
use crate::hook::Record;
use crate::method::summary::mean;
use crate::method::{Bench, batches};
use crate::model::{HookError, Pass, Read, run};
use crate::plan::{Case, Kind, Set};
use crate::site::Site;
use crate::steps::{RunError, Steps};
use crate::tensor::to_doubles;
use crate::text::Tokens;
use indexmap::IndexMap;
use patchclamp_probes::fairness::{effect_size, partitions};

/// Columns before the cosines: the set, and which attribute a word is.
const BEFORE: usize = 2;

/// The figures of every test at every site.
pub(super) fn figures(set: &Set, rows: &[Vec<f64>], draws: (usize, u64)) -> Vec<Figure> {
    let mut groups: IndexMap<(&str, &str), [Vec<usize>; 4]> = IndexMap::new();
    for (item, case) in set.cases.iter().enumerate() {
        let sets = groups.entry((&case.labels[0], &case.labels[1])).or_default();
        sets[rows[item][0] as usize].push(item);
    }
    let figures = |((test, site), sets): ((&str, &str), [Vec<usize>; 4])| {
        let drawn = Drawn::Sets(sets.each_ref().map(Vec::len));
        let (group, members) = (format!("{test}, {site}"), sets.concat());
        of_group(Maker { group: &group, members: &members, rows, drawn }, draws)
    };
    groups.into_iter().flat_map(figures).collect()
}

fn of_group(maker: Maker, (draws, seed): (usize, u64)) -> [Figure; 2] {
    let counted = maker.only(|row| row[0] < 2.0).len();
    let effect = |rows: Rows| {
        let [x, y] = targets(rows)?;
        effect_size(&x, &y)
    };
    let apart = |rows: Rows| {
        let [x, y] = targets(rows)?;
        Some(mean(&x) - mean(&y))
    };
    let chance = move |rows: Rows| {
        let [x, y] = targets(rows)?;
        Some(partitions(&x, &y, draws, seed).p)
    };
    let effect = Figure { test: Some(Box::new(chance)), ..maker.figure("effect size", Box::new(effect)) };
    [effect, maker.figure("difference of association", Box::new(apart))].map(|figure| Figure { counted, ..figure })
}

/// The associations of the words of X and of Y; none where a set is empty or a state is zero.
fn targets(rows: Rows) -> Option<[Vec<f64>; 2]> {
    let drawn = |set: f64| rows.iter().filter(|row| row[0] == set).map(|row| BEFORE + row[1] as usize).collect();
    let [a, b]: [Vec<usize>; 2] = [drawn(2.0), drawn(3.0)];
    let near = |row: &[f64], to: &[usize]| to.iter().map(|at| row[*at]).sum::<f64>() / to.len() as f64;
    let of = |set: f64| -> Vec<f64> {
        rows.iter().filter(|row| row[0] == set).map(|row| near(row, &a) - near(row, &b)).collect()
    };
    let both = [of(0.0), of(1.0)];
    let told = both.iter().all(|set| !set.is_empty() && set.iter().all(|value| value.is_finite()));
    told.then_some(both)
}

/// Cosines of every word with every attribute of its test, `[case][0][attribute]`; a step for each batch of words.
pub(super) fn cosines(bench: &Bench, set: &Set, steps: &mut Steps) -> Result<Vec<Vec<Vec<f64>>>, RunError> {
    let Kind::Weat { sites, attributes, .. } = &set.kind else { return Ok(Vec::new()) };
    let words = &set.cases[..set.cases.len() / sites.len()];
    let mut states = vec![vec![Vec::new(); words.len()]; sites.len()];
    for batch in batches(words.len(), bench.rows, |word| words[word].requests[0].ids.len()) {
        let found = steps.step(batch.len(), || read(bench, sites, words, &batch))?;
        for (word, of_sites) in batch.iter().zip(found.into_iter().flatten()) {
            of_sites.into_iter().zip(&mut states).for_each(|(state, states)| states[*word] = state);
        }
    }
    steps.complete()?;
    let near = |site: &Vec<Vec<f64>>, word: usize| {
        let mut row = vec![f64::NAN; *attributes];
        let alike = |other: &usize| words[*other].labels[0] == words[word].labels[0] && words[*other].known[0] >= 2.0;
        for other in (0..words.len()).filter(alike) {
            row[words[other].known[1] as usize] = dot(&site[word], &site[other]);
        }
        vec![row]
    };
    Ok(states.iter().flat_map(|site| (0..words.len()).map(move |word| near(site, word))).collect())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The states of some words of one length, each of length one, `[word][site][channel]`.
fn read(bench: &Bench, sites: &[Site], words: &[Case], batch: &[usize]) -> Result<Vec<Vec<Vec<f64>>>, HookError> {
    let tokens = Tokens::new(batch.iter().map(|word| words[*word].requests[0].ids.clone()).collect());
    let nothing = Read { positions: Some(vec![0; batch.len()]), tokens: Some(vec![vec![0]; batch.len()]) };
    let mut record = Record::of(sites.iter().copied());
    run(bench.model, &Pass::whole(&tokens).reading(nothing), &mut record)?;
    let mut found = vec![Vec::new(); batch.len()];
    for site in sites {
        let state = record.at(*site).expect("the pass was asked to show it");
        let ([_, _, positions, width], values) = (state.dims(), to_doubles(state));
        for (row, word) in batch.iter().enumerate() {
            let [from, to] = [words[*word].known[2], words[*word].known[3]].map(|at| row * positions + at as usize);
            found[row].push(pooled(&values[from * width..to * width], width));
        }
    }
    Ok(found)
}

/// The direction of the mean of some rows, whose length is the same as that of their sum.
fn pooled(rows: &[f64], width: usize) -> Vec<f64> {
    let sum: Vec<f64> = (0..width).map(|at| rows.iter().skip(at).step_by(width).sum()).collect();
    let length = dot(&sum, &sum).sqrt();
    sum.into_iter().map(|value| value / length).collect()
}
