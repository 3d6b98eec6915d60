//! What changed states do, as tables of effects.

use super::{Along, Way};
use crate::method::patch::{axes, effects, names};
use crate::method::summary::mean;
use crate::method::{Bench, Finding};
use crate::plan::Sweep;
use crate::spec::{Erasure, Use};

impl Way {
    /// A word for it, as tables have it.
    pub fn word(self) -> &'static str {
        match self.what {
            Use::Erase => "erase",
            Use::Swap => "swap",
            Use::Steer => "steer",
        }
    }

    /// A word for how directions are found.
    pub fn erasure(self) -> &'static str {
        match self.erasure {
            Erasure::Leace => "leace",
            Erasure::Oracle => "oracle",
            Erasure::Mean => "mean",
            Erasure::Inlp { .. } => "inlp",
        }
    }

    /// How directions are found, as papers call it.
    pub fn by(self) -> &'static str {
        match self.erasure {
            Erasure::Leace => "LEACE",
            Erasure::Oracle => "oracle LEACE",
            Erasure::Mean => "projection of the means",
            Erasure::Inlp { .. } => "INLP",
        }
    }

    fn title(self) -> &'static str {
        match self.what {
            Use::Erase => "States without what is told",
            Use::Swap => "States with what is told of the corrupted prompt",
            Use::Steer => "States moved from class to class",
        }
    }

    /// What all of it would be, in words.
    pub fn whole(self) -> &'static str {
        match self.what {
            Use::Erase => "half of (metric of the corrupted run − metric of the clean run)",
            Use::Swap | Use::Steer => "(metric of the corrupted run − metric of the clean run)",
        }
    }
}

/// What all of a way would be, by item: a run that has of both prompts alike, or of the corrupted one alone.
pub fn share(way: Way, clean: &[f64], corrupt: &[f64]) -> Vec<f64> {
    let share = if way.what == Use::Erase { 0.5 } else { 1.0 };
    corrupt.iter().zip(clean).map(|(corrupt, clean)| share * (corrupt - clean)).collect()
}

/// A table for each way, each under its name.
pub fn tables(
    bench: &Bench,
    name: impl Fn(Way) -> String,
    plan: &Sweep,
    (ways, along): (&[Way], &Along),
    corrupt: &[f64],
) -> Finding {
    let mut finding = Finding::default();
    for (way, own) in ways.iter().zip(&along.effects) {
        let title = format!("{} ({}): {}, {}", way.title(), way.by(), names(&plan.cells), axes(plan));
        let (nothing, wholes) = (vec![0.0; corrupt.len()], share(*way, &along.clean, corrupt));
        let mut found = effects(bench, plan, &name(*way), &title, own, &nothing, &wholes);
        for table in &mut found.tables {
            table.facts.insert("normalised".into(), format!("effect / {}", way.whole()));
            table.facts.insert("metric, clean".into(), format!("{:.4}", mean(&along.clean)));
            table.facts.insert("metric, corrupted".into(), format!("{:.4}", mean(corrupt)));
        }
        finding.tables.extend(found.tables);
        finding.items.extend(found.items);
    }
    finding
}
