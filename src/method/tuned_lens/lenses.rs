//! Streams that translators are learned from, and what both lenses read on items that were held out.

use super::{Fit, State, Translator};
use crate::hook::Record;
use crate::method::sweep::rows_of;
use crate::method::{Bench, Side, batches};
use crate::model::{HookError, Model, Pass, Read, at_positions, run};
use crate::plan::TunedLens;
use crate::site::Site;
use crate::tensor::{Setting, Tensor, activation, backward, off_tape, on_tape, to_doubles};
use crate::text::Tokens;
use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::LN_2;

/// The streams of all positions of the prompts that are learned from.
pub struct Streams<'a> {
    bench: &'a Bench<'a>,
    taped: &'a dyn Model,
    /// `[position, 1, d_model]`, by site.
    states: BTreeMap<Site, Tensor<3>>,
    /// The root mean square of each site's numbers.
    sizes: BTreeMap<Site, f64>,
}

impl<'a> Streams<'a> {
    /// Of each prompt once; `taped` is the bench's model on a tape.
    pub fn record(bench: &'a Bench<'a>, taped: &'a dyn Model, plan: &TunedLens) -> Result<Self, HookError> {
        let items = plan.parts.fit.iter().map(|item| &bench.items[*item]);
        let prompts: BTreeSet<&Vec<u32>> = items.flat_map(|item| [&item.clean, &item.corrupt]).collect();
        let prompts: Vec<&Vec<u32>> = prompts.into_iter().collect();
        let sites: BTreeSet<Site> = plan.sites.iter().copied().chain([bench.model.last_stream()]).collect();
        let mut parts: BTreeMap<Site, Vec<Tensor<3>>> = BTreeMap::new();
        for batch in batches(prompts.len(), bench.rows, |prompt| prompts[prompt].len()) {
            let tokens = Tokens::new(batch.iter().map(|prompt| prompts[*prompt].clone()).collect());
            for (site, state) in recorded(bench, &tokens, &sites)? {
                let [rows, positions, width] = state.dims();
                parts.entry(site).or_default().push(state.reshape([rows * positions, 1, width]));
            }
        }
        let states: BTreeMap<Site, Tensor<3>> =
            parts.into_iter().map(|(site, parts)| (site, Tensor::cat(parts, 0))).collect();
        let size = |state: &Tensor<3>| to_doubles(&state.clone().powi_scalar(2).mean())[0].sqrt();
        let sizes = states.iter().map(|(site, state)| (*site, size(state))).collect();
        Ok(Streams { bench, taped, states, sizes })
    }

    /// The translator that a fit has come to.
    pub fn translator(&self, site: Site, state: &State) -> Translator {
        state.translator(self.sizes[&site], &Setting::of(&self.states[&site]))
    }

    /// One step of a fit.
    pub fn step(&self, site: Site, fit: &Fit, state: &mut State) -> Result<(), HookError> {
        let own = &self.states[&site];
        let rows = state.draw(fit, own.dims()[0]);
        let leaves = self.translator(site, state).on(|part| on_tape(part).require_grad());
        let last = rows_of(self.states[&self.bench.model.last_stream()].clone(), &rows);
        let whole = on_tape(log_probabilities(self.bench.model, last));
        let lens = log_probabilities(self.taped, leaves.apply(on_tape(rows_of(own.clone(), &rows))));
        let loss = (whole.clone().exp() * (whole - lens)).sum() / rows.len() as f64;
        let slopes = backward(&loss);
        let by = |part: &Tensor<2>| {
            part.grad(&slopes).map_or(vec![0.0; part.dims().iter().product()], |found| to_doubles(&found))
        };
        let [weight, bias] = leaves.parts().map(by);
        state.step(fit, self.sizes[&site], to_doubles(&off_tape(loss))[0], [&weight, &bias]);
        Ok(())
    }
}

/// ln p of every token, `[row, pos, vocabulary]`, read from streams.
fn log_probabilities(model: &dyn Model, stream: Tensor<3>) -> Tensor<3> {
    activation::log_softmax(model.read_out(stream, &Read::default()), 2)
}

