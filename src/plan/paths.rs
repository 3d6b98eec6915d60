//! Paths: which node sends, which edges carry it, and what runs freely behind their end.

use super::{Known, Problems};
use crate::hook::{Route, Wire};
use crate::node::{Edge, Flow, Node, Path, Port};
use crate::spec::{Direction, Senders, Through};

/// What path patching is asked for.
pub(super) struct Asked<'a> {
    /// Written-out paths.
    pub paths: &'a [String],
    /// A kind of senders.
    pub senders: Option<Senders>,
    /// Where their edges lead.
    pub receivers: &'a [String],
    /// What is not frozen between.
    pub through: Through,
    /// Which run is patched into which.
    pub direction: Direction,
    /// Positions of the senders.
    pub at: &'a [usize],
}

/// The paths of one method, in the order of its table.
#[derive(Clone, Debug, PartialEq)]
pub struct Paths {
    /// One a row.
    pub branches: Vec<Branch>,
    /// What is not frozen between.
    pub through: Through,
    /// Which run is patched into which.
    pub direction: Direction,
    /// Positions at which senders are changed; `None` is all.
    pub at: Option<Vec<usize>>,
}

impl Paths {
    /// Along the edges of each path from the corrupted run into the clean one, everything else frozen.
    pub fn noised(paths: &[Path], layers: usize, flow: Flow) -> Self {
        let (through, direction) = (Through::Nothing, Direction::Noise);
        let along = |path: &Path| Branch::along(path, through, layers, flow);
        Paths { branches: paths.iter().map(along).collect(), through, direction, at: None }
    }
}

/// What one row patches.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// As the table names it.
    pub name: String,
    /// The sender, where senders are swept.
    pub sender: Option<Node>,
    /// What is carried where everything else is frozen.
    pub route: Route,
    /// The ports from which on everything runs freely; none where the route leads to the logits.
    pub ends: Vec<Port>,
}

impl Branch {
    /// Along the edges of one path.
    fn along(path: &Path, through: Through, layers: usize, flow: Flow) -> Self {
        let wire =
            |Edge { from, to, position }: Edge| Wire { at: position, ..wire(from, &[to], through, layers, flow) };
        let route = Route { senders: [path.from].into(), wires: path.edges().into_iter().map(wire).collect() };
        let end = path.end();
        Branch { name: path.to_string(), sender: None, route, ends: ends(&[end]) }
    }

    /// From a sender into those of `receivers` that it comes before; `None` where there is none.
    fn into(sender: Node, receivers: &[Port], through: Through, layers: usize, flow: Flow) -> Option<Self> {
        let reached: Vec<Port> = receivers.iter().copied().filter(|port| sender.precedes(*port, flow)).collect();
        if reached.is_empty() {
            return None;
        }
        let kind = match sender {
            Node::Input => "input",
            Node::Head(..) => "heads",
            Node::Mlp(_) | Node::Neuron(..) => "mlps",
        };
        let wire = wire(sender, &reached, through, layers, flow);
        let route = Route { senders: [sender].into(), wires: vec![wire] };
        let mlps = if through == Through::Mlps { " through MLPs" } else { "" };
        let name = format!("{kind}->{}{mlps}", joined(receivers));
        Some(Branch { name, sender: Some(sender), route, ends: ends(&reached) })
    }
}

/// The names of ports, with commas.
fn joined(ports: &[Port]) -> String {
    ports.iter().map(Port::to_string).collect::<Vec<_>>().join(", ")
}

/// What runs freely: the receivers, unless they are the logits.
fn ends(ports: &[Port]) -> Vec<Port> {
    ports.iter().copied().filter(|port| *port != Port::Logits).collect()
}

/// Edges from a node into ports, with the MLPs between where these are not frozen.
fn wire(from: Node, into: &[Port], through: Through, layers: usize, flow: Flow) -> Wire {
    let carries = |layer: &usize| {
        let (reads, writes) = (Port::Mlp(*layer), Node::Mlp(*layer));
        from.precedes(reads, flow) && !into.contains(&reads) && into.iter().any(|port| writes.precedes(*port, flow))
    };
    let mlps: Vec<usize> = if through == Through::Mlps { (0..layers).filter(carries).collect() } else { Vec::new() };
    Wire {
        from: std::iter::once(from).chain(mlps.iter().copied().map(Node::Mlp)).collect(),
        into: into.iter().copied().chain(mlps.iter().copied().map(Port::Mlp)).collect(),
        at: None,
    }
}

