//! `patchclamp circuit`: a circuit from a file, chosen, drawn and written in other forms.

use super::screen::say;
use crate::circuit::exchange::{self, Facts, File};
use crate::circuit::{By, Caption, Circuit, Meaning, Recovery, Rule, Strength, TOKENS};
use crate::figure::Figure;
use crate::node::Node;
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
    /// The true circuit, to tell how much of it this one is
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Another circuit of the same model, chosen in the same way: to tell what both hold and how their scores agree
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
    /// Go on with the edges that both hold, that only the first holds, or that either holds
    #[arg(long, value_enum, requires = "with")]
    keep: Option<Keep>,
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

#[derive(Clone, Copy, ValueEnum)]
enum Keep {
    /// Those in both
    Both,
    /// Those that the other lacks
    Only,
    /// Those in one or the other; scores are the first's, where it has some
    Either,
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
    let File { mut circuit, mut facts } = of_file(&args.file, args)?;
    if let Some(path) = &args.with {
        let other = of_file(path, args)?.of(&path.display().to_string(), circuit.blocks())?.circuit;
        tell_agreement(&circuit, &other)?;
        if let Some(keep) = args.keep {
            circuit = kept(&circuit, &other, keep)?;
            let what = match keep {
                Keep::Both => "edges that are also in",
                Keep::Only => "edges that are not in",
                Keep::Either => "edges, and those of",
            };
            facts.insert("kept".to_string(), format!("{what} {}", path.display()));
        }
    }
    say(&format!("{} edges, {} nodes; {}", circuit.size(), circuit.vertices().len(), circuit.left_out()))?;
    tell_paths(&circuit)?;
    if let Some(truth) = &args.truth {
        tell_recovery(&circuit, truth)?;
    }
    match &args.out {
        Some(folder) => write(&circuit, &facts, &args.unit, folder),
        None => Ok(()),
    }
}

/// The circuit of a file, chosen anew where a number of edges is given.
fn of_file(path: &Path, args: &CircuitArgs) -> anyhow::Result<File> {
    let mut file = exchange::read(&path.display().to_string(), &spec::text(path)?)?;
    if let Some(count) = args.edges {
        let rule = args.rule();
        file.circuit = chosen(path, &file.circuit, rule, count)?;
        file.facts.insert("selection".to_string(), format!("{rule:?}, {count} edges, then pruned"));
    }
    Ok(file)
}

/// What two circuits share, and how the scores of all edges that both have agree.
fn tell_agreement(own: &Circuit, other: &Circuit) -> anyhow::Result<()> {
    let (both, here, there) = (own.intersect(other)?.size(), own.subtract(other)?.size(), other.subtract(own)?.size());
    say(&format!(
        "{both} edges in both, {here} only here, {there} only there: Jaccard index {:.3}",
        own.jaccard(other)?
    ))?;
    let aligned = own.align(other)?;
    let number = |value: Option<f64>| value.map_or("none".to_string(), |value| format!("{value:.3}"));
    say(&format!(
        "Scores of {} edges in both files: rank correlation {}, correlation {}",
        aligned.scores.len(),
        number(aligned.spearman),
        number(aligned.pearson)
    ))
}

fn kept(own: &Circuit, other: &Circuit, keep: Keep) -> anyhow::Result<Circuit> {
    Ok(match keep {
        Keep::Both => own.intersect(other)?,
        Keep::Only => own.subtract(other)?,
        Keep::Either => own.union(other)?,
    })
}

/// The circuit of so many edges, or what cannot be chosen.
fn chosen(path: &Path, circuit: &Circuit, rule: Rule, count: usize) -> anyhow::Result<Circuit> {
    let all = circuit.links().len();
    ensure!((1..=all).contains(&count), "--edges {count}: {} has 1 to {all} edges to choose from", path.display());
    let chosen = circuit.select(rule, count).prune();
    ensure!(
        chosen.size() > 0,
        "--edges {count}: none of the edges of {} chosen is on a way from input to logits; choose more, or by --select greedy, which takes only edges that lead to the logits",
        path.display()
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

/// How much of the true circuit this one is; labels are shuffled by a seed of 0.
fn tell_recovery(circuit: &Circuit, truth: &Path) -> anyhow::Result<()> {
    let name = truth.display().to_string();
    let truth = exchange::read(&name, &spec::text(truth)?)?.of(&name, circuit.blocks())?.circuit;
    let found = circuit.recovery(&truth, 0).with_context(|| format!("--truth {name}"))?;
    let Recovery { edges, known, chosen, hits, area, staircase } = &found;
    say(&format!("{hits} of its {chosen} edges are among the {known} true ones; {edges} edges have scores"))?;
    for (what, against) in [("area", area), ("staircase", staircase)] {
        let (low, high) = against.middle();
        say(&format!(
            "ROC {what:<9} {:.4}; labels shuffled {:.4} ({low:.4} to {high:.4})",
            against.found,
            against.chance()
        ))?;
    }
    Ok(())
}

fn write(circuit: &Circuit, facts: &Facts, unit: &str, folder: &Path) -> anyhow::Result<()> {
    let tokens = facts.get(TOKENS).map_or(Vec::new(), |tokens| tokens.split(' ').map(str::to_string).collect());
    let caption = Caption { unit: unit.to_string(), signs: Meaning::of(facts).signs(), tokens, ..Caption::default() };
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