/// Streams `[row, pos, d_model]` of whole prompts.
fn recorded(bench: &Bench, tokens: &Tokens, sites: &BTreeSet<Site>) -> Result<BTreeMap<Site, Tensor<3>>, HookError> {
    let mut record = Record::of(sites.iter().copied());
    let nothing = Read { positions: Some(vec![0; tokens.rows()]), tokens: Some(vec![vec![0]; tokens.rows()]) };
    run(bench.model, &Pass::whole(tokens).reading(nothing), &mut record)?;
    Ok(record.into_kept().into_iter().map(|(site, state)| (site, state.squeeze_dim(1))).collect())
}

/// Metric at the answer, divergence in bits and agreement over positions, one an item held out: by the logit lens, by the
/// tuned lens, by the last layer.
pub fn read(
    bench: &Bench,
    plan: &TunedLens,
    site: Site,
    translator: &Translator,
) -> Result<[[Vec<f64>; 3]; 3], HookError> {
    let test = &plan.parts.test;
    let mut found: [[Vec<f64>; 3]; 3] = std::array::from_fn(|_| std::array::from_fn(|_| vec![0.0; test.len()]));
    let last = bench.model.last_stream();
    for batch in batches(test.len(), bench.rows, |at| bench.items[test[at]].clean.len()) {
        let items: Vec<usize> = batch.iter().map(|at| test[*at]).collect();
        let states = recorded(bench, &bench.tokens(&items, Side::Clean), &BTreeSet::from([site, last]))?;
        let plain = states[&site].clone();
        let streams = [plain.clone(), translator.apply(plain), states[&last].clone()];
        let whole = to_doubles(&log_probabilities(bench.model, states[&last].clone()));
        for (found, stream) in found.iter_mut().zip(streams) {
            let lens = to_doubles(&log_probabilities(bench.model, stream.clone()));
            let each = whole.len() / batch.len();
            let heard = whole
                .chunks_exact(each)
                .zip(lens.chunks_exact(each))
                .map(|(whole, lens)| apart(whole, lens, bench.model.dims().vocabulary));
            let read = bench.read(&items);
            let answers = Read { tokens: None, ..read.clone() };
            let logits = bench.model.read_out(at_positions(stream, &answers, 0), &read);
            for ((at, metric), [bits, agreement]) in batch.iter().zip(bench.values(&logits, &items)).zip(heard) {
                [found[0][*at], found[1][*at], found[2][*at]] = [metric, bits, agreement];
            }
        }
    }
    Ok(found)
}

/// KL(whole ‖ lens) in bits, and how often both have the same token first, means over the positions of a prompt.
fn apart(whole: &[f64], lens: &[f64], vocabulary: usize) -> [f64; 2] {
    let first = |values: &[f64]| (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b]));
    let positions = whole.chunks_exact(vocabulary).zip(lens.chunks_exact(vocabulary));
    let of = |(whole, lens): (&[f64], &[f64])| {
        let nats: f64 = whole.iter().zip(lens).map(|(own, other)| own.exp() * (own - other)).sum();
        [nats / LN_2, f64::from(u8::from(first(whole) == first(lens)))]
    };
    let count = (whole.len() / vocabulary) as f64;
    positions.map(of).fold([0.0; 2], |sum, next| [sum[0] + next[0], sum[1] + next[1]]).map(|sum| sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divergence_and_agreement_by_hand() {
        let ln = |values: [f64; 4]| values.map(f64::ln);
        // two positions of two tokens: ½ log2 (½ / ¾) + ½ log2 (½ / ¼), and none
        let (whole, lens) = (ln([0.5, 0.5, 0.9, 0.1]), ln([0.75, 0.25, 0.9, 0.1]));
        let [bits, agreement] = apart(&whole, &lens, 2);
        let expected = 0.5 * (0.5 * (0.5f64 / 0.75).log2() + 0.5 * (0.5f64 / 0.25).log2());
        assert!((bits - expected).abs() < 1e-12, "{bits}");
        // of equal ones the last counts, on both sides alike
        assert_eq!(agreement, 0.5);
    }
}
