//! What lesions do to each task, and whether tasks dissociate.

use super::{Found, LOCALISE, Study};
use crate::method::heard::{Outcomes, Reading, Said};
use crate::method::summary::mean;
use crate::method::{Bench, Finding, Summary, blank, table};
use crate::spec::Ablation;
use crate::table::{Row, Table};
use patchclamp_probes::{Interval, mean_interval};

/// The metric of rows that say how much more a lesion takes of its own task than of another.
pub const SPECIFICITY: &str = "specificity: share";

/// The scores of one task, pair by pair.
struct Scores {
    name: String,
    summary: Summary,
    /// Left alone.
    alone: Vec<f64>,
    /// Whether the interval of their mean is above zero: only then a share of it means something.
    is_done: bool,
    /// Under each set of units, less the score left alone: `[set][pair]`.
    effects: Vec<Vec<f64>>,
}

/// The tables of one kind of lesion.
pub fn told(bench: &Bench, found: &Found, study: &Study) -> Finding {
    let name = match study.with {
        Ablation::Zero => "zero",
        Ablation::Resample => "resample",
        Ablation::Mean | Ablation::MeanPerPosition => "mean",
    };
    let scores: Vec<Scores> = (0..found.plan.tasks.len()).map(|task| scores(bench, found, study, task)).collect();
    let teller = Teller { bench, found, study, scores };
    let (lesions, items) = teller.lesions(name);
    let mut tables = vec![lesions];
    tables.extend(teller.dissociations(name));
    Finding { tables, items: vec![items], ..Finding::default() }
}

/// The mean of a reading over both prompts of each pair.
fn by_pair(said: &[Said], reading: Reading) -> Vec<f64> {
    said.chunks_exact(2).map(|both| f64::midpoint(reading(&both[0]), reading(&both[1]))).collect()
}

fn changes(alone: &[f64], lesioned: &[f64]) -> Vec<f64> {
    lesioned.iter().zip(alone).map(|(lesioned, alone)| lesioned - alone).collect()
}

fn scores(bench: &Bench, found: &Found, study: &Study, task: usize) -> Scores {
    let outcomes = &study.outcomes[task];
    // tasks are drawn independently of each other
    let own = Bench { items: &found.plan.tasks[task].items, seed: bench.seed.wrapping_add(task as u64), ..*bench };
    let summary = Summary::new(&own);
    let metric: Reading = |said| said.metric;
    let alone = by_pair(&outcomes.alone, metric);
    let row = summary.untested(blank(LOCALISE, bench.metric), &alone, None);
    let effects = outcomes.changed.iter().map(|said| changes(&alone, &by_pair(said, metric))).collect();
    let name = found.plan.tasks[task].name.clone();
    Scores { name, summary, is_done: row.low.is_some_and(|low| low > 0.0), alone, effects }
}

struct Teller<'a> {
    bench: &'a Bench<'a>,
    found: &'a Found<'a>,
    study: &'a Study,
    scores: Vec<Scores>,
}

