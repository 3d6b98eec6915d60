//! The methods: one file each, one public function each. What they share stands here and in `sweep`.

pub mod ablate;
pub mod acdc;
mod adam;
mod along;
pub mod attention;
pub mod attribute;
pub mod attribution_patch;
pub mod carry;
mod catalogue;
mod chain;
pub mod circuit;
pub mod classify;
mod concept;
pub mod cut;
pub mod das;
mod divergence;
pub mod edge_pruning;
pub mod effects;
pub mod erase;
pub mod evaluate_circuit;
pub mod generate;
mod heard;
pub mod knockout;
pub mod lens;
pub mod localise;
pub mod measure;
pub mod mediate;
pub mod patch;
pub mod patch_models;
pub mod patch_weights;
pub mod patchscope;
pub mod path;
pub mod probe;
mod reading;
pub mod record;
pub mod recovery;
pub mod represent;
pub mod rewire;
pub mod score;
mod stand_in;
pub mod states;
pub mod steer;
pub mod stitch;
pub mod summary;
mod sweep;
pub mod trace;
pub mod tuned_lens;

pub use crate::data::Side;
pub use summary::Summary;

use crate::circuit::{Circuit, Portraits};
use crate::metric::Metric;
use crate::model::{HookError, Model, Pass, Read};
use crate::plan::{Answers, Feature, Item, has_sets};
use crate::spec::Statistics;
use crate::states::Index;
use crate::steps::{RunError, Steps};
use crate::table::{Row, Table};
use crate::tensor::{Tensor, to_doubles};
use crate::text::{Text, Tokens};
use std::collections::BTreeMap;

/// The end of the name of scores of single items.
pub const SCORES: &str = ".scores";

/// What a method works with.
pub struct Bench<'a> {
    /// The model.
    pub model: &'a dyn Model,
    /// Its tokenizer.
    pub text: Option<&'a Text>,
    /// The items.
    pub items: &'a [Item],
    /// What is looked for in what nodes write and read.
    pub features: &'a [Feature],
    /// What is read.
    pub metric: Metric,
    /// Intervals and tests.
    pub statistics: Statistics,
    /// Of every draw.
    pub seed: u64,
    /// The most rows in a batch.
    pub rows: usize,
}

/// What a method gives.
#[derive(Default)]
pub struct Finding {
    /// Tidy rows: one value a row.
    pub tables: Vec<Table>,
    /// The same for every single item.
    pub items: Vec<Table>,
    /// Files of tensors, by stem.
    pub tensors: Vec<(String, Tensors)>,
    /// What was recorded to files as the run went on, by stem.
    pub states: Vec<(String, Index)>,
    /// Circuits, by stem.
    pub circuits: Vec<(String, Circuit)>,
    /// What the nodes of circuits look at and write, by the stem of their circuit.
    pub portraits: Vec<(String, Portraits)>,
    /// Generated texts.
    pub texts: Vec<generate::Continuation>,
}

/// Tensors for one file, by name: shape, and values with the last axis fastest.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

