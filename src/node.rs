//! Nodes of a model's graph: what writes to the stream, what reads it, and the edges and paths between.
//!
//! Names are those of the circuit literature: `input`, `a5.h3`, `m7`, `logits`; what a head reads is `a5.h3<q>`, `<k>` or
//! `<v>`; an edge is `m0->a5.h5<k>`, a path `a0.h1->a2.h1<v>->logits`. A neuron that is a node of its own is `m7.n12`; `m7`
//! is then the rest of that MLP: its other neurons, and its output bias. An edge at one position alone, counted from 0, is
//! `m0->a5.h5<k>@3`: what `m0` writes there, and what the head reads there.

mod name;

pub use name::NodeError;

/// Whether the heads of a block feed its MLP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// They do.
    Sequential,
    /// They do not: both read the stream before the block (GPT-J, GPT-NeoX).
    Parallel,
}

/// What writes to the stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Node {
    /// The embeddings, as they enter the first block.
    Input,
    /// A head: layer, head.
    Head(usize, usize),
    /// An MLP: layer. Where neurons of it are nodes of their own, the rest of it.
    Mlp(usize),
    /// A neuron of an MLP: layer, neuron.
    Neuron(usize, usize),
}

/// What reads the stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Port {
    /// The queries of a head: layer, head.
    Query(usize, usize),
    /// The keys of a head; where heads share keys, as this head alone sees them.
    Key(usize, usize),
    /// The values of a head; where heads share values, as this head alone sees them.
    Value(usize, usize),
    /// An MLP: layer. Where neurons of it are nodes of their own, the rest of it.
    Mlp(usize),
    /// A neuron of an MLP; a gated one reads by both of its maps at once: layer, neuron.
    Neuron(usize, usize),
    /// The last norm and the unembedding.
    Logits,
}

/// From a node that writes to a port that reads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Edge {
    /// Where it begins.
    pub from: Node,
    /// Where it ends.
    pub to: Port,
    /// The position that it is of, from 0; `None` is all of them together. Keys and values read at a position are heard by
    /// their head at that position and every later one.
    pub position: Option<usize>,
}

/// From a node through the nodes of further ports: `a0.h1->a2.h1<v>->logits`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Path {
    /// Where it begins.
    pub from: Node,
    /// The ports it goes through, in order; there is at least one.
    pub ports: Vec<Port>,
    /// The position of each of its edges; empty where edges are of all positions.
    pub positions: Vec<usize>,
}

impl Node {
    /// The layer of a head, an MLP or a neuron.
    pub fn layer(self) -> Option<usize> {
        match self {
            Node::Input => None,
            Node::Head(layer, _) | Node::Mlp(layer) | Node::Neuron(layer, _) => Some(layer),
        }
    }

    /// The head, of a head.
    pub fn head(self) -> Option<usize> {
        if let Node::Head(_, head) = self { Some(head) } else { None }
    }

    /// The neuron, of a neuron.
    pub fn neuron(self) -> Option<usize> {
        if let Node::Neuron(_, neuron) = self { Some(neuron) } else { None }
    }

    /// Where it writes, counted in half blocks: the input 0, heads odd, MLPs and neurons even.
    pub fn time(self) -> usize {
        match self {
            Node::Input => 0,
            Node::Head(layer, _) => 2 * layer + 1,
            Node::Mlp(layer) | Node::Neuron(layer, _) => 2 * layer + 2,
        }
    }

    /// Whether what it writes is in what the port reads.
    pub fn precedes(self, port: Port, flow: Flow) -> bool {
        let read = match (port, flow) {
            (Port::Query(layer, _) | Port::Key(layer, _) | Port::Value(layer, _), _) => 2 * layer + 1,
            (Port::Mlp(layer) | Port::Neuron(layer, _), Flow::Sequential) => 2 * layer + 2,
            (Port::Mlp(layer) | Port::Neuron(layer, _), Flow::Parallel) => 2 * layer + 1,
            (Port::Logits, _) => usize::MAX,
        };
        self.time() < read
    }

    /// Every node of a model, MLPs whole: 1 + L(H + 1).
    pub fn all(layers: usize, heads: usize) -> Vec<Node> {
        let block = |layer| (0..heads).map(move |head| Node::Head(layer, head)).chain([Node::Mlp(layer)]);
        std::iter::once(Node::Input).chain((0..layers).flat_map(block)).collect()
    }
}

