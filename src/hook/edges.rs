//! Edges: a hook under which only chosen edges carry what has changed, and everything else is frozen.
//!
//! Every port v reads x_v = base x_v + Σ over the chosen edges u→v of (z_u now − z_u base). A sender's z_u now is what it
//! is given; that of another node is what it makes, in this pass, of what it reads; a node that no chosen edge enters
//! stays as it is in the base run. So with the clean input as the sender and an ablated run as the base, chosen edges are a
//! circuit; with one sender and a chain of edges they are a path.

use super::route::{Route, site_of};
use super::{Activation, Hook};
use crate::node::{Node, Port};
use crate::site::Site;
use crate::tensor::{Setting, Tensor, from_doubles, from_ints};
use std::collections::{BTreeMap, BTreeSet};

/// What items hold where nothing is changed, and what senders are given: by site, `[item, head, pos, width]`.
pub struct Frozen {
    /// The streams before, within and behind blocks, what heads mix and what MLPs write, of the base run.
    pub base: BTreeMap<Site, Activation>,
    /// The input (as the stream before the first block), what heads mix and what MLPs write, as senders are given them.
    pub given: BTreeMap<Site, Activation>,
    /// Output maps of the heads, `[heads · d_head, d_model]` a layer.
    pub outs: Vec<Tensor<2>>,
    /// The neurons that are nodes of their own, layer by layer.
    pub neurons: Vec<Vec<usize>>,
    /// The stream behind the last block.
    pub last: Site,
}

impl Frozen {
    /// The site of what a node writes; of a head, what it mixes.
    fn site(node: Node) -> Site {
        match node {
            Node::Input => Site::ResidPre(0),
            Node::Head(layer, _) => Site::Mix(layer),
            Node::Mlp(layer) | Node::Neuron(layer, _) => Site::MlpOut(layer),
        }
    }

    /// What a sender is given less what it has, `[item, 1, pos, width]`; of a head, in what it mixes.
    pub fn change(&self, node: Node) -> Activation {
        let site = Frozen::site(node);
        let part = match node {
            Node::Neuron(layer, _) => self.parts(layer).iter().position(|part| *part == node).unwrap_or(0),
            node => node.head().unwrap_or(0),
        };
        let head = |act: &Activation| act.clone().narrow(1, part, 1);
        head(&self.given[&site]) - head(&self.base[&site])
    }

    /// What a port reads in the base run, `[item, 1, pos, d_model]`.
    pub fn read(&self, port: Port) -> Activation {
        let site = match port {
            Port::Query(layer, _) | Port::Key(layer, _) | Port::Value(layer, _) => Site::ResidPre(layer),
            Port::Mlp(layer) | Port::Neuron(layer, _) if self.base.contains_key(&Site::ResidMid(layer)) => {
                Site::ResidMid(layer)
            }
            Port::Mlp(layer) | Port::Neuron(layer, _) => Site::ResidPre(layer),
            Port::Logits => self.last,
        };
        self.base[&site].clone()
    }

    /// An MLP and its neurons that are nodes of their own.
    fn parts(&self, layer: usize) -> Vec<Node> {
        let own = self.neurons[layer].iter().map(|neuron| Node::Neuron(layer, *neuron));
        std::iter::once(Node::Mlp(layer)).chain(own).collect()
    }

    fn layers(&self) -> usize {
        self.outs.len()
    }
}

/// The hook: a route a row, in a pass that begins with [`Edges::start`] before block `begin`. Where no output is made anew no
/// pass is needed: begun behind the last block, [`Edges::read`] knows what every port reads.
pub struct Edges<'a> {
    frozen: &'a Frozen,
    routes: Vec<&'a Route>,
    items: Vec<usize>,
    begin: usize,
    sites: BTreeSet<Site>,
    /// What each wire carries so far, `[row, wire, pos, d_model]`.
    carried: Tensor<4>,
    /// Where wires carry, `[row, wire, pos, 1]`; none where all do everywhere.
    places: Option<Tensor<4>>,
    /// What heads have changed and their own layer does not read yet.
    pending: Option<Tensor<4>>,
}