impl Bench<'_> {
    /// Items in batches of one length, at most `rows` each: no padding, so nothing to mask.
    pub fn batches(&self, rows: usize) -> Vec<Vec<usize>> {
        batches(self.items.len(), rows, |item| self.items[item].clean.len())
    }

    /// The tokens of some items.
    pub fn tokens(&self, items: &[usize], side: Side) -> Tokens {
        Tokens::new(items.iter().map(|item| self.items[*item].prompt(side).clone()).collect())
    }

    /// The answers of an item; the plan has made sure of them.
    pub fn answers(&self, item: usize) -> &Answers {
        self.items[item].answers.as_ref().expect("a method that reads answers is planned only where there are some")
    }

    /// How the metric is formed, for the facts of a table.
    pub fn sign(&self) -> &'static str {
        if has_sets(self.items) { self.metric.sign_of_sets() } else { self.metric.sign() }
    }

    /// What the metric needs of rows that belong to these items.
    pub fn read(&self, items: &[usize]) -> Read {
        reading::read(self.metric, &self.each(items))
    }

    /// The same with right and wrong answer exchanged.
    pub fn exchanged(&self, logits: &Tensor<3>, items: &[usize]) -> Vec<f64> {
        reading::exchanged(self.metric, logits, &self.each(items))
    }

    fn each(&self, items: &[usize]) -> Vec<Vec<Answers>> {
        items.iter().map(|item| vec![self.answers(*item).clone()]).collect()
    }

    /// The metric of every row of what [`Bench::read`] made a pass read: `[rows, 1, tokens of the answers or vocabulary]`.
    pub fn values(&self, logits: &Tensor<3>, items: &[usize]) -> Vec<f64> {
        reading::values(self.metric, logits, &self.each(items))
    }

    /// The sum of the metric over the rows of what [`Bench::read`] made a pass on a tape read.
    pub fn total(&self, logits: &Tensor<3>, items: &[usize]) -> Tensor<1> {
        reading::total(self.metric, logits, &self.each(items))
    }

    /// The metric of every item on one side, run whole; a step for each batch.
    pub fn whole(&self, side: Side, steps: &mut Steps) -> Result<Vec<f64>, RunError> {
        let mut values = vec![0.0; self.items.len()];
        for items in self.batches(self.rows) {
            let found = steps.step(0, || self.whole_of(&items, side))?;
            items.iter().zip(found.into_iter().flatten()).for_each(|(item, value)| values[*item] = value);
        }
        steps.complete()?;
        Ok(values)
    }

    /// The metric of some items of one length on one side.
    fn whole_of(&self, items: &[usize], side: Side) -> Result<Vec<f64>, HookError> {
        let tokens = self.tokens(items, side);
        let pass = Pass::whole(&tokens).reading(self.read(items));
        Ok(self.values(&crate::model::run(self.model, &pass, &mut ())?, items))
    }

    /// The logits behind the last token of every clean prompt, batch by batch.
    pub fn last(&self) -> Result<Vec<f64>, HookError> {
        let mut logits = Vec::new();
        for items in self.batches(self.rows) {
            let tokens = self.tokens(&items, Side::Clean);
            let read = Read { positions: Some(vec![tokens.width() - 1; items.len()]), tokens: None };
            logits.extend(to_doubles(&crate::model::run(self.model, &Pass::whole(&tokens).reading(read), &mut ())?));
        }
        Ok(logits)
    }

    /// Labels of the positions where all prompts have one length: the token, or `…` where items differ.
    pub fn position_labels(&self) -> Vec<String> {
        let Some(first) = self.items.first() else { return Vec::new() };
        if self.items.iter().any(|item| item.clean.len() != first.clean.len()) {
            return Vec::new();
        }
        labels(self.items.iter().flat_map(|item| [&item.clean, &item.corrupt]), self.text)
    }

    /// A table's rows for items: the same place, one row an item.
    pub fn item_rows(&self, row: &Row, values: &[Option<f64>]) -> Vec<Row> {
        let item = |(item, value): (usize, f64)| Row {
            item: Some(item),
            effect: value,
            normalised: None,
            low: None,
            high: None,
            p: None,
            n: 1,
            ..row.clone()
        };
        values.iter().enumerate().filter_map(|(index, value)| Some((index, (*value)?))).map(item).collect()
    }
}

/// Labels of the positions of prompts of one length: the token, or `…` where prompts differ.
pub(crate) fn labels<'a>(prompts: impl Iterator<Item = &'a Vec<u32>> + Clone, text: Option<&Text>) -> Vec<String> {
    let length = prompts.clone().next().map_or(0, Vec::len);
    let label = |token: u32| text.map_or(token.to_string(), |text| text.label(token));
    let at = |position: usize| {
        let mut seen: Vec<u32> = Vec::new();
        prompts.clone().map(|prompt| prompt[position]).for_each(|token| {
            if !seen.contains(&token) {
                seen.push(token)
            }
        });
        match seen.as_slice() {
            [token] => label(*token),
            [a, b] => format!("{}/{}", label(*a), label(*b)),
            several => format!("{}/… ({})", label(several[0]), several.len()),
        }
    };
    (0..length).map(at).collect()
}

/// Indices up to `count` in batches of one key, at most `rows` each, in the order of the keys.
pub(crate) fn batches<K: Ord>(count: usize, rows: usize, key: impl Fn(usize) -> K) -> Vec<Vec<usize>> {
    let mut by_key: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    (0..count).for_each(|index| by_key.entry(key(index)).or_default().push(index));
    by_key.values().flat_map(|alike| alike.chunks(rows.max(1)).map(<[usize]>::to_vec)).collect()
}

/// A row with its place still to be filled in.
pub(crate) fn blank(method: &str, metric: Metric) -> Row {
    Row {
        method: method.to_string(),
        site: None,
        layer: None,
        head: None,
        position: None,
        neuron: None,
        item: None,
        metric: metric.to_string(),
        effect: 0.0,
        normalised: None,
        low: None,
        high: None,
        p: None,
        n: 0,
    }
}

/// An empty table.
pub(crate) fn table(name: &str, title: &str, bench: &Bench) -> Table {
    Table {
        name: name.to_string(),
        title: title.to_string(),
        facts: [("metric sign".to_string(), bench.sign().to_string())].into_iter().collect(),
        positions: bench.position_labels(),
        rows: Vec::new(),
    }
}
