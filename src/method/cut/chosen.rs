//! The cuts of one part of the items, chosen by all others, and those that are drawn.

use super::change::Change;
use super::choose::{Parted, Scored, strongest};
use super::weights::Turn;
use super::{directions, erase};
use crate::circuit::Blocks;
use crate::method::Bench;
use crate::method::ablate::means;
use crate::method::circuit::brought;
use crate::method::score::{Order, Written};
use crate::method::sweep::States;
use crate::model::HookError;
use crate::node::Node;
use crate::plan::{CutKind, Cutting, Item, Of};
use crate::spec::{Ablation, Score, Stand, Strongest};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// What was chosen for one part of the items.
pub struct Chosen {
    /// `[way][cut]`: each of its cuts, and behind each its random ones.
    pub changes: Vec<Vec<Change>>,
    /// `[way]`: what was chosen of what.
    pub found: Vec<Found>,
}

/// What is told of a choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Found {
    /// Where something is ranked.
    Ranked(Ranked),
    /// Directions taken out of each stream, and why none could be found where that failed.
    Erased(Vec<(String, usize, Option<String>)>),
}

/// The largest cut of edges or nodes, those that the bias hangs on most first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// The contrasts of the bias and of what is kept.
    pub whole: [f64; 2],
    /// What is cut, by name, and what both contrasts change by without it.
    pub cut: Vec<(String, [f64; 2])>,
}

/// The cuts of one part, made when somebody first asks for them: a run that is gone on with may need none.
pub struct Choice<'a> {
    /// The model.
    pub bench: &'a Bench<'a>,
    /// What is cut.
    pub plan: &'a Cutting,
    /// The part.
    pub fold: usize,
    /// What was chosen.
    pub made: OnceCell<Chosen>,
}

impl Choice<'_> {
    /// What was chosen.
    pub fn chosen(&self) -> Result<&Chosen, HookError> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let chosen = Chosen::by(self.bench, self.plan, self.fold)?;
        Ok(self.made.get_or_init(|| chosen))
    }
}

/// How edges are scored, and what stands in.
type How = (Score, Stand);

/// Makes the cuts.
struct Maker<'a> {
    bench: &'a Bench<'a>,
    /// Those that choose, of both tasks.
    items: [Vec<Item>; 2],
    /// Means over all of them.
    means: States,
    random: usize,
    /// Of draws.
    seed: u64,
    /// What was scored already.
    scored: Vec<(How, Rc<[Scored; 2]>)>,
}

impl Chosen {
    /// By all items but those of a part.
    fn by(bench: &Bench, plan: &Cutting, fold: usize) -> Result<Self, HookError> {
        let items = plan.tasks.each_ref().map(|task| {
            let own = task.choosing(fold).into_iter().map(|item| task.items[item].clone());
            own.collect::<Vec<Item>>()
        });
        let ranks = plan.ways.iter().any(|way| matches!(way.kind, CutKind::Strongest(..)));
        let means = match ranks {
            true => means(&Bench { items: &items.concat(), ..*bench }, &Written::sites(bench.model), Ablation::Mean)?,
            false => States::new(),
        };
        let mut maker = Maker { bench, items, means, random: plan.random, seed: 0, scored: Vec::new() };
        let mut chosen = Chosen { changes: Vec::new(), found: Vec::new() };
        for (number, way) in plan.ways.iter().enumerate() {
            maker.seed = drawn_by(bench.seed, 1 + (fold * plan.ways.len() + number) as u64);
            let (changes, found) = match &way.kind {
                CutKind::Strongest(of, strongest, blocks) => {
                    let (changes, ranked) = maker.strongest(*of, strongest, blocks)?;
                    (changes, Found::Ranked(ranked))
                }
                CutKind::Erased { sites, with, spots } => {
                    let choosing = plan.tasks[0].choosing(fold);
                    let spots: Vec<&Vec<usize>> = choosing.iter().map(|item| &spots[*item]).collect();
                    let bench = Bench { items: &maker.items[0], ..*bench };
                    let (own, ranks) = erase::taught(&bench, (sites, *with), &spots)?;
                    let random =
                        (0..plan.random as u64).map(|draw| erase::by_chance(&own, drawn_by(maker.seed, 1 + draw)));
                    let all: Vec<_> = std::iter::once(own.clone()).chain(random).collect();
                    (
                        all.iter().map(|erasers| Change::States(erase::edits(erasers, &bench))).collect(),
                        Found::Erased(ranks),
                    )
                }
            };
            chosen.changes.push(changes);
            chosen.found.push(found);
        }
        Ok(chosen)
    }
}

