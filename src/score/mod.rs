//! Log-probabilities of tokens in many texts: what texts have in common is run once, and nothing is unembedded for nothing.
//!
//! A case is a few texts that begin alike: the two sentences of a pair, the answers to a question. In a causal model the tokens
//! that all of them begin with are run once, and each goes on from the recorded keys and values; texts of different cases
//! share batches, of one length where they begin and of nearly one length where they go on, so that hardly any padding is
//! computed. Where both directions are seen, every text is a row of its own, in batches of one length. Streams are gathered
//! where a token is asked for, unembedded a block at a time, and normalised in place: no two copies of the logits of a batch
//! are ever held.

mod normalised;

use crate::hook::{Hook, Record};
use crate::model::{HookError, Model, Pass, Past, Read, Start, run};
use crate::text::Tokens;
pub(crate) use normalised::LOGITS;
use normalised::{Asked, log_probabilities};
use std::collections::BTreeMap;

/// Padding in a batch, one token in this many at the most.
const PADDING: usize = 10;

/// A text as it is run, and what is asked of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The tokens that are run; nothing behind the last position that is read need be among them.
    pub ids: Vec<u32>,
    /// Positions, each with the token whose log-probability is read from the logits there.
    pub reads: Vec<(usize, u32)>,
}

impl Request {
    /// A text in which every token from position `first` on is asked for, given those before it; `first` is at least 1.
    pub fn causal(tokens: &[u32], first: usize) -> Self {
        let reads = (first..tokens.len()).map(|at| (at - 1, tokens[at])).collect();
        Request { ids: tokens[..tokens.len().saturating_sub(1)].to_vec(), reads }
    }

    /// A text with one token masked, which is asked for.
    pub fn masked(tokens: &[u32], at: usize, mask: u32) -> Self {
        let mut ids = tokens.to_vec();
        let token = std::mem::replace(&mut ids[at], mask);
        Request { ids, reads: vec![(at, token)] }
    }
}

/// Texts that are compared, and so mostly begin alike.
pub type Case = [Request];

/// Log-probabilities, nats, in the order of a case's requests and of their reads: `[request][read]`.
pub type Scores = Vec<Vec<f64>>;

/// Numbers of cases that are scored together, at most `rows` of them.
pub fn batches(model: &dyn Model, cases: &[&Case], rows: usize) -> Vec<Vec<usize>> {
    let longest = |case: usize| cases[case].iter().map(|request| request.ids.len()).max().unwrap_or(0);
    let key = |case: usize| (if model.is_causal() { shared(model, cases[case]) } else { 0 }, longest(case));
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by_key(|case| key(*case));
    let together = order.chunk_by(|a, b| key(*a).0 == key(*b).0);
    together.flat_map(|alike| alike.chunks(rows.max(1)).map(<[usize]>::to_vec)).collect()
}

/// What makes a hook for every pass.
pub type Hooks<'a> = dyn Fn() -> Box<dyn Hook + 'a> + 'a;

/// The scores of a batch that [`batches`] made, `[case][request][read]`; at most `rows` rows are run at once.
pub fn score(model: &dyn Model, cases: &[&Case], rows: usize) -> Result<Vec<Scores>, HookError> {
    score_under(model, cases, rows, &|| Box::new(()))
}

/// The same under a hook that is made anew for every pass.
pub fn score_under<'a>(
    model: &'a dyn Model,
    cases: &'a [&'a Case],
    rows: usize,
    hooks: &'a Hooks<'a>,
) -> Result<Vec<Scores>, HookError> {
    let blank = |request: &Request| vec![f64::NAN; request.reads.len()];
    let scores = cases.iter().map(|case| case.iter().map(blank).collect()).collect();
    let mut batch = Batch { model, cases, rows: rows.max(1), scores, hooks };
    match cases.first().map(|case| if model.is_causal() { shared(model, case) } else { 0 }) {
        None => {}
        Some(0) => batch.whole()?,
        Some(first) => batch.resumed(first)?,
    }
    Ok(batch.scores)
}

/// How many tokens all texts of a case begin with; none where keys of so few would not serve in texts so long.
fn shared(model: &dyn Model, case: &Case) -> usize {
    let Some(first) = case.first() else { return 0 };
    let with = |other: &Request| first.ids.iter().zip(&other.ids).take_while(|(a, b)| a == b).count();
    let count = case.iter().map(with).min().unwrap_or(0);
    let serves = case.iter().all(|request| model.keys_serve(count, request.ids.len()));
    if serves { count } else { 0 }
}

/// A request by the numbers of its case and of itself.
type Which = (usize, usize);

/// A row of a batch, and a position in it.
type Spot = (usize, usize);

/// A token that is asked for, the request that asks, and which of its reads it is.
type Reader = (u32, Which, usize);

struct Batch<'a> {
    model: &'a dyn Model,
    cases: &'a [&'a Case],
    rows: usize,
    scores: Vec<Scores>,
    hooks: &'a Hooks<'a>,
}

