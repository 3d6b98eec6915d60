//! Cutting: the bias and what must not be lost as items in parts, the ways to cut, and the texts in which the loss is measured.

mod texts;
mod trial;

pub use texts::Windows;
pub use trial::Trial;

use super::circuit::{blocks, check_draws, check_steps};
use super::sites::lens_sites;
use super::task::both_sides;
use super::{Known, Problems, spots};
use crate::circuit::Blocks;
use crate::site::Site;
use crate::spec::{Cut, CutWay, Erasure, Experiment, Score, Spare, Stand, Strongest};
use std::fmt;

/// The bias, then what is kept.
pub const TASKS: [&str; 2] = ["bias", "kept"];

/// A cut to be made and tried.
pub struct Cutting {
    /// How it is cut.
    pub ways: Vec<Way>,
    /// The items of [`TASKS`].
    pub tasks: [Trial; 2],
    /// Where the loss is measured, if anywhere.
    pub windows: Option<Windows>,
    /// Into how many parts all of them are divided.
    pub folds: usize,
    /// Random cuts that each is held against.
    pub random: usize,
    /// What never stands in two parts, in words.
    pub apart: String,
    /// Pairs of what is kept that were left out, as their prompts have different numbers of tokens.
    pub left_out: usize,
}

impl Cutting {
    /// Models that are tried, the whole one among them.
    pub fn conditions(&self) -> usize {
        1 + self.ways.iter().map(|way| self.tried(way)).sum::<usize>()
    }

    /// The cuts of a way, each with its random ones.
    pub fn tried(&self, way: &Way) -> usize {
        way.kind.points() * (1 + self.random)
    }
}

/// A way to cut.
pub struct Way {
    /// What it is called, different for each.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// What is cut.
pub enum Kind {
    /// The strongest edges or nodes of a model with these blocks.
    Strongest(Of, Strongest, Blocks),
    /// The concept.
    Erased {
        /// The streams, in the order of the pass.
        sites: Vec<Site>,
        /// How.
        with: Erasure,
        /// Positions whose states teach, by item of the bias.
        spots: Vec<Vec<usize>>,
    },
}

/// Of what the strongest are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Edges.
    Edges,
    /// Nodes, with all edges that leave them.
    Nodes,
    /// Directions of the output maps of nodes.
    Weights,
}

impl Of {
    /// How many there are.
    pub fn count(self, blocks: &Blocks) -> usize {
        match self {
            Of::Edges => blocks.count(),
            Of::Nodes => blocks.nodes().len(),
            Of::Weights => blocks.nodes().len() - 1,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Of::Edges => "edges",
            Of::Nodes => "nodes",
            Of::Weights => "nodes with an output map",
        }
    }
}

impl Kind {
    /// How many cuts there are.
    pub fn points(&self) -> usize {
        match self {
            Kind::Strongest(_, strongest, _) => strongest.counts.len(),
            Kind::Erased { .. } => 1,
        }
    }
}

/// As a table calls it.
impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Erased { with, .. } => write!(out, "erased by {}", format!("{with:?}").to_lowercase()),
            Kind::Strongest(of, strongest, _) => {
                out.write_str(match of {
                    Of::Edges => "edges",
                    Of::Nodes => "nodes",
                    Of::Weights => "weights",
                })?;
                out.write_str(match strongest.spare {
                    Spare::Nothing => "",
                    Spare::Strongest => " sparing",
                    Spare::Shares => " weighed",
                })
            }
        }
    }
}

