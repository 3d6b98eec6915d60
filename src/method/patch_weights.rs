//! Weight patching: what the weights of another model do in this one, part by part.
//!
//! *What it measures.* Two models of one shape, for instance before and after rounding, differ in some parts of their weights. Of
//! each part three figures: *alone*, what the metric changes by when only this part is as in the other model; *last*, what it
//! changes by when this part comes to all others; *share*, its Shapley value, which is the mean over all orders of what the
//! part adds, so that shares sum to the whole change. The same for the loss of the prompts' own tokens (nats a token), so that
//! one sees which parts carry the change of behaviour and which that of quality; and, along a label of numbers, for the slope
//! of the metric on it. `normalised` is the figure over the whole change.
//!
//! *What it cannot show.* Where in the computation the change arrives: patch activations between the models for that. Parts
//! that act only together get equal shares; *alone* and *last* far from each other say that they do.
//!
//! *Reference.* Shapley 1953; the exchange of parts of the weights between two models as in Zhang, Bengio & Singer 2022, "Are
//! all layers created equal?".
//!
//! *Example.* `PatchWeights(with: "int4", by: Map)`

use super::heard::{Heard, batches};
use super::summary::{Told, Values, tabulate_some};
use super::{Bench, Finding, Summary, blank, table};
use crate::model::exchange::Grain;
use crate::model::{HookError, Model};
use crate::plan::{Question, WeightPatching, orientation};
use crate::steps::{RunError, Steps};
use crate::table::{Row, Table};
use ndarray::{Array1, Array2};
use patchclamp_probes::shapley::Game;
use patchclamp_probes::{Interval, bootstrap_clustered, slope};

/// What the figures of a part are called.
const KINDS: [&str; 3] = ["alone", "last", "share"];

/// The place of rows that tell of all parts together.
const ALL: &str = "all parts";

/// Puts in every part alone, with all others, and the sets that shares need.
pub fn patch_weights(bench: &Bench, plan: &WeightPatching, steps: &mut Steps) -> Result<Finding, RunError> {
    let questions: Vec<Question> = (0..bench.items.len()).map(|item| question(bench, item)).collect();
    let mut values = [0, 1].map(|_| Array2::zeros((plan.sets.len(), questions.len())));
    for (number, set) in plan.sets.iter().enumerate() {
        let said = steps.step(questions.len(), || said(bench, &*plan.exchange.with(bench.model, set), &questions))?;
        for (item, said) in said.into_iter().flatten().enumerate() {
            values.iter_mut().zip(said).for_each(|(values, value)| values[(number, item)] = value);
        }
    }
    steps.complete()?;
    let signs = Array1::from(orientation(bench.items, bench.metric));
    let oriented = Figures::new(plan, &values[0] * &signs);
    let [metric, loss] = values.map(|values| Figures::new(plan, values));
    let mut finding = metric.told(bench, "patch_weights", &bench.metric.to_string());
    if signs.iter().any(|sign| *sign < 0.0) {
        let told = oriented.told(bench, "patch_weights.one_answer", &format!("{} of one answer", bench.metric));
        finding.tables.extend(told.tables);
        finding.items.extend(told.items);
    }
    if let Some(along) = &plan.along {
        finding.tables.push(oriented.along(bench, along));
    }
    let mut of_loss = loss.told(bench, "patch_weights.loss", "loss");
    of_loss.tables.iter_mut().for_each(|table| {
        let sign = if bench.model.is_causal() { LOSS } else { MASKED_LOSS };
        table.facts.insert("metric sign".into(), sign.into());
    });
    // prompts of one token alone have no loss
    if of_loss.tables.iter().any(|table| !table.rows.is_empty()) {
        finding.tables.append(&mut of_loss.tables);
        finding.items.append(&mut of_loss.items);
    }
    Ok(finding)
}

/// What a loss is, for the facts.
const LOSS: &str = "mean −ln p of the tokens of the clean prompts behind the first, nats a token; less is better";

/// The same of a model that sees both ways.
const MASKED_LOSS: &str =
    "mean −ln p of the tokens of the clean prompts but the one asked for, each seen, nats a token; less is better";

/// Units of work: every prompt in every set.
pub fn work(bench: &Bench, plan: &WeightPatching) -> usize {
    bench.items.len() * plan.sets.len()
}

fn question(bench: &Bench, item: usize) -> Question {
    let answers = bench.answers(item).clone();
    Question { tokens: bench.items[item].clean.clone(), answers, spots: Vec::new() }
}