impl Teller<'_> {
    /// The number of a task's first set: its picked units; those of the shuffled contrast and random ones stand behind.
    fn set(&self, task: usize) -> usize {
        task * (2 + self.found.plan.random)
    }

    fn random(&self, task: usize) -> std::ops::Range<usize> {
        let first = self.set(task) + 2;
        first..first + self.found.plan.random
    }

    fn row(&self, site: String, metric: String) -> Row {
        Row { site: Some(site), metric, ..blank(LOCALISE, self.bench.metric) }
    }

    /// The table of effects, and that of single pairs.
    fn lesions(&self, name: &str) -> (Table, Table) {
        let title = format!("Lesions ({name}) of localised units, on pairs that did not pick them");
        let mut told = table(&format!("localise.lesion.{name}"), &title, self.bench);
        let mut singles = told.clone();
        for (task, own) in self.scores.iter().enumerate() {
            for score in &self.scores {
                let picked = self.on_task(task, score);
                singles.rows.extend(self.bench.item_rows(&picked[0], &some(&score.effects[self.set(task)])));
                told.rows.extend(picked);
            }
            told.rows.extend(self.on_fluency(task, &own.name, "own tokens: log_prob", |said| said.own, f64::le));
            told.rows.extend(self.on_fluency(
                task,
                &own.name,
                "next token: divergence",
                |said| said.divergence,
                f64::ge,
            ));
        }
        let draws = self.found.plan.random;
        let facts = [
            ("lesion", format!("{:?} at every position", self.study.with)),
            ("score", "mean of the metric over both prompts of a pair, each asked for its own right answer".into()),
            ("normalised", "effect / score left alone; none where its interval holds zero".into()),
            (
                "p",
                format!(
                    "how many of {draws} lesions of random units take as much; {:.2e} at the least, not corrected",
                    1.0 / (draws + 1) as f64
                ),
            ),
            ("random", "mean and middle 95 in 100 of lesions of as many random units of the same sites".into()),
            ("shuffled", "as many units picked with clean and corrupted exchanged in half of the pairs".into()),
            ("scores left alone", self.scores.iter().map(left_alone).collect::<Vec<_>>().join("; ")),
        ];
        told.facts.extend(facts.map(|(name, fact)| (name.to_string(), fact)));
        (told, singles)
    }

    /// The rows of a task's units on one task: picked, shuffled, random.
    fn on_task(&self, task: usize, on: &Scores) -> [Row; 3] {
        let (own, metric) = (&self.scores[task].name, format!("{}: {}", on.name, self.bench.metric));
        let scale = on.is_done.then(|| mean(&on.alone));
        let of =
            |set: usize, site: String| on.summary.untested(self.row(site, metric.clone()), &on.effects[set], scale);
        let picked = of(self.set(task), own.clone());
        let draws: Vec<f64> = self.random(task).map(|set| mean(&on.effects[set])).collect();
        let p = Some(share_beyond(&draws, picked.effect, f64::le));
        let random = self.of_draws(self.row(format!("{own}, random"), metric.clone()), &draws, on.alone.len());
        let random = Row { normalised: scale.map(|scale| random.effect / scale), ..random };
        [Row { p, ..picked }, of(self.set(task) + 1, format!("{own}, shuffled")), random]
    }

    /// The same on what all prompts say besides.
    fn on_fluency(
        &self,
        task: usize,
        own: &str,
        metric: &str,
        reading: Reading,
        beyond: fn(&f64, &f64) -> bool,
    ) -> [Row; 3] {
        let changes = |set: usize| -> Vec<f64> {
            let of_task = |outcomes: &Outcomes| {
                changes(&by_pair(&outcomes.alone, reading), &by_pair(&outcomes.changed[set], reading))
            };
            self.study.outcomes.iter().flat_map(of_task).collect()
        };
        let of = |set: usize, site: String| {
            let (values, statistics) = (changes(set), self.bench.statistics);
            let interval = mean_interval(&values, statistics.level, statistics.resamples, self.bench.seed);
            let (low, high) = (interval.map(|found| found.low), interval.map(|found| found.high));
            Row { effect: mean(&values), low, high, n: values.len(), ..self.row(site, metric.to_string()) }
        };
        let picked = of(self.set(task), own.to_string());
        let draws: Vec<f64> = self.random(task).map(|set| mean(&changes(set))).collect();
        let p = Some(share_beyond(&draws, picked.effect, beyond));
        let random = self.of_draws(self.row(format!("{own}, random"), metric.to_string()), &draws, picked.n);
        [Row { p, ..picked }, of(self.set(task) + 1, format!("{own}, shuffled")), random]
    }

    fn of_draws(&self, row: Row, draws: &[f64], n: usize) -> Row {
        let middle = Interval::percentile(draws, 0.95);
        let (low, high) = (middle.map(|middle| middle.low), middle.map(|middle| middle.high));
        Row { effect: mean(draws), low, high, n, ..row }
    }

    /// How much more each lesion takes of its own task than of another; nothing where there is one task.
    fn dissociations(&self, name: &str) -> Option<Table> {
        let title = format!("Double dissociation ({name}): what lesions take of their own task more than of others");
        let mut told = table(&format!("localise.dissociation.{name}"), &title, self.bench);
        let mut verdicts = Vec::new();
        for (first, second) in
            (0..self.scores.len()).flat_map(|one| (one + 1..self.scores.len()).map(move |two| (one, two)))
        {
            let both = [self.specificity(first, second), self.specificity(second, first)];
            let names = format!("{} and {}", self.scores[first].name, self.scores[second].name);
            verdicts.push(format!("{names}: {}", self.verdict(&both)));
            told.rows.extend(both.into_iter().flatten());
        }
        told.facts.shift_remove("metric sign");
        told.facts.insert("double dissociation".into(), verdicts.join("; "));
        let what = "share of its own task's score that a lesion takes, less the share of the other's; bootstrap over the observations of both";
        told.facts.insert("specificity".into(), what.into());
        (self.scores.len() > 1).then_some(told)
    }

    /// Of the units of task `own` between it and `other`; `None` where the model does not do one of the two.
    fn specificity(&self, own: usize, other: usize) -> Option<Row> {
        let set = self.set(own);
        let lost = |task: usize| {
            let score = &self.scores[task];
            let losses: Vec<f64> = score.effects[set].iter().map(|effect| -effect).collect();
            let draws = score.summary.share_draws(&losses, &score.alone);
            score.is_done.then(|| (mean(&losses) / mean(&score.alone), draws))
        };
        let ((own_share, own_draws), (other_share, other_draws)) = (lost(own)?, lost(other)?);
        let draws: Option<Vec<f64>> = own_draws
            .zip(other_draws)
            .map(|(own, other)| own.into_iter().zip(other).map(|(own, other)| own - other).collect());
        let interval = draws.and_then(|draws| Interval::percentile(&draws, self.bench.statistics.level));
        let (low, high) = (interval.map(|found| found.low), interval.map(|found| found.high));
        let [own, other] = [own, other].map(|task| &self.scores[task]);
        let site = format!("units of {}: {} − {}", own.name, own.name, other.name);
        let n = own.alone.len().min(other.alone.len());
        Some(Row { effect: own_share - other_share, low, high, n, ..self.row(site, SPECIFICITY.into()) })
    }

    fn verdict(&self, both: &[Option<Row>; 2]) -> String {
        let above = |row: &Row| row.low.is_some_and(|low| low > 0.0);
        match both {
            [Some(one), Some(other)] if above(one) && above(other) => "yes, both specificities are above zero".into(),
            [Some(one), Some(other)] => {
                let failing: Vec<&str> =
                    [one, other].into_iter().filter(|row| !above(row)).filter_map(|row| row.site.as_deref()).collect();
                format!("no, not above zero: {}", failing.join(", "))
            }
            _ => "cannot be told, as a score left alone has zero in its interval".into(),
        }
    }
}

/// The share of draws that reach beyond a value, the value itself among them.
fn share_beyond(draws: &[f64], value: f64, beyond: fn(&f64, &f64) -> bool) -> f64 {
    // what is no number counts as beyond: it says nothing against chance
    let counts = |draw: &&f64| beyond(draw, &value) || draw.is_nan() || value.is_nan();
    (1 + draws.iter().filter(counts).count()) as f64 / (1 + draws.len()) as f64
}

fn left_alone(score: &Scores) -> String {
    let note = if score.is_done { "" } else { " (interval holds zero)" };
    format!("{} {:.4}{note}", score.name, mean(&score.alone))
}

fn some(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().copied().map(Some).collect()
}
