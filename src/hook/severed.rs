//! Severed edges: a hook under which some edges bring an ablated output of their source in place of its own.
//!
//! Every port v reads x_v + Σ over the severed edges u→v of (z_u ablated − z_u now): x_v and z_u now are those of the running
//! pass, in which earlier ports have read other things already. With the edges outside a circuit severed, that is the run
//! of the circuit. An edge may be severed at one position alone. Edges may be severed by a share too, on a tape if need be: then each change counts times its share. What nodes have lost is kept as wide as the stream, `[row, node, pos, d_model]`, so that all ports of a
//! layer take one product of matrices.

use super::{Activation, Hook};
use crate::node::{Edge, Node, Port};
use crate::site::Site;
use crate::tensor::{Setting, Tensor, from_doubles};
use std::collections::{BTreeMap, BTreeSet};

/// What a severed edge brings, and what is needed to tell what it no longer brings.
pub struct Ablated {
    /// The input (as the stream before the first block), what heads mix and what MLPs write: `[row or 1, head, pos, width]`.
    pub states: BTreeMap<Site, Activation>,
    /// Output maps of the heads, `[heads · d_head, d_model]` a layer.
    pub outs: Vec<Tensor<2>>,
    /// The neurons that are nodes of their own, layer by layer.
    pub neurons: Vec<Vec<usize>>,
    /// The stream behind the last block.
    pub last: Site,
}

/// Which edges are severed.
enum Cut {
    /// These, wholly, by where they end.
    Edges(BTreeMap<Port, Vec<Edge>>),
    /// All, each by a share: where ports read, `[1, port, node]` of the first nodes in the order of the stream.
    Shares(BTreeMap<Site, Tensor<3>>),
}

/// The hook, for rows that all have the same edges severed.
pub struct Severed<'a> {
    ablated: &'a Ablated,
    cut: Cut,
    sites: BTreeSet<Site>,
    /// Nodes that have written, and what an edge from each would bring less what it brings, `[row, node, pos, d_model]`.
    lost: Vec<(Vec<Node>, Tensor<4>)>,
}

impl<'a> Severed<'a> {
    /// With these edges severed; with none no site is visited, and no bit of a pass changes.
    pub fn new(ablated: &'a Ablated, edges: impl IntoIterator<Item = Edge>) -> Self {
        let (mut into, mut from): (BTreeMap<Port, Vec<Edge>>, BTreeSet<Node>) = Default::default();
        for edge in edges {
            into.entry(edge.to).or_default().push(edge);
            from.insert(edge.from);
        }
        let written = |node: &Node| match node {
            Node::Input => Site::ResidPre(0),
            Node::Head(layer, _) => Site::Mix(*layer),
            Node::Mlp(layer) | Node::Neuron(layer, _) => Site::MlpOut(*layer),
        };
        let read = |port: &Port| super::site_of(*port).unwrap_or(ablated.last);
        let sites = from.iter().map(written).chain(into.keys().map(read)).collect();
        Severed { ablated, cut: Cut::Edges(into), sites, lost: Vec::new() }
    }

    /// With every edge severed by a share: `shares` where ports read, `[1, port, node]`, of the first nodes in the order of
    /// the stream.
    pub fn by_shares(ablated: &'a Ablated, shares: BTreeMap<Site, Tensor<3>>) -> Self {
        let sites = shares.keys().chain(ablated.states.keys()).copied().collect();
        Severed { ablated, cut: Cut::Shares(shares), sites, lost: Vec::new() }
    }

    /// What is lost at nodes that have written `now` at a site.
    fn lose(&mut self, site: Site, nodes: Vec<Node>, now: &Activation) {
        let change = self.ablated.states[&site].clone() - now.clone();
        let change = match nodes[0] {
            Node::Head(layer, _) => {
                let [d_all, d_model] = self.ablated.outs[layer].dims();
                let heads = nodes.len();
                change.matmul(self.ablated.outs[layer].clone().reshape([1, heads, d_all / heads, d_model]))
            }
            Node::Input | Node::Mlp(_) | Node::Neuron(..) => change,
        };
        self.lost.push((nodes, change));
    }

    /// What ports of one kind read less, or more, than what the stream holds: `[row, port, pos, d_model]`.
    fn missing(&self, site: Site, ports: &[Port]) -> Option<Tensor<4>> {
        match &self.cut {
            Cut::Edges(into) => self.wholly(into, ports),
            Cut::Shares(shares) => self.by(shares.get(&site)?.clone()),
        }
    }

