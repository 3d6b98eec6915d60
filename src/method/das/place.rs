//! Exchanges at one place: both runs recorded once, and passes that go on from there, plain or on a tape.

use super::descent::Cost;
use super::span::Span;
use super::swaps::{Swap, Swaps, prompt};
use crate::hook::{Activation, Change, Edit, Edits, Record};
use crate::method::sweep::{Begin, rows_of};
use crate::method::{Bench, Side, reading};
use crate::metric::Metric;
use crate::model::{HookError, Model, Pass, Past, Read, Start, run};
use crate::plan::{Answers, Cell};
use crate::site::{Place, Site};
use crate::spec::Loss;
use crate::tensor::{Setting, Tensor, backward, from_doubles, off_tape, on_tape, to_doubles};
use crate::text::Tokens;
use ndarray::Array2;

/// What is read of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// The metric, read for the answer of the source run.
    pub metric: f64,
    /// 1 where that answer is the likelier of the two, else 0.
    pub preferred: f64,
}

/// Some exchanges at a place.
pub struct Here<'a> {
    bench: &'a Bench<'a>,
    taped: &'a dyn Model,
    place: Place,
    batches: Vec<Batch>,
    /// Of each exchange: its base run, and its source run.
    pub ends: Vec<[Value; 2]>,
}

/// Exchanges of one length.
struct Batch {
    /// Their numbers.
    swaps: Vec<usize>,
    /// 1 where the source run is that of the clean prompt, −1 where it is that of the corrupted one.
    towards: Vec<f64>,
    tokens: Tokens,
    answers: Vec<Vec<Answers>>,
    /// The first position that is worked on.
    first: usize,
    /// Whether anything is changed in some row.
    differs: bool,
    plain: Kept,
    taped: Kept,
}

/// What a pass goes on from, and what it changes.
struct Kept {
    /// The layer, and the stream before it; none where passes begin with the tokens.
    stream: Option<(usize, Tensor<3>)>,
    past: Option<Past>,
    /// At the place, source less base.
    difference: Activation,
}

impl Kept {
    fn on_tape(&self) -> Self {
        Kept {
            stream: self.stream.clone().map(|(layer, stream)| (layer, on_tape(stream))),
            past: self.past.as_ref().map(Past::on_tape),
            difference: on_tape(self.difference.clone()),
        }
    }
}

impl<'a> Here<'a> {
    /// Records both runs of every exchange; `taped` is the bench's model on a tape.
    pub fn record(bench: &'a Bench<'a>, taped: &'a dyn Model, cell: &Cell, swaps: &Swaps) -> Result<Self, HookError> {
        let place = cell.place(cell.sites[0], None);
        let nothing = Value { metric: f64::NAN, preferred: f64::NAN };
        let mut here = Here { bench, taped, place, batches: Vec::new(), ends: vec![[nothing; 2]; swaps.all.len()] };
        for numbers in swaps.batches(bench) {
            let batch = here.recorded(numbers, swaps)?;
            here.batches.push(batch);
        }
        Ok(here)
    }

    fn recorded(&mut self, numbers: Vec<usize>, swaps: &Swaps) -> Result<Batch, HookError> {
        let (model, site) = (self.bench.model, self.place.site);
        let layers = model.dims().layers;
        let begin = match Begin::of(site, layers) {
            Begin::Tokens => None,
            Begin::Layer(layer) if layer < layers => Some((layer, Site::ResidPre(layer))),
            Begin::Layer(layer) => Some((layer, model.last_stream())),
        };
        let causal = model.is_causal();
        let past =
            if causal { Past::sites(begin.map_or(0, |(layer, _)| layer), layers, model.is_rotary()) } else { vec![] };
        let own: Vec<&Swap> = numbers.iter().map(|number| &swaps.all[*number]).collect();
        let tokens = |side: fn(&Swap) -> Side| {
            Tokens::new(own.iter().map(|swap| prompt(self.bench, swap.item, side(swap)).to_vec()).collect())
        };
        let (base, source) = (tokens(|swap| swap.base), tokens(Swap::source));
        let answers: Vec<Vec<Answers>> = own.iter().map(|swap| vec![swap.answers.clone()]).collect();
        let mut record = Record::of(begin.iter().map(|(_, stream)| *stream).chain(past).chain([site]));
        let mut other = Record::of([site]);
        let read = || self.read(&answers);
        let values = [
            run(model, &Pass::whole(&base).reading(read()), &mut record)?,
            run(model, &Pass::whole(&source).reading(read()), &mut other)?,
        ]
        .map(|logits| self.values(&logits, &answers));
        for (at, number) in numbers.iter().enumerate() {
            self.ends[*number] = [values[0][at], values[1][at]];
        }
        let at = |record: &Record| self.place.part_of(record.at(site).expect("asked for above"));
        let plain = Kept {
            stream: begin
                .map(|(layer, stream)| (layer, record.at(stream).expect("asked for above").clone().squeeze_dim(1))),
            past: causal.then(|| Past::of(&record, layers)),
            difference: at(&other) - at(&record),
        };
        let first = if causal { self.first(&plain.difference, &answers) } else { 0 };
        let differs = to_doubles(&plain.difference).iter().any(|value| *value != 0.0);
        let towards = own.iter().map(|swap| if swap.base == Side::Corrupt { 1.0 } else { -1.0 }).collect();
        Ok(Batch { swaps: numbers, towards, tokens: base, answers, first, differs, taped: plain.on_tape(), plain })
    }