impl<'a> Edges<'a> {
    /// For rows that are an item and its route each.
    pub fn new(frozen: &'a Frozen, rows: &[(usize, &'a Route)], begin: usize) -> Self {
        let (items, routes): (Vec<usize>, Vec<&Route>) = rows.iter().copied().unzip();
        let [_, _, positions, width] = frozen.base[&frozen.last].dims();
        let wires = routes.iter().map(|route| route.wires.len()).max().unwrap_or(0).max(1);
        let nothing = vec![0.0; rows.len() * wires * positions * width];
        let setting = Setting::of(&frozen.base[&frozen.last]);
        let carried = from_doubles(nothing, [rows.len(), wires, positions, width], &setting);
        let places = places(&routes, wires, positions, &setting);
        let mut edges = Edges { frozen, routes, items, begin, sites: BTreeSet::new(), carried, places, pending: None };
        edges.sites = edges.wanted();
        edges.send();
        edges
    }

    /// The stream before block `begin`, `[row, pos, d_model]`; behind the last block with all that reaches the logits.
    pub fn start(&self) -> Tensor<3> {
        match self.begin < self.frozen.layers() {
            true => self.base(Site::ResidPre(self.begin)).squeeze_dim(1),
            false => self.read(Port::Logits).squeeze_dim(1),
        }
    }

    /// What a port reads, as far as it is known by now, `[row, 1, pos, d_model]`.
    pub fn read(&self, port: Port) -> Activation {
        self.rows(&self.frozen.read(port)) + self.arriving(&[port])
    }

    /// Sites that are visited: ports, the streams that are held, and outputs that change on the way.
    fn wanted(&self) -> BTreeSet<Site> {
        let (layers, mut sites) = (self.frozen.layers(), BTreeSet::new());
        if self.begin >= layers {
            return sites;
        }
        for route in &self.routes {
            let ports = route.wires.iter().flat_map(|wire| &wire.into);
            sites.extend(ports.filter_map(|port| site_of(*port)));
            let changing = route.recomputed().into_iter().chain(route.senders.iter().copied());
            sites.extend(changing.filter(|node| node.layer() >= Some(self.begin)).map(Frozen::site));
        }
        let held = |site: &Site| match site {
            Site::ResidPre(layer) => *layer > self.begin,
            Site::ResidMid(layer) => *layer >= self.begin,
            site => *site == self.frozen.last,
        };
        sites.extend(self.frozen.base.keys().copied().filter(held));
        sites
    }

    /// What senders before the beginning send.
    fn send(&mut self) {
        let senders: BTreeSet<Node> = self.routes.iter().flat_map(|route| route.senders.iter().copied()).collect();
        let early = |node: &Node| node.layer().is_none_or(|layer| layer < self.begin);
        let sites: BTreeSet<(usize, Site)> =
            senders.into_iter().filter(early).map(|node| (node.layer().unwrap_or(0), Frozen::site(node))).collect();
        for (layer, site) in sites {
            let change = match site {
                Site::Mix(_) => self.of_heads(layer, None),
                Site::MlpOut(_) => self.of_streams(&self.frozen.parts(layer), None),
                _ => self.of_streams(&[Node::Input], None),
            };
            self.carried = self.carried.clone() + change;
        }
    }

    /// What the heads of a layer add to each wire, `[row, wire, pos, d_model]`; `now` is what they mix in this pass.
    fn of_heads(&self, layer: usize, now: Option<Activation>) -> Tensor<4> {
        let site = Site::Mix(layer);
        let heads = self.frozen.base[&site].dims()[1];
        let change = self.change(site, heads, |head| Node::Head(layer, head), now);
        let [rows, _, positions, width] = change.dims();
        let wires = self.carried.dims()[1];
        let from = self.mask([wires, heads], |route, [wire, head]| leaves(route, wire, Node::Head(layer, head)));
        let from = from.reshape([rows, wires, heads, 1, 1]);
        let split = change.unsqueeze_dim::<5>(1) * from; // [row, wire, head, pos, d_head]
        let joined = split.swap_dims(2, 3).reshape([rows * wires * positions, heads * width]);
        joined.matmul(self.frozen.outs[layer].clone()).reshape(self.carried.dims())
    }

    /// What the input, or an MLP and its neurons, add to each wire.
    fn of_streams(&self, nodes: &[Node], now: Option<Activation>) -> Tensor<4> {
        let change = self.change(Frozen::site(nodes[0]), nodes.len(), |part| nodes[part], now);
        let [rows, parts, positions, width] = change.dims();
        let wires = self.carried.dims()[1];
        let from = self.mask([wires, parts], |route, [wire, part]| leaves(route, wire, nodes[part]));
        from.matmul(change.reshape([rows, parts, positions * width])).reshape([rows, wires, positions, width])
    }

    /// By how much each head of a site differs from the base run: senders by what they are given, others by what they make
    /// `now` where that is made anew; `[row, head, pos, width]`.
    fn change(&self, site: Site, heads: usize, node: impl Fn(usize) -> Node, now: Option<Activation>) -> Activation {
        let base = self.base(site);
        let sends = self.mask([heads, 1], |route, [head, _]| route.senders.contains(&node(head)));
        let mut change = match self.frozen.given.get(&site) {
            Some(given) => (self.rows(given) - base.clone()) * sends.unsqueeze_dim::<4>(3),
            None => base.zeros_like(),
        };
        if let Some(now) = now {
            let makes = self.mask([heads, 1], |route, [head, _]| route.recomputes(node(head)));
            change = change + (now - base) * makes.unsqueeze_dim::<4>(3);
        }
        change
    }

    /// What reaches each of some ports of one kind, `[row, port, pos, d_model]`.
    fn arriving(&self, ports: &[Port]) -> Tensor<4> {
        let [rows, wires, positions, width] = self.carried.dims();
        let into = self.mask([ports.len(), wires], |route, [port, wire]| {
            route.wires.get(wire).is_some_and(|wire| wire.into.contains(&ports[port]))
        });
        let carried = self.carried.clone();
        let carried = self.places.clone().map_or(carried.clone(), |places| carried * places);
        let carried = carried.reshape([rows, wires, positions * width]);
        into.matmul(carried).reshape([rows, ports.len(), positions, width])
    }

    /// 1 where something holds of a row's route at two indices, else 0: `[row, a, b]`.
    fn mask(&self, [a, b]: [usize; 2], holds: impl Fn(&Route, [usize; 2]) -> bool) -> Tensor<3> {
        let mut values = Vec::with_capacity(self.routes.len() * a * b);
        for route in &self.routes {
            let indices = (0..a).flat_map(|first| (0..b).map(move |second| [first, second]));
            values.extend(indices.map(|at| if holds(route, at) { 1.0 } else { 0.0 }));
        }
        from_doubles(values, [self.routes.len(), a, b], &Setting::of(&self.carried))
    }

    fn base(&self, site: Site) -> Activation {
        self.rows(&self.frozen.base[&site])
    }

    /// The row of its item for every row of the pass.
    fn rows(&self, of_items: &Activation) -> Activation {
        let index: Vec<i32> = self.items.iter().map(|item| *item as i32).collect();
        of_items.clone().select(0, from_ints(index, [self.items.len()], &of_items.device()))
    }

    fn flush(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.carried = self.carried.clone() + pending;
        }
    }
}

