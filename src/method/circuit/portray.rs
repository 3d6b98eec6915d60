//! What the nodes of a circuit look at and write: recorded in one more run of the clean prompts.

use super::super::score::{Written, batches};
use crate::circuit::{Circuit, Portrait, Portraits, Seen, Vertex, View};
use crate::hook::{Activation, Record};
use crate::method::{Bench, Side, labels};
use crate::model::{HookError, Pass, Read, at_positions, run};
use crate::node::Node;
use crate::site::Site;
use crate::steps::{RunError, Steps};
use crate::tensor::{Setting, Tensor, from_doubles, from_ints, to_doubles, to_floats, widen};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Prompts that nodes are seen in by themselves.
const PROMPTS: usize = 3;
/// Tokens named of those that a node raises, and of those that it lowers.
const TOP: usize = 8;
/// Of longer prompts only what the answer's query looks at is kept: a pattern grows with the square.
const LONG: usize = 32;
/// Numbers are rounded to this many of one: more is not read on a page.
const DIGITS: f64 = 1e4;

/// The nodes of a circuit, seen in the mean of all items and in some of them; a joint step for each batch.
pub fn portray(bench: &Bench, circuit: &Circuit, steps: &mut Steps) -> Result<Portraits, RunError> {
    let nodes: Vec<Vertex> = circuit.writers().into_iter().filter(|vertex| vertex.node().is_some()).collect();
    let shown = shown(bench.items.len());
    let studio = Studio { bench, nodes: &nodes, shown: &shown };
    let mut found: Vec<Vec<Exposure>> = Vec::new();
    for items in batches(bench) {
        found.push(steps.joint(0, || studio.of_batch(&items))?);
    }
    let portrait = |(place, node): (usize, &Vertex)| {
        let own: Vec<&Exposure> = found.iter().map(|batch| &batch[place]).collect();
        Portrait { name: node.to_string(), seen: studio.seen(*node, &own) }
    };
    Ok(Portraits::new(studio.views(), nodes.iter().enumerate().map(portrait).collect()))
}

/// Items spread over all.
fn shown(items: usize) -> Vec<usize> {
    let count = items.min(PROMPTS);
    // one further on each time, as items often go by turns, one way round and the other
    let spread = |place: usize| (place * items / count + place).min(items - 1);
    (0..count).map(|place| if items == count { place } else { spread(place) }).collect()
}

/// Tokens, each with what its logit is moved by.
type Moved = Vec<(String, f64)>;

/// What nodes are seen with.
struct Studio<'a> {
    bench: &'a Bench<'a>,
    nodes: &'a [Vertex],
    shown: &'a [usize],
}

/// One node in one batch.
#[derive(Serialize, Deserialize)]
struct Exposure {
    /// The sum over items of the pattern, `[query][key]`; empty where there is none.
    pattern: Vec<Vec<f64>>,
    /// What is added to the right answer's logit less the wrong one's, an item each; empty where logits are no sum.
    direct: Vec<f64>,
    /// The sum over items of what reaches the unembedding, `d_model` wide; empty likewise.
    reaching: Vec<f32>,
    /// The items of the batch that are shown, each with its place among those.
    shown: Vec<(usize, Seen)>,
}

/// What the unembedding makes of nodes in one batch.
struct Reader {
    read: Read,
    /// Of the last norm, where there is one, `[item, pos, 1]`.
    scale: Option<Tensor<3>>,
    /// The columns of the right answer less those of the wrong one, `[item, 1, d_model]`.
    direction: Tensor<3>,
}

