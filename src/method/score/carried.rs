//! The part of an edge's score that goes along some directions: what of its source's change lies in a feature's span.

use super::order::Reader;
use super::slopes::AtPorts;
use super::{Order, Scorer};
use crate::method::carry::{Span, Spans};
use crate::model::{HookError, Model};
use crate::node::{Edge, Flow, Node, Port};
use crate::site::Site;
use crate::tensor::{Setting, Tensor, from_doubles, to_doubles};
use serde::{Deserialize, Serialize};

/// One value an item for each of several edges, ports or nodes: `[which][item]`.
type Values = Vec<Vec<f64>>;

/// Scores of some edges, and what of them goes along the directions of features.
#[derive(Default, Serialize, Deserialize)]
pub struct Carried {
    /// The whole scores, `[edge][item]`.
    pub scores: Values,
    /// The parts, feature by feature.
    pub features: Vec<OfFeature>,
}

/// What of some edges' scores goes along the directions of one feature.
#[derive(Default, Serialize, Deserialize)]
pub struct OfFeature {
    /// `[edge][item]`.
    pub scores: Values,
    /// The same along each of the spans drawn by chance, summed over items, `[edge][draw]`.
    pub chance: Values,
    /// The squared gradient at each port that an edge ends in: its part in the span, and all of it, `[port][item]`.
    pub reads: [Values; 2],
}

/// Edges that end in ports of one kind, of one layer.
struct Group<'a> {
    /// The span of every feature at the stream that they read.
    spans: Vec<&'a Span>,
    /// Number of the edge, of its source, and of its port among those of the gradients.
    edges: Vec<[usize; 3]>,
    /// The position of each edge, where these are told apart.
    positions: Vec<Option<usize>>,
    /// Number among all ports that are asked for, and among those of the gradients.
    ports: Vec<[usize; 2]>,
}

/// The streams that ports read, each once.
pub fn span_sites(model: &dyn Model) -> Vec<Site> {
    let mut sites: Vec<Site> = Reader::all(model.dims().layers).iter().map(|reader| reader.stream(model)).collect();
    sites.dedup();
    sites
}

/// The first stream that a node's output is part of.
pub fn written_to(node: Node, model: &dyn Model) -> Site {
    let behind = |layer: usize| match layer + 1 < model.dims().layers {
        true => Site::ResidPre(layer + 1),
        false => model.last_stream(),
    };
    match node {
        Node::Input => Site::ResidPre(0),
        Node::Head(layer, _) if model.flow() == Some(Flow::Sequential) => Site::ResidMid(layer),
        Node::Head(layer, _) | Node::Mlp(layer) | Node::Neuron(layer, _) => behind(layer),
    }
}

impl Scorer<'_> {
    /// Scores of some edges for a batch of items, as [`Scorer::between`] has them, and their parts along spans; `ports` are
    /// those that the edges end in.
    pub fn carried(
        &self,
        (items, fractions): (&[usize], &[f64]),
        edges: &[Edge],
        ports: &[Port],
        features: &[Spans],
    ) -> Result<Carried, HookError> {
        let mut found = Carried::new(edges.len(), ports.len(), items.len(), features);
        self.integrated(items, fractions, |change, slopes, share| {
            let positions = change.positions();
            let some = self.rows_at_once(positions, items.len());
            for first in (0..items.len()).step_by(some) {
                let rows = first..items.len().min(first + some);
                let added = change.added(self.bench.model, rows.clone());
                slopes.each(self.bench.model, self.order, rows.clone(), |at| {
                    let group = Group::of(&at, self.order, self.bench.model, (edges, ports), features);
                    group.add(&added, &at.slopes, (first, share), &mut found);
                });
            }
        })?;
        Ok(found)
    }
}

impl<'a> Group<'a> {
    fn of(
        at: &AtPorts,
        order: &Order,
        model: &dyn Model,
        (edges, asked): (&[Edge], &[Port]),
        features: &'a [Spans],
    ) -> Self {
        let here = |port: Port| at.ports.iter().position(|number| order.ports[*number] == port);
        let source = |node: Node| order.nodes.iter().position(|known| *known == node).expect("a node of the model");
        let numbered = edges.iter().enumerate();
        let told = |(number, edge): (usize, &Edge)| Some(([number, source(edge.from), here(edge.to)?], edge.position));
        let (edges, positions) = numbered.filter_map(told).unzip();
        let ports = asked.iter().enumerate().filter_map(|(number, port)| Some([number, here(*port)?])).collect();
        let site = Reader::of(order.ports[at.ports[0]]).stream(model);
        Group { spans: features.iter().map(|spans| &spans[&site]).collect(), edges, positions, ports }
    }