/// The cut, or what is wrong with it.
pub(super) fn resolve(
    at: &str,
    asked: &Cut,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<Cutting> {
    let before = problems.count();
    let field = |name: &str| format!("{at}.{name}");
    check_draws(&field("random"), asked.random, problems);
    if asked.folds < 2 {
        let what = format!("{}, but a cut is chosen on other items than it is tried on; give at least 2", asked.folds);
        problems.add(&field("folds"), what);
    }
    if asked.ways.is_empty() {
        problems.add(&field("ways"), "is empty; name at least one, for instance Edges(counts: [5, 10, 20])");
    }
    let mut ways: Vec<Way> = Vec::new();
    for (index, way) in asked.ways.iter().enumerate() {
        let Some(kind) = kind(&format!("{at}.ways[{index}]"), way, asked.random, known, problems) else { continue };
        let name = kind.to_string();
        let alike = ways.iter().filter(|way| way.kind.to_string() == name).count();
        ways.push(Way { name: if alike == 0 { name } else { format!("{name} ({})", alike + 1) }, kind });
    }
    let kept = trial::kept(&field("keep"), asked, experiment, known, problems);
    let text =
        asked.text.as_ref().map(|path| texts::of_text(&field("text"), path, asked.folds, experiment, known, problems));
    // that there are none without answers is said of the method
    let whole = known.complete && known.items.iter().all(|item| item.answers.is_some());
    if asked.ways.iter().any(|way| matches!(way, CutWay::Erase { .. } | CutWay::Orthogonal(_))) {
        both_sides("data", known.items, problems);
    }
    let left_out = kept.as_ref().map_or(0, |kept| kept.left_out);
    let bias = whole.then(|| ("data".to_string(), known.items.to_vec()));
    let both = bias.into_iter().chain(kept.map(|kept| (field("keep.data"), kept.items))).collect();
    let tasks: [Trial; 2] = trial::dealt(at, both, asked, experiment.seed, problems)?.try_into().ok()?;
    let windows = text.unwrap_or_else(|| known.model.is_causal().then(|| texts::prompts(&tasks)));
    let windows = windows.filter(|windows| !windows.texts.is_empty());
    let (folds, random, apart) = (asked.folds, asked.random, trial::words(&asked.apart));
    (problems.count() == before).then_some(Cutting { ways, tasks, windows, folds, random, apart, left_out })
}

fn kind(at: &str, way: &CutWay, random: usize, known: &Known, problems: &mut Problems) -> Option<Kind> {
    let before = problems.count();
    let (of, strongest) = match way {
        CutWay::Edges(strongest) => (Of::Edges, strongest),
        CutWay::Nodes(strongest) => (Of::Nodes, strongest),
        CutWay::Orthogonal(strongest) => (Of::Weights, strongest),
        CutWay::Erase { sites, with, at: chosen } => {
            if *with == Erasure::Oracle {
                let what = "Oracle needs the class of every text, which a cut model is not told; write Leace, Mean or Inlp(rounds: 8)";
                problems.add(&format!("{at}.with"), what);
            }
            let mut sites = lens_sites(&format!("{at}.sites"), Some(sites), known, problems);
            sites.sort_by_key(|site| known.sites.iter().position(|known| known == site));
            spots::check(&format!("{at}.at"), chosen, known, problems);
            if problems.count() > before {
                return None;
            }
            let all = |length: usize| (0..length).collect();
            let of = |item: &super::Item| {
                if chosen.is_empty() { all(item.clean.len()) } else { spots::all(chosen, item) }
            };
            return Some(Kind::Erased { sites, with: *with, spots: known.items.iter().map(of).collect() });
        }
    };
    check_score(at, strongest, problems);
    let blocks = blocks(at, strongest.ablate, known, problems)?;
    check_counts(at, (of, strongest), random, &blocks, problems);
    (problems.count() == before).then(|| Kind::Strongest(of, strongest.clone(), blocks))
}

fn check_score(at: &str, strongest: &Strongest, problems: &mut Problems) {
    if !matches!(strongest.ablate, Stand::Mean | Stand::Zero) {
        let what = format!(
            "{} hangs on the prompt, its positions or what else is cut, but a cut is the same in every text; write Mean or Zero",
            strongest.ablate
        );
        problems.add(&format!("{at}.ablate"), what);
    }
    check_steps(at, strongest.score, problems);
    if strongest.score == Score::InformationFlow {
        let what =
            "InformationFlow says how near an edge brings a stream, not what hangs on it; write for instance EapIg()";
        problems.add(&format!("{at}.score"), what);
    }
}

/// As many as are cut must be left to be spared, and more than that where others are drawn.
fn check_counts(at: &str, (of, strongest): (Of, &Strongest), random: usize, blocks: &Blocks, problems: &mut Problems) {
    let place = format!("{at}.counts");
    let (all, what) = (of.count(blocks), of.words());
    // random directions are those of the same nodes
    let drawn = random > 0 && of != Of::Weights;
    let most = (all - usize::from(drawn)) / (1 + usize::from(strongest.spare == Spare::Strongest));
    if strongest.counts.is_empty() {
        problems.add(&place, "is an empty list; say how many are cut, for instance [5, 10, 20]");
    }
    super::cells::check_once(&place, &strongest.counts, problems);
    for count in strongest.counts.iter().filter(|count| **count == 0 || **count > most) {
        let spared = if strongest.spare == Spare::Strongest { ", and as many must be left to be spared" } else { "" };
        let other =
            if drawn { ", and a random cut must be able to be another one; write random: 0 for none" } else { "" };
        problems.add(&place, format!("{count} {what}; give 1 to {most}: this model has {all}{spared}{other}"));
    }
}
