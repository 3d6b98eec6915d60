//! The heads and neurons of a program, each by the few weights of it that are not 0.

use super::layout::{BOUNDARY, Layout};
use super::variable::{Attend, Boundary, Brings, Id, Step, Variable};
use crate::node::Node;
use crate::program::Value;

/// A weight: from a direction to a channel, or from a channel to a direction.
pub type Weight = (usize, usize, f64);

/// A head that makes a variable.
#[derive(Default)]
pub struct Head {
    /// The variable.
    pub makes: Id,
    /// Layer and place in it.
    pub at: (usize, usize),
    /// Of queries, keys and values: direction, channel, weight.
    pub reads: [Vec<Weight>; 3],
    /// What queries are without reading: channel, number.
    pub query_bias: Vec<(usize, f64)>,
    /// Channel, direction, weight.
    pub writes: Vec<Weight>,
    /// Channels that it needs.
    pub channels: usize,
}

/// A neuron that helps to make a variable.
pub struct Neuron {
    /// The variable.
    pub makes: Id,
    /// Its layer.
    pub layer: usize,
    /// Direction and weight.
    pub reads: Vec<(usize, f64)>,
    /// What is added to what it reads.
    pub bias: f64,
    /// Direction and weight.
    pub writes: Vec<(usize, f64)>,
}

/// The heads and neurons of all variables.
#[derive(Default)]
pub struct Parts {
    /// In the order of their variables.
    pub heads: Vec<Head>,
    /// In the order of their variables.
    pub neurons: Vec<Neuron>,
}

/// Heads and neurons for every variable that is not an input.
pub fn parts(variables: &[Variable], layout: &Layout) -> Parts {
    let mut parts = Parts::default();
    let making = Making { variables, layout };
    for (id, variable) in variables.iter().enumerate() {
        match (&variable.step, layout.writers[id]) {
            (Step::Attend(attend), Node::Head(layer, head)) => parts.heads.push(making.head(id, (layer, head), attend)),
            (step, Node::Mlp(layer)) => parts.neurons.extend(making.neurons(id, layer, step)),
            _ => {}
        }
    }
    parts
}

struct Making<'a> {
    variables: &'a [Variable],
    layout: &'a Layout,
}