impl Studio<'_> {
    fn views(&self) -> Vec<View> {
        let bench = self.bench;
        let alike = self.alike();
        let mean = View {
            name: match alike.len() == bench.items.len() {
                true => format!("mean of {} prompts", alike.len()),
                false => format!("mean of {} prompts; pattern of the {} of one length", bench.items.len(), alike.len()),
            },
            item: None,
            tokens: labels(alike.iter().map(|item| &bench.items[*item].clean), bench.text),
            answer: self.answer(),
        };
        let one = |item: &usize| {
            let (tokens, answer) = (&bench.items[*item].clean, bench.answers(*item).at);
            let name = bench.text.map_or(format!("{tokens:?}"), |text| text.decode(tokens));
            View {
                name,
                item: Some(*item),
                tokens: tokens.iter().map(|token| self.label(*token)).collect(),
                answer: Some(answer),
            }
        };
        std::iter::once(mean).chain(self.shown.iter().map(one)).collect()
    }

    /// The items whose prompts have the commonest length, of several such the shortest.
    fn alike(&self) -> Vec<usize> {
        let mut by_length: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (item, known) in self.bench.items.iter().enumerate() {
            by_length.entry(known.clean.len()).or_default().push(item);
        }
        by_length
            .into_values()
            .reduce(|most, next| if next.len() > most.len() { next } else { most })
            .unwrap_or_default()
    }

    /// Where the answer is read, if that is the same in all items of the commonest length.
    fn answer(&self) -> Option<usize> {
        let mut at = self.alike().into_iter().map(|item| self.bench.answers(item).at);
        let first = at.next()?;
        at.all(|other| other == first).then_some(first)
    }

    fn label(&self, token: u32) -> String {
        self.bench.text.map_or(token.to_string(), |text| text.label(token))
    }

    fn of_batch(&self, items: &[usize]) -> Result<Vec<Exposure>, HookError> {
        let model = self.bench.model;
        let patterns = (0..model.dims().layers).map(Site::Pattern);
        let scale = model.sites().into_iter().filter(|site| *site == Site::FinalScale);
        let mut record = Record::of(Written::sites(model).into_iter().chain(patterns).chain(scale));
        run(model, &Pass::whole(&self.bench.tokens(items, Side::Clean)).reading(self.bench.read(items)), &mut record)?;
        let reader = model.indivisible().is_none().then(|| self.reader(items, &record));
        let written = Written::of(&record, model);
        Ok(self.nodes.iter().map(|node| self.exposure(*node, items, (&record, &written), reader.as_ref())).collect())
    }

    fn reader(&self, items: &[usize], record: &Record) -> Reader {
        let (model, read) = (self.bench.model, self.bench.read(items));
        let scale = record.at(Site::FinalScale).map(|scale| scale.clone().squeeze_dim(1));
        let columns = widen(model.unembedding().weight).swap_dims(0, 1); // [vocabulary, d_model]
        let mean = |tokens: &[u32]| {
            let index = from_ints(tokens.iter().map(|token| *token as i32).collect(), [tokens.len()], &model.device());
            columns.clone().select(0, index).mean_dim(0)
        };
        let own = |item: &usize| {
            let answers = self.bench.answers(*item);
            mean(&answers.right) - mean(&answers.wrong)
        };
        Reader { read, scale, direction: Tensor::cat(items.iter().map(own).collect(), 0).unsqueeze_dim(1) }
    }

    fn exposure(
        &self,
        vertex: Vertex,
        items: &[usize],
        seen: (&Record, &Written),
        reader: Option<&Reader>,
    ) -> Exposure {
        let ((record, written), position) = (seen, vertex.position());
        let node = vertex.node().expect("the logits are not seen");
        let pattern = match node {
            Node::Head(layer, head) => record.at(Site::Pattern(layer)).map(|all| widen(all.clone().narrow(1, head, 1))),
            Node::Input | Node::Mlp(_) | Node::Neuron(..) => None,
        };
        let reaching = reader
            .map(|reader| self.reaching(reader, written.added_by(self.bench.model, node).squeeze_dim(1), position));
        // what is written elsewhere does not go straight to the answer
        let there = position.is_none_or(|own| items.iter().all(|item| self.bench.answers(*item).at == own));
        let direct = reader.zip(reaching.as_ref()).filter(|_| there).map_or(Vec::new(), |(reader, reaching)| {
            to_doubles(&(reaching.clone() * reader.direction.clone()).sum_dim(2))
        });
        let shown = |(row, item): (usize, &usize)| {
            let place = self.shown.iter().position(|shown| shown == item)?;
            let own = pattern.as_ref().map(|pattern| rows(&pattern.clone().narrow(0, row, 1)));
            let reaching = reaching.as_ref().map(|all| to_floats(&all.clone().narrow(0, row, 1)));
            let value = direct.get(row).copied();
            let at = Some(self.bench.answers(*item).at);
            Some((place, self.looked(own, (at, position), value, reaching.unwrap_or_default())))
        };
        Exposure {
            pattern: pattern.as_ref().map(|pattern| rows(&pattern.clone().sum_dim(0))).unwrap_or_default(),
            reaching: reaching.as_ref().map(|all| to_floats(&all.clone().sum_dim(0))).unwrap_or_default(),
            shown: items.iter().enumerate().filter_map(shown).collect(),
            direct,
        }
    }

    /// What of a written stream `[item, pos, d_model]` reaches the unembedding, or would at a position: without one, where the
    /// answer is read; `[item, 1, d_model]`.
    fn reaching(&self, reader: &Reader, written: Tensor<3>, position: Option<usize>) -> Tensor<3> {
        let there = |all: Tensor<3>| match position {
            Some(position) => all.narrow(1, position, 1),
            None => at_positions(all, &reader.read, 0),
        };
        let written = there(written);
        match (self.bench.model.final_norm(), &reader.scale) {
            (Some(norm), Some(scale)) => norm.apply_frozen(written, there(scale.clone())),
            _ => written,
        }
    }

    /// A node in each of the views.
    fn seen(&self, vertex: Vertex, batches: &[&Exposure]) -> Vec<Seen> {
        let count = self.bench.items.len() as f64;
        let alike = self.alike();
        let length = alike.first().map_or(0, |item| self.bench.items[*item].clean.len());
        let of_length = batches.iter().map(|batch| &batch.pattern).filter(|rows| rows.len() == length);
        let pattern = Some(summed(of_length)).filter(|rows| !rows.is_empty());
        let share = |row: &Vec<f64>| row.iter().map(|sum| sum / alike.len() as f64).collect();
        let pattern = pattern.map(|rows| rows.iter().map(share).collect::<Vec<_>>());
        let direct: Vec<f64> = batches.iter().flat_map(|batch| batch.direct.iter().copied()).collect();
        let direct = (!direct.is_empty()).then(|| direct.iter().sum::<f64>() / count);
        let width = batches.first().map_or(0, |batch| batch.reaching.len());
        let mean = |at: usize| batches.iter().map(|batch| batch.reaching[at]).sum::<f32>() / count as f32;
        let at = (self.answer(), vertex.position());
        let all = self.looked(pattern, at, direct, (0..width).map(mean).collect());
        let mut single: Vec<&(usize, Seen)> = batches.iter().flat_map(|batch| &batch.shown).collect();
        single.sort_by_key(|(place, _)| *place);
        std::iter::once(all).chain(single.into_iter().map(|(_, seen)| seen.clone())).collect()
    }

    /// One view, rounded; of a head at a position only what it looks at from there.
    fn looked(
        &self,
        pattern: Option<Vec<Vec<f64>>>,
        (at, position): (Option<usize>, Option<usize>),
        direct: Option<f64>,
        reaching: Vec<f32>,
    ) -> Seen {
        let kept = |rows: Vec<Vec<f64>>| {
            let long = rows.len() > LONG;
            let wanted = |query: usize| position.map_or(!long || Some(query) == at, |own| query == own);
            let queries = rows.into_iter().enumerate().filter(|(query, _)| wanted(*query));
            queries.map(|(query, row)| (query, row.into_iter().map(rounded).collect())).collect()
        };
        let [raised, lowered] = self.moved(reaching);
        Seen { pattern: pattern.map(kept), direct: direct.map(rounded), raised, lowered }
    }

    /// The tokens that what reaches the unembedding raises and lowers most.
    fn moved(&self, reaching: Vec<f32>) -> [Moved; 2] {
        if reaching.is_empty() {
            return Default::default();
        }
        let (unembedding, width) = (widen(self.bench.model.unembedding().weight), reaching.len());
        let reaching = reaching.into_iter().map(f64::from).collect();
        let reaching: Tensor<2> = from_doubles(reaching, [1, width], &Setting::of(&unembedding));
        let logits = to_doubles(&reaching.matmul(unembedding));
        let mean = logits.iter().sum::<f64>() / logits.len() as f64;
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
        let named = |token: &usize| (self.label(*token as u32), rounded(logits[*token] - mean));
        let raised = order.iter().take(TOP).map(named).filter(|(_, by)| *by > 0.0).collect();
        [raised, order.iter().rev().take(TOP).map(named).filter(|(_, by)| *by < 0.0).collect()]
    }
}

/// A pattern `[1, 1, query, key]`, query by query.
fn rows(pattern: &Activation) -> Vec<Vec<f64>> {
    let keys = pattern.dims()[3];
    to_doubles(pattern).chunks(keys).map(<[f64]>::to_vec).collect()
}

fn summed<'a>(mut patterns: impl Iterator<Item = &'a Vec<Vec<f64>>>) -> Vec<Vec<f64>> {
    let mut sum = patterns.next().cloned().unwrap_or_default();
    for pattern in patterns {
        sum.iter_mut()
            .zip(pattern)
            .for_each(|(sum, row)| sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value));
    }
    sum
}

fn rounded(value: f64) -> f64 {
    (value * DIGITS).round() / DIGITS
}