impl<'a> Batch<'a> {
    fn hook(&self) -> Box<dyn Hook + 'a> {
        (self.hooks)()
    }

    fn request(&self, (case, request): Which) -> &Request {
        &self.cases[case][request]
    }

    fn all(&self) -> Vec<Which> {
        let of_case = |case: usize| (0..self.cases[case].len()).map(move |request| (case, request));
        (0..self.cases.len()).flat_map(of_case).collect()
    }

    /// Every text as a row of its own, in batches of one length.
    fn whole(&mut self) -> Result<(), HookError> {
        let mut by_length: BTreeMap<usize, Vec<Which>> = BTreeMap::new();
        for which in self.all() {
            by_length.entry(self.request(which).ids.len()).or_default().push(which);
        }
        by_length.remove(&0);
        for (_, alike) in by_length {
            for rows in alike.chunks(self.rows) {
                self.run(rows, 0, None)?;
            }
        }
        Ok(())
    }

    /// What a case's texts share, `first` tokens, a row a case; then each text from there on.
    fn resumed(&mut self, first: usize) -> Result<(), HookError> {
        let mut behind: Vec<Which> =
            self.all().into_iter().filter(|which| self.request(*which).ids.len() > first).collect();
        behind.sort_by_key(|which| self.request(*which).ids.len());
        let past = self.beginnings(first, !behind.is_empty())?;
        for rows in self.nearly_alike(&behind, first) {
            self.run(&rows, first, Some(&past.of_rows(rows.iter().map(|(case, _)| *case).collect())))?;
        }
        Ok(())
    }

    /// Runs the first `first` tokens of every case, scores what is read there, and gives keys and values where they are wanted.
    fn beginnings(&mut self, first: usize, wanted: bool) -> Result<Past, HookError> {
        let tokens = Tokens::new(self.cases.iter().map(|case| case[0].ids[..first].to_vec()).collect());
        let layers = self.model.dims().layers;
        let kept = if wanted { Past::sites(0, layers, self.model.is_rotary()) } else { Vec::new() };
        let mut record = Record::of(kept.into_iter().chain([self.model.last_stream()]));
        let pass = Pass { tokens: &tokens, start: Start::Tokens, first: 0, past: None, read: least(tokens.rows(), 0) };
        run(self.model, &pass, &mut (self.hook().as_mut(), &mut record))?;
        let of = |which: &Which| (which.0, *which);
        let rows: Vec<(usize, Which)> = self.all().iter().map(of).collect();
        self.read(&record, &rows, 0..first);
        Ok(Past::of(&record, layers))
    }

    /// Rows in order of their length, as many as may share a batch.
    fn nearly_alike(&self, rows: &[Which], first: usize) -> Vec<Vec<Which>> {
        let length = |which: &Which| self.request(*which).ids.len() - first;
        let mut batches: Vec<Vec<Which>> = Vec::new();
        let mut held = 0;
        for which in rows {
            let full = batches.last().is_none_or(|batch| {
                let padded = (batch.len() + 1) * length(which);
                batch.len() == self.rows || PADDING * (padded - held - length(which)) > padded
            });
            if full {
                batches.push(Vec::new());
                held = 0;
            }
            held += length(which);
            batches.last_mut().expect("one was begun").push(*which);
        }
        batches
    }

    /// Runs texts from position `first` on and scores what is read there.
    fn run(&mut self, rows: &[Which], first: usize, past: Option<&Past>) -> Result<(), HookError> {
        let ids = rows.iter().map(|which| self.request(*which).ids.clone()).collect();
        let tokens = Tokens::padded(ids, crate::text::Padding::Right, 0);
        let mut record = Record::of([self.model.last_stream()]);
        let pass = Pass { tokens: &tokens, start: Start::Tokens, first, past, read: least(rows.len(), first) };
        run(self.model, &pass, &mut (self.hook().as_mut(), &mut record))?;
        let rows: Vec<(usize, Which)> = rows.iter().copied().enumerate().collect();
        self.read(&record, &rows, first..tokens.width());
        Ok(())
    }

    /// Scores the reads of some requests, each with its row, at the positions that were worked on.
    fn read(&mut self, record: &Record, rows: &[(usize, Which)], positions: std::ops::Range<usize>) {
        let mut asked: BTreeMap<Spot, Vec<Reader>> = BTreeMap::new();
        for (row, which) in rows {
            for (read, (at, token)) in self.request(*which).reads.iter().enumerate() {
                if positions.contains(at) {
                    asked.entry((*row, at - positions.start)).or_default().push((*token, *which, read));
                }
            }
        }
        let places: Vec<Asked> = asked
            .iter()
            .map(|((row, at), of)| Asked { row: *row, at: *at, tokens: of.iter().map(|(token, ..)| *token).collect() })
            .collect();
        let stream = record.at(self.model.last_stream()).expect("the pass was asked to show it");
        let found = log_probabilities(self.model, stream, &places);
        for (values, of) in found.into_iter().zip(asked.into_values()) {
            for (value, (_, (case, request), read)) in values.into_iter().zip(of) {
                self.scores[case][request][read] = value;
            }
        }
    }
}

/// One logit a row: a pass must read something out, and here it is the streams that are looked at.
fn least(rows: usize, at: usize) -> Read {
    Read { positions: Some(vec![at; rows]), tokens: Some(vec![vec![0]; rows]) }
}