impl Making<'_> {
    fn head(&self, makes: Id, at: (usize, usize), attend: &Attend) -> Head {
        let mut head = Head { makes, at, ..Head::default() };
        if !attend.is_uniform() {
            self.compare(&mut head, attend);
        }
        match attend.brings {
            Brings::Boundary => {
                head.reads[2] = vec![(BOUNDARY, 0, 1.0)];
                head.writes = vec![(0, self.layout.directions(makes).start, 1.0)];
                head.channels = head.channels.max(1);
            }
            Brings::Mean(values) => {
                let (from, to) = (self.layout.directions(values), self.layout.directions(makes));
                head.channels = head.channels.max(from.len());
                head.reads[2] = from.enumerate().map(|(channel, direction)| (direction, channel, 1.0)).collect();
                head.writes = to.enumerate().map(|(channel, direction)| (channel, direction, 1.0)).collect();
            }
        }
        head
    }

    /// A channel for each value of a key that some query looks at, and one for the boundary token.
    fn compare(&self, head: &mut Head, attend: &Attend) {
        let [queries, keys] = [attend.queries, attend.keys].map(|id| self.layout.directions(id));
        let looked_at = |key: &usize| attend.table.iter().any(|row| row[*key]);
        let channels: Vec<usize> = (0..keys.len()).filter(looked_at).collect();
        for (channel, key) in channels.iter().enumerate() {
            head.reads[1].push((keys.start + key, channel, 1.0));
            if attend.is_constant() {
                head.query_bias.push((channel, 1.0));
                continue;
            }
            let asking = attend.table.iter().enumerate().filter(|(_, row)| row[*key]);
            head.reads[0].extend(asking.map(|(query, _)| (queries.start + query, channel, 1.0)));
        }
        head.channels = channels.len();
        let share = match attend.boundary {
            Boundary::Selected => 1.0,
            Boundary::Default => 0.5, // above what is not selected and below what is
            Boundary::Ignored => return,
        };
        head.reads[1].push((BOUNDARY, head.channels, 1.0));
        head.query_bias.push((head.channels, share));
        head.channels += 1;
    }

    fn neurons(&self, makes: Id, layer: usize, step: &Step) -> Vec<Neuron> {
        let neuron = |reads: Vec<(usize, f64)>, bias: f64, writes: Vec<(usize, f64)>| {
            let writes = writes.into_iter().filter(|(_, weight)| *weight != 0.0).collect();
            Neuron { makes, layer, reads, bias, writes }
        };
        let becomes = |value: Value| self.layout.writing(self.variables, makes, value);
        match step {
            Step::Lookup { of, to } => {
                let pairs = self.layout.directions(*of).zip(to);
                pairs.map(|(from, to)| neuron(vec![(from, 1.0)], 0.0, vec![becomes(*to)])).collect()
            }
            Step::Pair { of: [a, b], to } => {
                let of_second = |a: usize, row: &Vec<Option<Value>>| -> Vec<Neuron> {
                    let found = self.layout.directions(*b).zip(row).filter_map(|(b, to)| Some((b, (*to)?)));
                    // 1 where both are so
                    found.map(|(b, to)| neuron(vec![(a, 1.0), (b, 1.0)], -1.0, vec![becomes(to)])).collect()
                };
                self.layout.directions(*a).zip(to).flat_map(|(a, row)| of_second(a, row)).collect()
            }
            Step::Kinks { of, to, guarded } => {
                let terms = of.iter().map(|id| (self.layout.directions(*id).start, 1.0));
                let quiet = guarded.then(|| (BOUNDARY, -1.0 - 2.0 * reach(to.iter().map(|(sum, _)| *sum))));
                let terms: Vec<(usize, f64)> = terms.chain(quiet).collect();
                let out = self.layout.directions(makes).start;
                let bends = bends(to).into_iter().map(|(sum, bend)| neuron(terms.clone(), -sum, vec![(out, bend)]));
                let least = to[0].1;
                let reads = quiet.into_iter().collect();
                let constant = (least != Value::ZERO).then(|| neuron(reads, 1.0, vec![(out, least.number())]));
                constant.into_iter().chain(bends).collect()
            }
            Step::Stairs { of, to, guarded } => {
                let (from, values) = (self.layout.directions(*of).start, &self.variables[*of].values);
                let reads = |slope: f64| {
                    let quiet = (BOUNDARY, -1.0 - slope * (1.0 + 2.0 * reach(values.iter().copied())));
                    [(from, slope)].into_iter().chain(guarded.then_some(quiet)).collect::<Vec<_>>()
                };
                // at each stair the value before it goes, and the one behind it comes
                let change = |stair: usize, sign: f64| {
                    let comes = to.get(stair).map(|value| (*value, sign));
                    let goes = stair.checked_sub(1).map(|before| (to[before], -sign));
                    let scaled = |(value, sign)| (becomes(value).0, sign * becomes(value).1);
                    comes.into_iter().chain(goes).map(scaled).collect::<Vec<_>>()
                };
                let halves = |(stair, (at, slope)): (usize, (f64, f64))| {
                    [0.5, -0.5].map(|half| neuron(reads(slope), half - slope * at, change(stair, 2.0 * half)))
                };
                stairs(values).into_iter().enumerate().flat_map(halves).collect()
            }
            Step::Tokens | Step::Indices | Step::Attend(_) => Vec::new(),
        }
    }
}

/// The largest size of some values.
fn reach(values: impl Iterator<Item = Value>) -> f64 {
    values.fold(0.0, |most, value| value.number().abs().max(most))
}

/// Where a function that is straight between these points bends, and by how much its slope changes there.
fn bends(points: &[(Value, Value)]) -> Vec<(f64, f64)> {
    let slope =
        |pair: &[(Value, Value)]| (pair[1].1.number() - pair[0].1.number()) / (pair[1].0.number() - pair[0].0.number());
    let mut before = 0.0;
    let bend = |pair: &[(Value, Value)]| {
        let bend = slope(pair) - before;
        before += bend;
        (pair[0].0.number(), bend)
    };
    points.windows(2).map(bend).filter(|(_, bend)| *bend != 0.0).collect()
}

/// The stairs up to each of some values, and one behind the last: where each is, and how steep.
///
/// A stair is ReLU(z + ½) − ReLU(z − ½) with z = slope · (x − middle): 0 at the value below, 1 at the value above.
fn stairs(values: &[Value]) -> Vec<(f64, f64)> {
    let numbers: Vec<f64> = values.iter().map(|value| value.number()).collect();
    let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
    // a number that nobody wrote is 0; the share of a boundary token that sees itself alone is 1, twice that of one other
    let below = if first > 0.0 { 0.0 } else { first - 1.0 };
    let above = if last > 0.0 { 2.0 * last } else { last + 1.0 };
    let ends: Vec<f64> = std::iter::once(below).chain(numbers).chain([above]).collect();
    ends.windows(2).map(|pair| (f64::midpoint(pair[0], pair[1]), 1.0 / (pair[1] - pair[0]))).collect()
}