    /// Adds a share of what these edges and ports have of `added` `[row, node, pos, d_model]` and the gradients `slopes`
    /// `[row, port, pos, d_model]`, whose first row is item `first`.
    fn add(&self, added: &Tensor<4>, slopes: &Tensor<4>, (first, share): (usize, f64), found: &mut Carried) {
        // no more at once than there are nodes
        let most = added.dims()[1];
        for (some, positions) in self.edges.chunks(most).zip(self.positions.chunks(most)) {
            let edges: Vec<usize> = some.iter().map(|[edge, ..]| *edge).collect();
            let change = only_at(chosen(added, some.iter().map(|[_, source, _]| *source)), positions);
            let slope = chosen(slopes, some.iter().map(|[.., port]| *port));
            let whole = sums(change.clone() * slope.clone());
            spread(&whole, &edges, first, |edge, item, value| found.scores[edge][item] += share * value[0]);
            for (span, feature) in self.spans.iter().zip(&mut found.features) {
                let along = |basis: &Tensor<2>| {
                    let basis = basis.clone().unsqueeze_dims::<4>(&[0, 1]);
                    (change.clone().matmul(basis.clone()) * slope.clone().matmul(basis)).sum_dim(2) // [row, edge, 1, column]
                };
                let own = sums(along(&span.own));
                spread(&own, &edges, first, |edge, item, value| feature.scores[edge][item] += share * value[0]);
                let draws = along(&span.chance).squeeze_dim::<3>(2);
                spread(&draws, &edges, first, |edge, _, values| {
                    let spans = values.chunks_exact(span.own.dims()[1]).map(|values| values.iter().sum::<f64>());
                    feature.chance[edge].iter_mut().zip(spans).for_each(|(sum, value)| *sum += share * value);
                });
            }
        }
        self.read(slopes, (first, share), found);
    }

    fn read(&self, slopes: &Tensor<4>, (first, share): (usize, f64), found: &mut Carried) {
        if self.ports.is_empty() {
            return;
        }
        let ports: Vec<usize> = self.ports.iter().map(|[port, _]| *port).collect();
        let slope = chosen(slopes, self.ports.iter().map(|[_, place]| *place));
        let all = sums(slope.clone().powf_scalar(2.0));
        for (span, feature) in self.spans.iter().zip(&mut found.features) {
            let part = sums(slope.clone().matmul(span.own.clone().unsqueeze_dims::<4>(&[0, 1])).powf_scalar(2.0));
            for (values, into) in [&part, &all].into_iter().zip(&mut feature.reads) {
                spread(values, &ports, first, |port, item, value| into[port][item] += share * value[0]);
            }
        }
    }
}

impl Carried {
    fn new(edges: usize, ports: usize, items: usize, features: &[Spans]) -> Self {
        let of_items = |count: usize| vec![vec![0.0; items]; count];
        let feature = |spans: &Spans| OfFeature {
            scores: of_items(edges),
            chance: vec![vec![0.0; spans.values().next().map_or(0, Span::draws)]; edges],
            reads: [of_items(ports), of_items(ports)],
        };
        Carried { scores: of_items(edges), features: features.iter().map(feature).collect() }
    }
}

/// Changes `[row, edge, pos, d_model]` at the position of each edge, where it has one.
fn only_at(change: Tensor<4>, places: &[Option<usize>]) -> Tensor<4> {
    if places.iter().all(Option::is_none) {
        return change;
    }
    let positions = change.dims()[2];
    let counts = |place: &Option<usize>, position: usize| place.is_none_or(|place| place == position);
    let here = places
        .iter()
        .flat_map(|place| (0..positions).map(move |position| f64::from(u8::from(counts(place, position)))));
    let mask: Tensor<4> = from_doubles(here.collect(), [1, places.len(), positions, 1], &Setting::of(&change));
    change * mask
}

/// Some of the second axis, in this order.
fn chosen(values: &Tensor<4>, which: impl Iterator<Item = usize>) -> Tensor<4> {
    let which: Vec<i32> = which.map(|index| index as i32).collect();
    let count = which.len();
    values.clone().select(1, crate::tensor::from_ints(which, [count], &values.device()))
}

/// Sums over the last two axes, `[row, which, 1]`.
fn sums(values: Tensor<4>) -> Tensor<3> {
    values.sum_dim(3).sum_dim(2).squeeze_dim(3)
}

/// Hands each of `[row, which, column]` to `take`, by the number of what it is of and of its item.
fn spread(values: &Tensor<3>, which: &[usize], first: usize, mut take: impl FnMut(usize, usize, &[f64])) {
    let [_, _, columns] = values.dims();
    for (place, values) in to_doubles(values).chunks_exact(columns.max(1)).enumerate() {
        take(which[place % which.len()], first + place / which.len(), values);
    }
}