impl Maker<'_> {
    fn strongest(&mut self, of: Of, asked: &Strongest, blocks: &Blocks) -> Result<(Vec<Change>, Ranked), HookError> {
        let order = Order::new(blocks);
        let scores = self.scores(&order, (asked.score, asked.ablate))?;
        let parts = parts(of, &order);
        let edges: Vec<Vec<usize>> = parts.iter().map(|(_, edges)| edges.clone()).collect();
        let choices: Vec<Parted> =
            asked.counts.iter().map(|count| strongest(&scores, &edges, *count, asked.spare)).collect();
        let changes = match of {
            Of::Edges | Of::Nodes => self.severed(&choices, &edges, &order, asked.ablate),
            Of::Weights => self.turned(&choices, &order)?,
        };
        let cut = choices.into_iter().map(|choice| choice.cut).max_by_key(Vec::len).unwrap_or_default();
        let told = |part: &usize| {
            let (name, edges) = &parts[*part];
            let sum = |task: usize| edges.iter().map(|edge| scores[task].edges[*edge]).sum();
            (name.clone(), [sum(0), sum(1)])
        };
        Ok((changes, Ranked { whole: [scores[0].whole, scores[1].whole], cut: cut.iter().map(told).collect() }))
    }

    /// The scores of both tasks, each once.
    fn scores(&mut self, order: &Order, how: How) -> Result<Rc<[Scored; 2]>, HookError> {
        if let Some((_, known)) = self.scored.iter().find(|(known, _)| *known == how) {
            return Ok(known.clone());
        }
        let of = |task: usize| {
            let bench = Bench { items: &self.items[task], ..*self.bench };
            Scored::of(&bench, order, how, &self.means)
        };
        let found = Rc::new([of(0)?, of(1)?]);
        self.scored.push((how, found.clone()));
        Ok(found)
    }

    /// Edges severed: those that were chosen, then as many parts at random of all that could have been: where the choice is no better
    /// than chance, so is its place among them.
    fn severed(&self, choices: &[Parted], parts: &[Vec<usize>], order: &Order, stand: Stand) -> Vec<Change> {
        let zero = stand == Stand::Zero;
        let brings = |state: &crate::hook::Activation| if zero { state.zeros_like() } else { state.clone() };
        let states = self.means.iter().map(|(site, state)| (*site, brings(state))).collect();
        let ablated = Rc::new(brought(states, self.bench.model));
        let all = order.edges();
        let change = |cut: &[usize]| {
            let edges = cut.iter().flat_map(|part| &parts[*part]).map(|edge| all[*edge]).collect();
            Change::Edges(ablated.clone(), edges)
        };
        let mut changes = Vec::new();
        for (number, Parted { cut, spared }) in choices.iter().enumerate() {
            changes.push(change(cut));
            let left: Vec<usize> = (0..parts.len()).filter(|part| !spared.contains(part)).collect();
            for draw in 0..self.random {
                let number = 1 + (number * self.random + draw) as u64;
                let mut drawn = left.clone();
                let random = &mut ChaCha8Rng::seed_from_u64(drawn_by(self.seed, number));
                changes.push(change(drawn.partial_shuffle(random, cut.len()).0));
            }
        }
        changes
    }

    /// Output maps turned: along what differs, then along directions by chance at the same nodes.
    fn turned(&self, choices: &[Parted], order: &Order) -> Result<Vec<Change>, HookError> {
        let node = |part: &usize| order.nodes[part + 1]; // the first is the input
        let nodes: BTreeSet<Node> = choices.iter().flat_map(|choice| choice.cut.iter().map(node)).collect();
        let bench = Bench { items: &self.items[0], ..*self.bench };
        let found = directions::of(&bench, &nodes, self.random, self.seed)?;
        let change = |cut: &[usize], draw: usize| {
            let turn = |part| Turn { node: node(part), direction: found[&node(part)][draw].clone() };
            Change::Weights(cut.iter().map(turn).collect())
        };
        let with_draws = |choice: &Parted| (0..=self.random).map(|draw| change(&choice.cut, draw)).collect::<Vec<_>>();
        Ok(choices.iter().flat_map(with_draws).collect())
    }
}

/// What is ranked, with the edges of each.
fn parts(of: Of, order: &Order) -> Vec<(String, Vec<usize>)> {
    let node = |(number, node): (usize, &Node)| (node.to_string(), order.edges_of(number).collect());
    let nodes = order.nodes.iter().enumerate().map(node);
    match of {
        Of::Edges => order.edges().iter().enumerate().map(|(edge, name)| (name.to_string(), vec![edge])).collect(),
        Of::Nodes => nodes.collect(),
        Of::Weights => nodes.skip(1).collect(),
    }
}

/// The seed of a draw, so that neighbouring ones share no stream.
fn drawn_by(seed: u64, number: u64) -> u64 {
    const APART: u64 = 0x9e37_79b9_7f4a_7c15;
    seed.wrapping_add(APART.wrapping_mul(number)).rotate_left(17)
}
