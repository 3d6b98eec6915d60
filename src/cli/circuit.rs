//! `patchclamp circuit`: a circuit from a file, chosen, drawn and written in other forms.

use super::screen::say;
use crate::circuit::exchange::{self, Facts, File};
use crate::circuit::{By, Caption, Circuit, Rule, Strength};
use crate::figure::Figure;
use crate::node::Node;
use crate::report::signs;
use crate::spec;
use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Paths that are shown.
const PATHS: usize = 5;

/// What to read and what to make of it.
#[derive(Args)]
pub struct CircuitArgs {
    /// A circuit's JSON: this program's, or one that EAP-IG wrote and MIB published
    file: PathBuf,
    /// Choose this many edges and prune; without it the circuit is what the file says
    #[arg(long)]
    edges: Option<usize>,
    /// How edges are chosen
    #[arg(long, value_enum, default_value = "top", requires = "edges")]
    select: Select,
    /// What of a score counts
    #[arg(long, value_enum, default_value = "size", requires = "edges")]
    by: Count,
    /// What the scores are, for the legend of the drawing
    #[arg(long, default_value = "score")]
    unit: String,
    /// Where circuit.json, .graphml, .dot, .tex, .svg, .pdf and .png go; without it nothing is written
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Select {
    /// The first by score
    Top,
    /// The first by score of those that lead to the logits
    Greedy,
}

#[derive(Clone, Copy, ValueEnum)]
enum Count {
    /// Its size, whatever its sign
    Size,
    /// The score itself, the highest first: what supports the answer, in published circuits
    Sign,
    /// The score itself, the lowest first: what supports the answer, in circuits of this program
    Loss,
}

impl CircuitArgs {
    fn rule(&self) -> Rule {
        let by = match self.by {
            Count::Size => By::Size,
            Count::Sign => By::Sign,
            Count::Loss => By::Loss,
        };
        match self.select {
            Select::Top => Rule::Top(by),
            Select::Greedy => Rule::Greedy(by),
        }
    }
}

/// Reads, chooses, says what is left out and writes.
pub fn circuit(args: &CircuitArgs) -> anyhow::Result<()> {
    let File { circuit, mut facts } = exchange::read(&args.file.display().to_string(), &spec::text(&args.file)?)?;
    let circuit = match args.edges {
        Some(count) => {
            let rule = args.rule();
            facts.insert("selection".to_string(), format!("{rule:?}, {count} edges, then pruned"));
            chosen(&circuit, rule, count)?
        }
        None => circuit,
    };
    say(&format!("{} edges, {} nodes; {}", circuit.size(), circuit.vertices().len(), circuit.left_out()))?;
    tell_paths(&circuit)?;
    match &args.out {
        Some(folder) => write(&circuit, &facts, &args.unit, folder),
        None => Ok(()),
    }
}

/// The circuit of so many edges, or what cannot be chosen.
fn chosen(circuit: &Circuit, rule: Rule, count: usize) -> anyhow::Result<Circuit> {
    let all = circuit.links().len();
    ensure!((1..=all).contains(&count), "--edges {count}: this file has 1 to {all} edges to choose from");
    let chosen = circuit.select(rule, count).prune();
    ensure!(
        chosen.size() > 0,
        "--edges {count}: none of the edges chosen is on a way from input to logits; choose more, or by --select greedy, which takes only edges that lead to the logits"
    );
    Ok(chosen)
}

/// The strongest paths; one is as strong as the weakest of its edges.
fn tell_paths(circuit: &Circuit) -> anyhow::Result<()> {
    let paths = circuit.paths(Node::Input, Strength::Weakest, PATHS);
    if !paths.is_empty() {
        say("Strongest paths from the input, each with the size of its weakest edge:")?;
    }
    paths.iter().try_for_each(|(path, strength)| say(&format!("{strength:>12.4e}  {path}")))
}

fn write(circuit: &Circuit, facts: &Facts, unit: &str, folder: &Path) -> anyhow::Result<()> {
    let caption = Caption { unit: unit.to_string(), signs: signs(facts), ..Caption::default() };
    let diagram = circuit.diagram(&caption);
    let mut files = vec![
        ("json", exchange::write(circuit, facts).into_bytes()),
        ("graphml", circuit.graphml(facts).into_bytes()),
        ("dot", circuit.dot(facts).into_bytes()),
        ("tex", diagram.tikz().into_bytes()),
    ];
    files.extend(Figure::Diagram(diagram).files()?);
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for (ending, bytes) in files {
        let path = folder.join("circuit").with_extension(ending);
        std::fs::write(&path, bytes).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    say(&format!("{}", folder.join("circuit.*").display()))
}
