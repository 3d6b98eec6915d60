//! What cuts are called, and what must be known to read their table.

use super::Told;
use crate::method::cut::COUNT;
use crate::plan::{CutKind, Way};
use crate::spec::Stand;

impl Told<'_> {
    pub(super) fn facts(&self) -> Vec<(String, String)> {
        let sizes = |task: usize| {
            let group = &self.plan.tasks[task].group;
            format!("{} items in {} groups", group.len(), group.iter().max().map_or(0, |last| last + 1))
        };
        let metric = self.bench.metric;
        let mut facts = vec![
            ("bias", format!("{metric} after the clean prompt less that after the corrupted one; {}", sizes(0))),
            ("kept", format!("the same of the prompts of `keep`; {}", sizes(1))),
            ("normalised", "share of the whole model's that is left".into()),
            ("selectivity", "share of the bias that is gone less the share of what is kept that is gone".into()),
            (
                "held out",
                format!(
                    "{} parts, which keep {} apart: every item is asked with cuts that the other parts have chosen",
                    self.plan.folds, self.plan.apart
                ),
            ),
            ("intervals", "percentile bootstrap over these groups, changes and shares paired".into()),
            ("spared", "`sparing`: as many as are cut of those that what is kept hangs on most; `weighed`: the share of the bias less that by which what is kept changes".into()),
            ("ways", self.plan.ways.iter().map(described).collect::<Vec<_>>().join("; ")),
        ];
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
}

/// A cut as a table calls it: `edges: 20`.
pub(super) fn site(way: &Way, point: usize) -> String {
    match &way.kind {
        CutKind::Strongest(_, strongest, _) => format!("{}{COUNT}{}", way.name, strongest.counts[point]),
        CutKind::Erased { .. } => way.name.clone(),
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
