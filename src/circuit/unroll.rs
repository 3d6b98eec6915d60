//! A circuit at positions as a diagram: tokens side by side, layers bottom to top.
//!
//! A head reads keys and values at one position and writes at others. So it has a box where it reads them (`kv`), below the
//! row of boxes where it asks and writes, and thin lines lead from each of the former to the latter.

use super::draw::names_of;
use super::{Caption, Circuit, Heard, Places, Vertex, looks_back};
use crate::figure::{Band, Diagram, Group, Kind, Spot, Wire};
use crate::node::{Edge, Node};
use crate::table::visible;
use std::collections::{BTreeMap, BTreeSet};

/// Boxes of one kind, of a layer and a position, that stand in one row; more stand in rows above it.
const ACROSS: usize = 3;

/// A box.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stand {
    /// Where a node writes, a head asks, or the logits are read.
    Writes(Vertex),
    /// Where a head reads keys and values.
    Reads(Vertex),
}

/// The names of the boxes that an edge leaves and enters, in a diagram and on the page.
pub fn ends(edge: Edge) -> [String; 2] {
    [Stand::Writes(Vertex::of_source(edge)).name(), Stand::of_end(edge).name()]
}

impl Stand {
    fn of_end(edge: Edge) -> Self {
        let vertex = Vertex::of_end(edge);
        if edge.position.is_some() && looks_back(edge.to) { Stand::Reads(vertex) } else { Stand::Writes(vertex) }
    }

    fn vertex(self) -> Vertex {
        let (Stand::Writes(vertex) | Stand::Reads(vertex)) = self;
        vertex
    }

    fn name(self) -> String {
        match self {
            Stand::Reads(Vertex::At(node, position)) => format!("{node}<kv>@{position}"),
            stand => stand.vertex().to_string(),
        }
    }

    /// What stands in it; its position stands below.
    fn text(self) -> String {
        let name = self.vertex().node().map_or("logits".to_string(), |node| node.to_string());
        if matches!(self, Stand::Reads(_)) { format!("{name} kv") } else { name }
    }

    /// What comes above what: where keys are read before where heads write.
    fn height(self) -> (usize, bool) {
        (self.vertex().node().map_or(usize::MAX, Node::time), matches!(self, Stand::Writes(_)))
    }
}

/// The boxes of one row and position, left to right, by the height of the row.
type Rows = BTreeMap<((usize, bool), usize), Vec<Stand>>;

impl Circuit {
    /// The diagram of all edges of the circuit.
    pub(super) fn unrolled(&self, caption: &Caption) -> Diagram {
        let places = self.blocks.positions().unwrap_or(Places::causal(1));
        let mut stands: BTreeSet<Stand> =
            self.edges().map(|link| Stand::Writes(Vertex::of_source(link.edge))).collect();
        stands.extend(self.edges().map(|link| Stand::of_end(link.edge)));
        let at = |stand: &Stand| stand.vertex().position().unwrap_or(places.answer);
        let mut columns: BTreeMap<usize, Rows> = BTreeMap::new();
        for position in stands.iter().map(at).collect::<BTreeSet<usize>>() {
            let here: Vec<Stand> = stands.iter().copied().filter(|stand| at(stand) == position).collect();
            columns.insert(position, rows(here));
        }
        let heights: BTreeSet<_> = columns.values().flat_map(|rows| rows.keys().copied()).collect();
        let (mut spots, mut groups, mut first) = (Vec::new(), Vec::new(), 0);
        for (position, rows) in &columns {
            let width = rows.values().map(Vec::len).max().unwrap_or(1);
            for (height, stands) in rows {
                let row = heights.iter().position(|other| other == height).unwrap_or(0);
                let begin = first + (width - stands.len()) / 2;
                let spot = |(place, stand): (usize, &Stand)| (*stand, spot(*stand, row, begin + place));
                spots.extend(stands.iter().enumerate().map(spot));
            }
            let token = caption.tokens.get(*position).map_or(String::new(), |token| format!(" {}", visible(token)));
            groups.push(Group { name: format!("{position}{token}"), columns: first..first + width });
            first += width;
        }
        let boxes = names_of(spots.iter().map(|(stand, _)| stand.name()));
        let mut wires = self.wires(&boxes, caption);
        wires.extend(inside(&spots.iter().map(|(stand, _)| *stand).collect::<Vec<_>>(), places.heard));
        Diagram {
            title: caption.title.clone(),
            unit: caption.unit.clone(),
            signs: caption.signs.clone(),
            columns: vec![String::new(); first],
            groups,
            bands: bands(&spots),
            spots: spots.into_iter().map(|(_, spot)| spot).collect(),
            legend: legend(&wires, places.count - columns.len()),
            wires,
            left_out: 0,
        }
    }
}

fn spot(stand: Stand, row: usize, column: usize) -> Spot {
    Spot { name: stand.name(), text: stand.text(), row, column: Some(column) }
}

/// The rows of one position.
fn rows(stands: Vec<Stand>) -> Rows {
    let mut alike: BTreeMap<(usize, bool), Vec<Stand>> = BTreeMap::new();
    stands.into_iter().for_each(|stand| alike.entry(stand.height()).or_default().push(stand));
    let split = |(height, stands): ((usize, bool), Vec<Stand>)| {
        let rows: Vec<Vec<Stand>> = stands.chunks(ACROSS).map(<[Stand]>::to_vec).collect();
        rows.into_iter().enumerate().map(move |(row, stands)| ((height, row), stands))
    };
    alike.into_iter().flat_map(split).collect()
}

/// From where a head reads keys and values to where it writes and can have heard of them.
fn inside(stands: &[Stand], heard: Heard) -> Vec<Wire> {
    let placed = || stands.iter().enumerate();
    let wire = |(from, read): (usize, &Stand), (to, written): (usize, &Stand)| {
        let (Stand::Reads(Vertex::At(head, key)), Stand::Writes(Vertex::At(node, query))) = (read, written) else {
            return None;
        };
        let name = format!("{}|{}", read.name(), written.name());
        let note = format!("{head} may look from position {query} at {key}");
        let wire = Wire { name, kind: Kind::Inside, from, to, port: 1.0, weight: 0.0, label: None, note };
        (head == node && (key <= query || heard == Heard::Everywhere)).then_some(wire)
    };
    placed().flat_map(|read| placed().filter_map(move |written| wire(read, written))).collect()
}

/// The rows of each layer.
fn bands(spots: &[(Stand, Spot)]) -> Vec<Band> {
    let mut layers: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (stand, spot) in spots {
        if let Some(layer) = stand.vertex().node().and_then(Node::layer) {
            layers.entry(layer).or_default().insert(spot.row);
        }
    }
    let band = |(layer, rows): (usize, BTreeSet<usize>)| {
        Some(Band { name: format!("layer {layer}"), rows: *rows.first()?..rows.last()? + 1 })
    };
    layers.into_iter().filter_map(band).collect()
}

fn legend(wires: &[Wire], absent: usize) -> Vec<String> {
    let heads = wires.iter().any(|wire| wire.kind == Kind::Inside);
    let reads = "kv: a head reads keys (left) and values (right) here; dotted: where it writes of them";
    let gap = (absent > 0).then(|| match absent {
        1 => "1 position without a node is left out".to_string(),
        more => format!("{more} positions without a node are left out"),
    });
    heads.then(|| reads.to_string()).into_iter().chain(gap).collect()
}