    /// Of shares `[1, port, node]`.
    fn by(&self, shares: Tensor<3>) -> Option<Tensor<4>> {
        let all = Tensor::cat(self.lost.iter().map(|(_, lost)| lost.clone()).collect(), 1);
        let ([_, ports, nodes], [rows, _, positions, width]) = (shares.dims(), all.dims());
        let all = all.narrow(1, 0, nodes).reshape([rows, nodes, positions * width]);
        Some(shares.matmul(all).reshape([rows, ports, positions, width]))
    }

    fn wholly(&self, into: &BTreeMap<Port, Vec<Edge>>, ports: &[Port]) -> Option<Tensor<4>> {
        let severed: Vec<&[Edge]> = ports.iter().map(|port| into.get(port).map_or(&[][..], Vec::as_slice)).collect();
        let from: BTreeSet<Node> = severed.iter().flat_map(|edges| edges.iter().map(|edge| edge.from)).collect();
        let lost: Vec<&(Vec<Node>, Tensor<4>)> =
            self.lost.iter().filter(|(nodes, _)| nodes.iter().any(|node| from.contains(node))).collect();
        let (_, first) = lost.first()?;
        let [rows, _, positions, width] = first.dims();
        let nodes: Vec<Node> = lost.iter().flat_map(|(nodes, _)| nodes.iter().copied()).collect();
        let all = Tensor::cat(lost.iter().map(|(_, lost)| lost.clone()).collect(), 1);
        let apart = severed.iter().any(|edges| edges.iter().any(|edge| edge.position.is_some()));
        let mask = mask(&severed, &nodes, if apart { positions } else { 1 }, &Setting::of(&all));
        Some(match apart {
            true => mask.matmul(all.swap_dims(1, 2)).swap_dims(1, 2), // [row, port, pos, d_model]
            false => {
                let all = all.reshape([rows, 1, nodes.len(), positions * width]);
                mask.matmul(all).reshape([rows, ports.len(), positions, width])
            }
        })
    }

    fn read(&self, site: Site, act: Activation, port: impl Fn(usize) -> Port) -> Activation {
        let ports: Vec<Port> = (0..act.dims()[1]).map(port).collect();
        match self.missing(site, &ports) {
            Some(missing) => act + missing,
            None => act,
        }
    }
}

/// 1 where an edge into a port is severed, `[1, place, port, node]`; a place is a position, or all of them.
fn mask(severed: &[&[Edge]], nodes: &[Node], places: usize, setting: &Setting) -> Tensor<4> {
    let number: BTreeMap<Node, usize> = nodes.iter().enumerate().map(|(number, node)| (*node, number)).collect();
    let mut values = vec![0.0; places * severed.len() * nodes.len()];
    for (port, edge) in severed.iter().enumerate().flat_map(|(port, edges)| edges.iter().map(move |edge| (port, edge)))
    {
        let everywhere = 0..places;
        let at = edge.position.filter(|_| places > 1).map_or(everywhere, |position| position..position + 1);
        at.for_each(|place| values[(place * severed.len() + port) * nodes.len() + number[&edge.from]] = 1.0);
    }
    from_doubles(values, [1, places, severed.len(), nodes.len()], setting)
}

impl Hook for Severed<'_> {
    fn visit(&mut self, site: Site, act: Activation) -> Activation {
        match site {
            Site::QueryIn(layer) => self.read(site, act, |head| Port::Query(layer, head)),
            Site::KeyIn(layer) => self.read(site, act, |head| Port::Key(layer, head)),
            Site::ValueIn(layer) => self.read(site, act, |head| Port::Value(layer, head)),
            Site::MlpIn(layer) => self.read(site, act, |part| match part {
                0 => Port::Mlp(layer),
                own => Port::Neuron(layer, self.ablated.neurons[layer][own - 1]),
            }),
            Site::Mix(layer) => {
                let nodes = (0..act.dims()[1]).map(|head| Node::Head(layer, head)).collect();
                self.lose(site, nodes, &act);
                act
            }
            Site::MlpOut(layer) => {
                let own = self.ablated.neurons[layer].iter().map(|neuron| Node::Neuron(layer, *neuron));
                self.lose(site, std::iter::once(Node::Mlp(layer)).chain(own).collect(), &act);
                act
            }
            Site::ResidPre(0) => {
                self.lose(site, vec![Node::Input], &act);
                act
            }
            _ => self.read(site, act, |_| Port::Logits),
        }
    }

    fn wants(&self, site: Site) -> bool {
        self.sites.contains(&site)
    }

    fn asks(&self) -> Vec<Site> {
        self.sites.iter().copied().collect()
    }
}