/// The metric and the loss of every prompt: `[item]`.
fn said(bench: &Bench, model: &dyn Model, questions: &[Question]) -> Result<Vec<[f64; 2]>, HookError> {
    let questions: Vec<&Question> = questions.iter().collect();
    let mut all = vec![[0.0; 2]; questions.len()];
    for items in batches(&questions, bench.rows) {
        let some: Vec<&Question> = items.iter().map(|item| questions[*item]).collect();
        let heard = Heard::of(model, bench.metric, &some, &mut ())?;
        items.iter().zip(heard.beside(&heard)).for_each(|(item, said)| all[*item] = [said.metric, -said.own]);
    }
    Ok(all)
}

/// What each set of parts gives, and what follows for each part.
struct Figures<'a> {
    plan: &'a WeightPatching,
    /// `[set, item]`.
    values: Array2<f64>,
    /// `[kind][part][item]`; no shares where they are left out.
    kinds: Vec<Vec<Vec<f64>>>,
    /// `[item]`.
    whole: Vec<f64>,
}

impl<'a> Figures<'a> {
    fn new(plan: &'a WeightPatching, values: Array2<f64>) -> Self {
        let all: Vec<usize> = (0..plan.exchange.parts().len()).collect();
        let less = |more: &[usize], fewer: &[usize]| -> Vec<f64> {
            (&values.row(plan.place(more)) - &values.row(plan.place(fewer))).to_vec()
        };
        let but = |part: usize| -> Vec<usize> { all.iter().copied().filter(|other| *other != part).collect() };
        let alone = all.iter().map(|part| less(&[*part], &[])).collect();
        let last = all.iter().map(|part| less(&all, &but(*part))).collect();
        let mut kinds = vec![alone, last];
        kinds.extend(plan.game.as_ref().map(|game| shares(plan, game, &values)));
        let whole = less(&all, &[]);
        Figures { plan, kinds, whole, values }
    }

    /// Every figure of every part with its place, `[item]`, those of all parts first.
    fn places(&self, method: &str, metric: &str) -> Vec<(Row, Vec<f64>)> {
        let blank = || Row { method: method.into(), metric: metric.into(), ..Row::default() };
        let mut places = vec![(Row { site: Some(ALL.into()), ..blank() }, self.whole.clone())];
        for (kind, parts) in KINDS.iter().zip(&self.kinds) {
            for (part, values) in self.plan.exchange.parts().iter().zip(parts) {
                let place = Row { site: Some(part.name.clone()), layer: part.layer, head: part.head, ..blank() };
                places.push((Row { metric: format!("{metric}, {kind}"), ..place }, values.clone()));
            }
        }
        places
    }

    fn told(&self, bench: &Bench, method: &str, metric: &str) -> Finding {
        let title = format!("Weights of {} put in{}: {metric}", self.plan.with, self.by());
        let mut main = table(method, &title, bench);
        main.positions = Vec::new();
        self.facts(&mut main);
        let (drawn, exact): (Vec<_>, Vec<_>) = self
            .places(method, metric)
            .into_iter()
            .partition(|(row, _)| !self.is_exact() && row.metric.ends_with(KINDS[2]));
        let some =
            |places: Vec<(Row, Vec<f64>)>| places.into_iter().map(|(row, values)| (row, known(&values))).collect();
        // orders are drawn once for all items, so no test over items knows how far shares would be from those of others
        let told = Told { tested: some(exact), described: some(drawn) };
        tabulate_some(bench, main, told, &known(&self.whole))
    }

    /// The slope of every figure on the numbers of a label.
    fn along(&self, bench: &Bench, (label, numbers): &(String, Vec<f64>)) -> Table {
        let title = format!("Weights of {} put in{}: slope of {} on {label}", self.plan.with, self.by(), bench.metric);
        let mut main = table("patch_weights.slope", &title, bench);
        main.positions = Vec::new();
        self.facts(&mut main);
        let words = format!(
            "least squares, {} a unit of {label}; intervals over the values of {label}, all prompts of one together",
            bench.metric
        );
        main.facts.insert("slope".into(), words);
        let groups = clusters(&Summary::new(bench).groups(), numbers);
        let method = blank("patch_weights.slope", bench.metric).method;
        for (row, values) in self.places(&method, "slope") {
            let of = |items: &[usize]| {
                let point = |item: &usize| (numbers[*item], values[*item]);
                let (at, told): (Vec<f64>, Vec<f64>) = items.iter().map(point).unzip();
                slope(&at, &told).unwrap_or(f64::NAN)
            };
            let draws = bootstrap_clustered(&groups, bench.statistics.resamples, bench.seed, of);
            let ends = drawn(&draws, bench.statistics.level);
            let effect = of(&(0..values.len()).collect::<Vec<_>>());
            let (low, high) = (ends.map(|ends| ends.low), ends.map(|ends| ends.high));
            main.rows.push(Row { effect, low, high, n: values.len(), ..row });
        }
        main
    }