    /// The first position that something is changed at, but none behind an answer.
    fn first(&self, difference: &Activation, answers: &[Vec<Answers>]) -> usize {
        let positions = difference.dims()[2];
        let places = self.place.positions.clone().unwrap_or_else(|| (0..positions).collect());
        let most = to_doubles(&difference.clone().abs().max_dim(3).max_dim(0));
        let changed = places.iter().zip(&most).filter(|(_, most)| **most != 0.0).map(|(place, _)| *place).min();
        let read = answers.iter().flatten().map(|answers| answers.at).min().unwrap_or(0);
        changed.unwrap_or(read).min(read)
    }

    /// What of two runs differs at the place, `[exchange · position, width]`, each row turned so that the two ways round of a
    /// pair do not cancel out: towards the answer of the higher token where all pairs have the same two, else towards the
    /// clean prompt.
    pub fn differences(&self) -> Array2<f64> {
        let (mut all, mut width) = (Vec::new(), 1);
        let unordered = |answers: &Answers| {
            let (right, wrong) = (&answers.right, &answers.wrong);
            [right.min(wrong).clone(), right.max(wrong).clone()]
        };
        let asked = || self.batches.iter().flat_map(|batch| batch.answers.iter().flatten());
        let same = asked().next().is_none_or(|first| asked().all(|one| unordered(one) == unordered(first)));
        for batch in &self.batches {
            let values = to_doubles(&batch.plain.difference);
            width = batch.plain.difference.dims()[3];
            let rows = values.chunks_exact(values.len() / batch.swaps.len());
            for ((row, answers), towards) in rows.zip(batch.answers.iter().flatten()).zip(&batch.towards) {
                let by_token = if answers.right < answers.wrong { -1.0 } else { 1.0 };
                let sign = if same { by_token } else { *towards };
                all.extend(row.iter().map(|value| sign * value));
            }
        }
        Array2::from_shape_vec((all.len() / width, width), all).expect("rows of this width")
    }

    /// Whether anything at the place differs between the runs.
    pub fn differs(&self) -> bool {
        self.batches.iter().any(|batch| batch.differs)
    }

    /// The mean loss of some exchanges of a span, by shares where there are such, and its slopes.
    pub fn cost(
        &self,
        chosen: &[usize],
        (span, shares): (&Span, Option<&[f64]>),
        loss: Loss,
    ) -> Result<Cost, HookError> {
        let (count, width) = span.dim();
        let mut cost = Cost { loss: 0.0, span: Array2::zeros((count, width)), shares: vec![0.0; count] };
        for batch in &self.batches {
            let rows: Vec<usize> =
                (0..batch.swaps.len()).filter(|row| chosen.binary_search(&batch.swaps[*row]).is_ok()).collect();
            if rows.is_empty() {
                continue;
            }
            let setting = Setting::of(&batch.plain.difference);
            let leaf = on_tape(from_doubles(span.iter().copied().collect(), [count, width], &setting)).require_grad();
            let kept =
                shares.map(|shares| on_tape(from_doubles(shares.to_vec(), [1, 1, 1, count], &setting)).require_grad());
            let value = along(rows_of(batch.taped.difference.clone(), &rows), &leaf, kept.as_ref());
            let answers: Vec<Vec<Answers>> = rows.iter().map(|row| batch.answers[*row].clone()).collect();
            let metric = if loss == Loss::Metric { self.bench.metric } else { Metric::LogProb };
            let logits =
                self.changed(self.taped, batch, &batch.taped, (&rows, value), reading::read(metric, &answers))?;
            let total = -reading::total(metric, &logits, &answers) / chosen.len() as f64;
            let slopes = backward(&total);
            cost.loss += to_doubles(&off_tape(total))[0];
            if let Some(found) = leaf.grad(&slopes) {
                cost.span.iter_mut().zip(to_doubles(&found)).for_each(|(sum, slope)| *sum += slope);
            }
            if let Some(found) = kept.and_then(|kept| kept.grad(&slopes)) {
                cost.shares.iter_mut().zip(to_doubles(&found)).for_each(|(sum, slope)| *sum += slope);
            }
        }
        Ok(cost)
    }