/// Every path, or what is wrong with them.
pub(super) fn resolve(at: &str, asked: &Asked, known: &Known, problems: &mut Problems) -> Option<Paths> {
    let before = problems.count();
    let Some(flow) = known.model.flow() else {
        problems.add(
            at,
            "needs a model in which everything that heads and MLPs write is added to one stream; here a norm stands between, so a single edge is not defined",
        );
        return None;
    };
    check_positions(at, asked.at, known, problems);
    let layers = known.dims().layers;
    let branches: Vec<Branch> = match (asked.paths.is_empty(), asked.senders) {
        (false, None) => {
            let paths = paths(at, asked, flow, known, problems);
            paths.iter().map(|path| Branch::along(path, asked.through, layers, flow)).collect()
        }
        (true, Some(senders)) => {
            let receivers = receivers(at, asked.receivers, known, problems);
            let into = |sender: Node| Branch::into(sender, &receivers, asked.through, layers, flow);
            nodes(senders, known).into_iter().filter_map(into).collect()
        }
        _ => {
            problems.add(
                at,
                "needs either `paths`, for instance [\"a0.h1->logits\"], or `senders`: Heads, Mlps, Input or All",
            );
            return None;
        }
    };
    if branches.is_empty() && problems.count() == before {
        problems.add(&format!("{at}.receivers"), "nothing of this kind comes before any of them");
    }
    let positions = (!asked.at.is_empty()).then(|| asked.at.to_vec());
    let paths = Paths { branches, through: asked.through, direction: asked.direction, at: positions };
    (problems.count() == before).then_some(paths)
}

fn check_positions(at: &str, positions: &[usize], known: &Known, problems: &mut Problems) {
    let shortest = known.items.iter().map(|item| item.clean.len()).min().unwrap_or(usize::MAX);
    if let Some(position) = positions.iter().find(|position| known.complete && **position >= shortest) {
        let what =
            format!("position {position} does not exist; the shortest prompt has positions 0 to {}", shortest - 1);
        problems.add(&format!("{at}.at"), what);
    }
}

/// The written-out paths, each of whose edges must lead forward.
fn paths(at: &str, asked: &Asked, flow: Flow, known: &Known, problems: &mut Problems) -> Vec<Path> {
    if !asked.receivers.is_empty() {
        problems.add(&format!("{at}.receivers"), "belong to `senders`; a path names where it ends");
    }
    let mut found: Vec<Path> = Vec::new();
    for (index, text) in asked.paths.iter().enumerate() {
        let at = format!("{at}.paths[{index}]");
        let path: Path = match text.parse() {
            Ok(path) => path,
            Err(error) => {
                problems.add(&at, error.to_string());
                continue;
            }
        };
        let nodes: Vec<Node> = path.ports.iter().filter_map(|port| port.node()).chain([path.from]).collect();
        nodes.into_iter().for_each(|node| check_node(&at, node, known, problems));
        let inner = &path.ports[..path.ports.len() - 1];
        if inner.contains(&Port::Logits) {
            problems.add(&at, "nothing comes behind the logits");
        } else if let Some(edge) = path.edges().iter().find(|edge| !edge.from.precedes(edge.to, flow)) {
            problems.add(&at, format!("{} does not come before {}", edge.from, edge.to));
        }
        if !path.positions.is_empty() {
            problems.add(
                &at,
                "a path here goes along all positions; leave `@` out, and give the sender's positions by `at`",
            );
        }
        if found.contains(&path) {
            problems.add(&at, "stands twice");
        }
        found.push(path);
    }
    found
}

fn receivers(at: &str, names: &[String], known: &Known, problems: &mut Problems) -> Vec<Port> {
    let at = format!("{at}.receivers");
    if names.is_empty() {
        return vec![Port::Logits];
    }
    let mut ports = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match name.parse::<Port>() {
            Ok(port) if ports.contains(&port) => problems.add(&at, format!("{name:?} stands twice")),
            Ok(port) => ports.push(port),
            Err(error) => problems.add(&format!("{at}[{index}]"), error.to_string()),
        }
    }
    ports.iter().filter_map(|port| port.node()).for_each(|node| check_node(&at, node, known, problems));
    if ports.contains(&Port::Logits) && ports.len() > 1 {
        problems.add(&at, "what goes straight to the logits and what runs on through a head are two questions; ask the logits in a method of their own");
    }
    ports
}

/// Whether the model has a node.
fn check_node(at: &str, node: Node, known: &Known, problems: &mut Problems) {
    let (layers, heads) = (known.dims().layers, known.dims().heads);
    let mut check = |what: &str, index: Option<usize>, count: usize| {
        if let Some(index) = index.filter(|index| *index >= count) {
            let last = count - 1;
            problems.add(at, format!("{what} {index} does not exist; {} has {what}s 0 to {last}", known.family));
        }
    };
    check("layer", node.layer(), layers);
    check("head", node.head(), heads);
    if let Some(layer) = node.layer().filter(|_| node.neuron().is_some()) {
        let what = format!(
            "{node} is a neuron, and paths go through whole MLPs; write m{layer}, or use Circuit with `neurons`"
        );
        problems.add(at, what);
    }
}

/// The nodes of a kind.
fn nodes(senders: Senders, known: &Known) -> Vec<Node> {
    let of_kind = |node: &Node| match senders {
        Senders::Heads => matches!(node, Node::Head(..)),
        Senders::Mlps => matches!(node, Node::Mlp(_)),
        Senders::Input => matches!(node, Node::Input),
        Senders::All => true,
    };
    Node::all(known.dims().layers, known.dims().heads).into_iter().filter(of_kind).collect()
}