    fn is_exact(&self) -> bool {
        self.plan.game.as_ref().is_none_or(Game::is_exact)
    }

    /// What is put in at once, in words.
    fn by(&self) -> &'static str {
        match self.plan.exchange.grain() {
            Grain::Map => ", map by map",
            Grain::Layer => ", layer by layer",
            Grain::Head => ", head by head",
            Grain::Kind => ", kind by kind",
        }
    }

    fn facts(&self, table: &mut Table) {
        let facts = [
            ("alone", "only this part is as in the other model".to_string()),
            ("last", "what this part adds to all others".to_string()),
            (
                "parts",
                format!(
                    "{} in which the two models differ; the others are the same to the bit",
                    self.plan.exchange.parts().len()
                ),
            ),
        ];
        table.facts.extend(facts.map(|(name, value)| (name.to_string(), value)));
        if let Some(game) = &self.plan.game {
            table.facts.insert("share".into(), self.exactness(game));
        }
    }

    /// Whether shares are exact, or how far off they may be.
    fn exactness(&self, game: &Game) -> String {
        let count = game.coalitions().len();
        if game.is_exact() {
            return format!("Shapley values over all {count} sets of parts");
        }
        let errors = game.standard_errors(coalitions(self.plan, game, &self.values).view());
        let most = errors.map_or("not known from a single order".into(), |errors| {
            format!("{:.2e} at the most", errors.into_iter().fold(0.0, f64::max))
        });
        format!("Shapley values over drawn orders, {count} sets of parts; their standard error is {most}")
    }
}

/// What each item has, where it has something.
fn known(values: &[f64]) -> Values {
    values.iter().map(|value| Some(*value).filter(|value| value.is_finite())).collect()
}

/// Items that are drawn together: those of one observation, and all that have one number.
fn clusters(groups: &[usize], numbers: &[f64]) -> Vec<usize> {
    let mut clusters: Vec<usize> = (0..groups.len()).collect();
    let together = |a: usize, b: usize| groups[a] == groups[b] || numbers[a] == numbers[b];
    // as often as a cluster reaches another one through its members
    loop {
        let joined =
            |item: usize| (0..groups.len()).filter(|other| together(item, *other)).map(|other| clusters[other]).min();
        let next: Vec<usize> = (0..groups.len()).map(|item| joined(item).unwrap_or(item)).collect();
        if next == clusters {
            return clusters;
        }
        clusters = next;
    }
}

/// The interval of the draws that have a value: a draw of items that share one number has no slope.
fn drawn(draws: &[f64], level: f64) -> Option<Interval> {
    let some: Vec<f64> = draws.iter().copied().filter(|draw| draw.is_finite()).collect();
    Interval::percentile(&some, level)
}

/// Values of the sets of a game, `[set, item]`.
fn coalitions(plan: &WeightPatching, game: &Game, values: &Array2<f64>) -> Array2<f64> {
    let rows: Vec<usize> = game.coalitions().iter().map(|set| plan.place(set)).collect();
    values.select(ndarray::Axis(0), &rows)
}

/// `[part][item]`.
fn shares(plan: &WeightPatching, game: &Game, values: &Array2<f64>) -> Vec<Vec<f64>> {
    game.shares(coalitions(plan, game, values).view()).rows().into_iter().map(|row| row.to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::clusters;

    #[test]
    fn items_of_one_number_or_one_pair_are_drawn_together() {
        // the first two are a pair, the second and third have one number, the last stands alone
        assert_eq!(clusters(&[0, 0, 1, 2], &[1.0, 2.0, 2.0, 3.0]), [0, 0, 0, 3]);
        assert_eq!(clusters(&[2, 1, 0], &[1.0, 2.0, 3.0]), [0, 1, 2]);
    }
}