/// 1 where a wire carries, else 0, `[row, wire, pos, 1]`; none where all carry everywhere.
fn places(routes: &[&Route], wires: usize, positions: usize, setting: &Setting) -> Option<Tensor<4>> {
    let at = |route: &Route, wire: usize| route.wires.get(wire).and_then(|wire| wire.at);
    let each = || routes.iter().flat_map(|route| (0..wires).map(|wire| at(route, wire)));
    each().any(|place| place.is_some()).then(|| {
        let here = |place: Option<usize>, position: usize| place.is_none_or(|place| place == position);
        let of = |place| (0..positions).map(move |position| f64::from(u8::from(here(place, position))));
        from_doubles(each().flat_map(of).collect(), [routes.len(), wires, positions, 1], setting)
    })
}

fn leaves(route: &Route, wire: usize, node: Node) -> bool {
    route.wires.get(wire).is_some_and(|wire| wire.from.contains(&node))
}

impl Hook for Edges<'_> {
    fn visit(&mut self, site: Site, act: Activation) -> Activation {
        let heads = act.dims()[1];
        let ports = |port: &dyn Fn(usize) -> Port| (0..heads).map(port).collect::<Vec<Port>>();
        match site {
            Site::QueryIn(layer) => act + self.arriving(&ports(&|head| Port::Query(layer, head))),
            Site::KeyIn(layer) => act + self.arriving(&ports(&|head| Port::Key(layer, head))),
            Site::ValueIn(layer) => act + self.arriving(&ports(&|head| Port::Value(layer, head))),
            Site::MlpIn(layer) => {
                let own = self.frozen.neurons[layer].iter().map(|neuron| Port::Neuron(layer, *neuron));
                let ports: Vec<Port> = std::iter::once(Port::Mlp(layer)).chain(own).collect();
                act + self.arriving(&ports)
            }
            Site::Mix(layer) => {
                self.pending = Some(self.of_heads(layer, Some(act.clone())));
                act
            }
            Site::MlpOut(layer) => {
                self.carried = self.carried.clone() + self.of_streams(&self.frozen.parts(layer), Some(act.clone()));
                act
            }
            // in a parallel block the MLP has read by now, so what the heads changed may join
            stream => {
                self.flush();
                let held = self.base(stream);
                if stream == self.frozen.last { held + self.arriving(&[Port::Logits]) } else { held }
            }
        }
    }

    fn wants(&self, site: Site) -> bool {
        self.sites.contains(&site)
    }

    fn asks(&self) -> Vec<Site> {
        self.sites.iter().copied().collect()
    }
}