impl Port {
    /// The node that writes what it makes of what is read here; nothing behind the logits.
    pub fn node(self) -> Option<Node> {
        match self {
            Port::Query(layer, head) | Port::Key(layer, head) | Port::Value(layer, head) => {
                Some(Node::Head(layer, head))
            }
            Port::Mlp(layer) => Some(Node::Mlp(layer)),
            Port::Neuron(layer, neuron) => Some(Node::Neuron(layer, neuron)),
            Port::Logits => None,
        }
    }

    /// Its layer; the logits have none.
    pub fn layer(self) -> Option<usize> {
        self.node().and_then(Node::layer)
    }

    /// Every port of a model, MLPs whole: L(3H + 1) + 1.
    pub fn all(layers: usize, heads: usize) -> Vec<Port> {
        let head = |layer, head| [Port::Query(layer, head), Port::Key(layer, head), Port::Value(layer, head)];
        let block = |layer| (0..heads).flat_map(move |index| head(layer, index)).chain([Port::Mlp(layer)]);
        (0..layers).flat_map(block).chain([Port::Logits]).collect()
    }
}

impl Edge {
    /// At all positions together.
    pub const fn new(from: Node, to: Port) -> Self {
        Edge { from, to, position: None }
    }

    /// The same at one position, or at all.
    pub const fn at(self, position: Option<usize>) -> Self {
        Edge { position, ..self }
    }
}

impl Path {
    /// Through ports at all positions together.
    pub const fn new(from: Node, ports: Vec<Port>) -> Self {
        Path { from, ports, positions: Vec::new() }
    }

    /// The last port.
    pub fn end(&self) -> Port {
        *self.ports.last().expect("a path has a port")
    }

    /// Its edges, in order.
    pub fn edges(&self) -> Vec<Edge> {
        let between = self.ports.iter().filter_map(|port| port.node());
        let ends = std::iter::once(self.from).chain(between).zip(&self.ports).enumerate();
        ends.map(|(place, (from, to))| Edge::new(from, *to).at(self.positions.get(place).copied())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_print_and_parse_the_same() {
        for name in [
            "input->m0",
            "a9.h9->logits",
            "m0->a5.h5<k>",
            "a0.h1->a2.h1<v>->m3->logits",
            "m1.n17->m3.n0->logits",
            "input->a2.h1<v>@1->m3@4->logits@4",
        ] {
            assert_eq!(name.parse::<Path>().unwrap().to_string(), name);
        }
        for name in ["m0->a5.h5<k>", "m0->a5.h5<k>@3", "input->logits@0", "m1.n17->m3.n0@12"] {
            assert_eq!(name.parse::<Edge>().unwrap().to_string(), name);
        }
        let edges: Vec<String> =
            "input->a2.h1<v>@1->logits@4".parse::<Path>().unwrap().edges().iter().map(Edge::to_string).collect();
        assert_eq!(edges, ["input->a2.h1<v>@1", "a2.h1->logits@4"]);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in [
            "a0.h1",
            "a0->logits",
            "m0->a5.h5",
            "logits->m0",
            "m+1->logits",
            "m->logits",
            "a0.h1->a2.h1<x>",
            "m1.n->logits",
            "m.n1->logits",
            "m0->logits@",
            "m0->logits@+1",
            "m0->logits@1@2",
            "m0@1->logits",
            "m0->m1->logits@3",
        ] {
            assert!(name.parse::<Path>().is_err(), "{name}");
        }
    }

    /// The figures of the reference: GPT-2 small has 158 nodes, the logits counted, and 32,491 edges.
    #[test]
    fn gpt2_has_as_many_nodes_and_edges_as_the_reference_says() {
        let (nodes, ports) = (Node::all(12, 12), Port::all(12, 12));
        let edges =
            nodes.iter().map(|node| ports.iter().filter(|port| node.precedes(**port, Flow::Sequential)).count());
        assert_eq!((nodes.len() + 1, edges.sum::<usize>()), (158, 32_491));
    }

    #[test]
    fn heads_of_a_parallel_block_do_not_feed_its_mlp() {
        assert!(Node::Head(1, 0).precedes(Port::Mlp(1), Flow::Sequential));
        assert!(!Node::Head(1, 0).precedes(Port::Mlp(1), Flow::Parallel));
        assert!(Node::Mlp(0).precedes(Port::Mlp(1), Flow::Parallel));
    }
}
