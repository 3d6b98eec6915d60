//! What cuts are called, and what must be known to read their table.

use super::Told;
use crate::method::cut::COUNT;
use crate::method::cut::chosen::Found;
use crate::method::cut::erase::Ranks;
use crate::plan::{CutKind, Of, Way};
use crate::spec::{Spare, Stand};
use std::collections::BTreeSet;

impl Told<'_> {
    pub(super) fn facts(&self) -> Vec<(String, String)> {
        let sizes = |task: usize| {
            let group = &self.plan.tasks[task].group;
            format!("{} items in {} groups", group.len(), group.iter().collect::<BTreeSet<_>>().len())
        };
        let metric = self.bench.metric;
        let mut facts = vec![
            ("bias", format!("{metric} after the clean prompt less that after the corrupted one; {}", sizes(0))),
            ("kept", format!("the same of the prompts of `keep`; {}", sizes(1))),
            ("normalised", "share of the whole model's that is left".into()),
            ("selectivity", "share of the bias that is gone, 1 − |left|, less the share by which what is kept changes, |1 − left|".into()),
            (
                "held out",
                format!(
                    "{} parts of both tasks together, which keep {} apart: every item is asked with cuts that the other parts have chosen",
                    self.plan.folds, self.plan.apart
                ),
            ),
            ("intervals", "percentile bootstrap over these groups, changes and shares paired".into()),
            ("spared", "`sparing`: as many as are cut of those that what is kept hangs on most; `weighed`: the share of the bias less that by which what is kept changes".into()),
            ("ways", self.plan.ways.iter().map(described).collect::<Vec<_>>().join("; ")),
        ];
        if self.plan.left_out > 0 {
            let what = format!("{} pairs, whose prompts have different numbers of tokens", self.plan.left_out);
            facts.push(("left out of keep", what));
        }
        let erased: Vec<String> = (0..self.plan.ways.len()).filter_map(|way| self.erased(way)).collect();
        if !erased.is_empty() {
            facts.push(("directions erased", erased.join("; ")));
        }
        let few: Vec<String> = self.plan.ways.iter().flat_map(few).collect();
        if self.plan.random > 0 && !few.is_empty() {
            facts.push(("few random cuts", few.join("; ")));
        }
        if let Some(windows) = &self.plan.windows {
            facts.push(("loss", format!("nats a token; {}", windows.of)));
        }
        if self.plan.random > 0 {
            let least = 1.0 / (1 + self.plan.random) as f64;
            facts.push((
                "p",
                format!(
                    "(1 + random cuts that do as much) / (1 + {}); {least:.2e} at the least, not corrected",
                    self.plan.random
                ),
            ));
        }
        facts.into_iter().map(|(name, fact)| (name.to_string(), fact)).collect()
    }

    /// How many directions a way takes out of each stream, by part.
    fn erased(&self, way: usize) -> Option<String> {
        let parts: Vec<&Ranks> = self.found.iter().filter_map(|ways| ranks(&ways[way])).collect();
        let site = |number: usize| {
            let own = parts.iter().map(|ranks| &ranks[number]);
            let counts: Vec<String> = own.clone().map(|(_, rank, _)| rank.to_string()).collect();
            let why = own.clone().find_map(|(_, _, why)| why.as_ref()).map_or(String::new(), |why| format!(" ({why})"));
            format!("{} {}{why}", parts[0][number].0, counts.join(" and "))
        };
        let sites: Vec<String> = (0..parts.first()?.len()).map(site).collect();
        Some(format!("{}: {}", self.plan.ways[way].name, sites.join(", ")))
    }

    /// The ways that take nothing out of any stream.
    pub(super) fn idle(&self) -> Vec<String> {
        let is_idle = |way: &usize| {
            let parts: Vec<&Ranks> = self.found.iter().filter_map(|ways| ranks(&ways[*way])).collect();
            !parts.is_empty() && parts.iter().any(|ranks| ranks.iter().all(|(_, rank, _)| *rank == 0))
        };
        let ways = (0..self.plan.ways.len()).filter(is_idle);
        ways.map(|way| format!("{} takes nothing out of any stream in one part or more", self.plan.ways[way].name))
            .collect()
    }
}

/// Sets of which one in as many is not rare.
const FEW: f64 = 20.0;

/// The cuts of a way that few others of the same size stand beside.
fn few(way: &Way) -> Vec<String> {
    let CutKind::Strongest(of, strongest, blocks) = &way.kind else { return Vec::new() };
    if *of == Of::Weights {
        return Vec::new(); // directions are not counted
    }
    let sets = |count: usize| {
        let spared = if strongest.spare == Spare::Strongest { count } else { 0 };
        let left = of.count(blocks) - spared;
        (0..count).map(|taken| (left - taken) as f64 / (taken + 1) as f64).product::<f64>().round()
    };
    let places = strongest.counts.iter().enumerate().filter(|(_, count)| sets(**count) < FEW);
    let told = |(point, count): (usize, &usize)| {
        format!("{} is one of {} cuts of its size only, so that its p cannot be small", site(way, point), sets(*count))
    };
    places.map(told).collect()
}

/// A cut as a table calls it: `edges: 20`.
pub(super) fn site(way: &Way, point: usize) -> String {
    match &way.kind {
        CutKind::Strongest(_, strongest, _) => format!("{}{COUNT}{}", way.name, strongest.counts[point]),
        CutKind::Erased { .. } => way.name.clone(),
    }
}

fn ranks(found: &Found) -> Option<&Ranks> {
    match found {
        Found::Erased(ranks) => Some(ranks),
        Found::Ranked(_) => None,
    }
}

fn described(way: &Way) -> String {
    match &way.kind {
        CutKind::Strongest(_, strongest, _) => {
            let brings = if strongest.ablate == Stand::Zero { "zero" } else { "the mean over prompts and positions" };
            format!("{}: by {}, a cut edge bringing {brings}", way.name, strongest.score)
        }
        CutKind::Erased { sites, .. } => {
            let sites = sites.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            format!("{}: at {sites}", way.name)
        }
    }
}