    /// What every exchange comes to with each of some spans, `[span][exchange]`; no span is the whole vector.
    pub fn exchanged(&self, spans: &[Option<Span>]) -> Result<Vec<Vec<Value>>, HookError> {
        let mut found: Vec<Vec<Value>> = vec![self.ends.iter().map(|[base, _]| *base).collect(); spans.len()];
        for batch in self.batches.iter().filter(|batch| batch.differs) {
            let all: Vec<(usize, usize)> =
                (0..spans.len()).flat_map(|span| (0..batch.swaps.len()).map(move |row| (span, row))).collect();
            for chunk in all.chunks(self.bench.rows.max(1)) {
                let rows: Vec<usize> = chunk.iter().map(|(_, row)| *row).collect();
                let parts = chunk.chunk_by(|a, b| a.0 == b.0).map(|part| {
                    let rows: Vec<usize> = part.iter().map(|(_, row)| *row).collect();
                    brought(rows_of(batch.plain.difference.clone(), &rows), spans[part[0].0].as_ref())
                });
                let value = Tensor::cat(parts.collect(), 0);
                let answers: Vec<Vec<Answers>> = rows.iter().map(|row| batch.answers[*row].clone()).collect();
                let logits =
                    self.changed(self.bench.model, batch, &batch.plain, (&rows, value), self.read(&answers))?;
                for ((span, row), value) in chunk.iter().zip(self.values(&logits, &answers)) {
                    found[*span][batch.swaps[*row]] = value;
                }
            }
        }
        Ok(found)
    }

    /// The logits of some rows of a batch with a value added at the place.
    fn changed(
        &self,
        model: &dyn Model,
        batch: &Batch,
        kept: &Kept,
        (rows, value): (&[usize], Activation),
        read: Read,
    ) -> Result<Tensor<3>, HookError> {
        let tokens = batch.tokens.rows_at(rows);
        let past =
            kept.past.as_ref().filter(|_| batch.first > 0).map(|past| past.until(batch.first).of_rows(rows.to_vec()));
        let start = kept.stream.as_ref().map_or(Start::Tokens, |(layer, stream)| {
            let stream = stream.clone().narrow(1, batch.first, batch.tokens.width() - batch.first);
            Start::at(*layer, rows_of(stream, rows))
        });
        let pass = Pass { tokens: &tokens, start, first: batch.first, past: past.as_ref(), read };
        run(model, &pass, &mut Edits::new(vec![Edit { place: self.place.clone(), change: Change::Add(value) }]))
    }

    fn read(&self, answers: &[Vec<Answers>]) -> Read {
        reading::read(self.bench.metric, answers)
    }

    /// Of each row; what was read for the metric tells too which of the two answers is the likelier.
    fn values(&self, logits: &Tensor<3>, answers: &[Vec<Answers>]) -> Vec<Value> {
        let metric = self.bench.metric;
        let preference = if metric.needs_vocabulary() { Metric::ProbabilityDiff } else { Metric::LogitDiff };
        let preferred = reading::values(preference, logits, answers);
        let values = reading::values(metric, logits, answers).into_iter().zip(preferred);
        values.map(|(metric, by)| Value { metric, preferred: f64::from(u8::from(by > 0.0)) }).collect()
    }
}

/// The part of a difference that lies in a span; all of it where there is none.
fn brought(difference: Activation, span: Option<&Span>) -> Activation {
    let Some(span) = span else { return difference };
    let setting = Setting::of(&difference);
    along(difference, &from_doubles(span.iter().copied().collect(), span.dim().into(), &setting), None)
}

/// The part of a difference `[row, 1, pos, width]` along orthonormal directions `[direction, width]`, each by a share.
fn along(difference: Activation, span: &Tensor<2>, shares: Option<&Tensor<4>>) -> Activation {
    let coordinates = difference.matmul(span.clone().transpose().unsqueeze()); // [row, 1, pos, direction]
    let coordinates = match shares {
        Some(shares) => coordinates * shares.clone(),
        None => coordinates,
    };
    coordinates.matmul(span.clone().unsqueeze())
}
