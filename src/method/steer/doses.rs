//! Dose and response: what each coefficient does to the metric and to fluency, and what the curves are like.

use super::{STEER, Told, less, name, reading, score};
use crate::method::heard::Reading;
use crate::method::patch::names;
use crate::method::summary::mean;
use crate::method::{blank, table};
use crate::spec::Operation;
use crate::table::{Row, Table};
use patchclamp_probes::{Interval, spearman};

/// What fluency is read from, and what it is called.
const FLUENCY: [(&str, Reading); 2] =
    [("own tokens: log_prob", |said| said.own), ("next token: divergence", |said| said.divergence)];

impl Told<'_> {
    /// The table of all doses, and that of single pairs.
    pub(super) fn doses(&self) -> (Table, Table) {
        let mut told = table("steer.doses", "Steering: what each coefficient does", self.bench);
        let mut singles = told.clone();
        for task in 0..self.plan.tasks.len() {
            for cell in 0..self.plan.cells.len() {
                for (operation, adds) in
                    self.plan.operations.iter().flat_map(|one| super::coefficients(self.plan, *one))
                {
                    let (rows, items) = self.dose([task, cell], operation, adds);
                    told.rows.extend(rows);
                    singles.rows.extend(items);
                }
            }
        }
        let scale = |task: usize| format!("{} {:.4}", self.plan.tasks[task].name, mean(&self.whole(task)));
        let facts = [
            ("steered", format!("{}, {:?}", names(&self.plan.cells), self.plan.to)),
            ("coefficient", "1 is as far as the means of clean and corrupted prompts stand apart".into()),
            ("effect", "metric towards the clean answer, mean over both prompts of a pair; of `ablate` the mean of the metric with each prompt's own right answer".into()),
            ("normalised", "effect / (metric of the clean less that of the corrupted prompt), of `ablate` effect / score left alone; none where the interval of what is divided by holds zero".into()),
            ("p", format!("how many of {} random directions of the same length change as much; {:.2e} at the least, not corrected", self.plan.random, 1.0 / (self.plan.random + 1) as f64)),
            ("left alone", (0..self.plan.tasks.len()).map(scale).collect::<Vec<_>>().join("; ")),
        ];
        told.facts.extend(facts.map(|(name, fact)| (name.to_string(), fact)));
        (told, singles)
    }

    /// The clean prompt's metric less the corrupted one's, by pair.
    fn whole(&self, task: usize) -> Vec<f64> {
        let alone = &self.outcomes[0][task].alone;
        alone.chunks_exact(2).map(|both| both[0].metric - both[1].exchanged).collect()
    }

    /// What counts as 1: the mean of that, or of the score where nothing is added; none where its interval holds zero.
    fn scale(&self, task: usize, operation: Operation) -> Option<f64> {
        let alone = &self.outcomes[0][task].alone;
        let whole = if operation == Operation::Ablate { score(alone) } else { self.whole(task) };
        let row = self.summaries[task].untested(blank(STEER, self.bench.metric), &whole, None);
        row.low.zip(row.high).is_some_and(|(low, high)| low > 0.0 || high < 0.0).then_some(row.effect)
    }

    fn place(&self, cell: usize, site: String, metric: &str) -> Row {
        let cell = &self.plan.cells[cell];
        let (layer, position) = (cell.layer, cell.position);
        Row { site: Some(site), layer, position, metric: metric.to_string(), ..blank(STEER, self.bench.metric) }
    }

    /// The rows of one dose, of all directions and of random ones, and those of single pairs.
    fn dose(&self, [task, cell]: [usize; 2], operation: Operation, adds: f64) -> (Vec<Row>, Vec<Row>) {
        let site = |direction: &str| label(&self.plan.tasks[task].name, operation, direction, adds);
        let metric = self.bench.metric.to_string();
        let (summary, scale) = (&self.summaries[task], self.scale(task, operation));
        let of = |course: usize| self.effects(cell, task, operation, self.condition(course, operation, adds));
        let draws: Vec<f64> = self.random().map(|course| mean(&of(course))).collect();
        let (mut rows, mut singles) = (Vec::new(), Vec::new());
        for (course, by) in self.plan.by.iter().enumerate() {
            let row = summary.untested(self.place(cell, site(name(*by)), &metric), &of(course), scale);
            let p = Some(as_far(&draws, row.effect));
            singles.extend(self.singles(&row, [task, cell], self.condition(course, operation, adds)));
            rows.push(Row { p, ..row });
        }
        let random = self.of_draws(self.place(cell, site("random"), &metric), &draws, task);
        rows.push(Row { normalised: scale.map(|scale| random.effect / scale), ..random });
        for (metric, read) in FLUENCY {
            let change = |course: usize| self.cost([task, cell], self.condition(course, operation, adds), read);
            for (course, by) in self.plan.by.iter().enumerate() {
                rows.push(summary.untested(self.place(cell, site(name(*by)), metric), &change(course), None));
            }
            let draws: Vec<f64> = self.random().map(|course| mean(&change(course))).collect();
            rows.push(self.of_draws(self.place(cell, site("random"), metric), &draws, task));
        }
        (rows, singles)
    }

    /// Each prompt's own change towards the clean answer.
    fn singles(&self, row: &Row, [task, cell]: [usize; 2], condition: usize) -> Vec<Row> {
        let outcomes = &self.outcomes[cell][task];
        let side = |side: usize, of: Reading, name: &str| {
            let pairs = outcomes.changed[condition].chunks_exact(2).zip(outcomes.alone.chunks_exact(2));
            let values: Vec<Option<f64>> =
                pairs.map(|(changed, alone)| Some(of(&changed[side]) - of(&alone[side]))).collect();
            self.bench.item_rows(&Row { metric: format!("{}, {name}", row.metric), ..row.clone() }, &values)
        };
        [side(0, |said| said.metric, "clean"), side(1, |said| said.exchanged, "corrupted")].concat()
    }

    fn cost(&self, [task, cell]: [usize; 2], condition: usize, read: Reading) -> Vec<f64> {
        let outcomes = &self.outcomes[cell][task];
        less(&reading(&outcomes.changed[condition], read), &reading(&outcomes.alone, read))
    }

    /// The random courses.
    fn random(&self) -> std::ops::Range<usize> {
        self.plan.by.len()..self.plan.by.len() + self.plan.random
    }

    fn of_draws(&self, row: Row, draws: &[f64], task: usize) -> Row {
        let middle = Interval::percentile(draws, 0.95);
        let (low, high) = (middle.map(|middle| middle.low), middle.map(|middle| middle.high));
        Row { effect: mean(draws), low, high, n: self.plan.tasks[task].items.len(), ..row }
    }

    /// Slopes at zero, how monotone the curves are, and where fluency holds.
    pub(super) fn slopes(&self) -> Table {
        let mut told = table("steer.slopes", "Steering: slopes at zero, and where fluency holds", self.bench);
        for task in 0..self.plan.tasks.len() {
            for cell in 0..self.plan.cells.len() {
                let draws: Vec<f64> = self.random().map(|course| mean(&self.slope(cell, task, course))).collect();
                for (course, by) in self.plan.by.iter().enumerate() {
                    let site = format!("{}: {}", self.plan.tasks[task].name, name(*by));
                    let place = |metric: &str| self.place(cell, site.clone(), metric);
                    let slopes = self.slope(cell, task, course);
                    let row = self.summaries[task].untested(place(&self.slope_metric()), &slopes, None);
                    told.rows.push(Row { p: Some(as_far(&draws, row.effect)), ..row });
                    let random = place(&format!("{}, random", self.slope_metric()));
                    told.rows.push(self.of_draws(random, &draws, task));
                    told.rows.extend(self.curve([task, cell], course, &place));
                }
            }
        }
        let [low, high] = self.plan.around_zero();
        let facts = [
            ("slope", format!("rise of the metric between coefficients {low} and {high}, over their distance")),
            ("monotone", "Spearman's ρ of coefficients and mean effects, 0 among them".into()),
            (
                "window",
                format!(
                    "the coefficients around 0 up to which the prompts' own tokens lose no more than {} nats each; the effect is its width, the interval its ends",
                    self.plan.fluency
                ),
            ),
        ];
        told.facts.extend(facts.map(|(name, fact)| (name.to_string(), fact)));
        told
    }

    fn slope_metric(&self) -> String {
        format!("slope: {}", self.bench.metric)
    }

    /// How monotone a curve is, and its window.
    fn curve(&self, [task, cell]: [usize; 2], course: usize, place: &dyn Fn(&str) -> Row) -> Vec<Row> {
        let n = self.plan.tasks[task].items.len();
        let condition = |adds: f64| self.condition(course, Operation::Add, adds);
        let mut points: Vec<(f64, f64, f64)> = self
            .plan
            .coefficients
            .iter()
            .map(|adds| {
                let effect = mean(&self.effects(cell, task, Operation::Add, condition(*adds)));
                (*adds, effect, mean(&self.cost([task, cell], condition(*adds), FLUENCY[0].1)))
            })
            .chain([(0.0, 0.0, 0.0)])
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (doses, effects): (Vec<f64>, Vec<f64>) = points.iter().map(|(dose, effect, _)| (*dose, *effect)).unzip();
        let monotone = spearman(&doses, &effects).map(|effect| Row { effect, n, ..place("monotone: spearman") });
        let [low, high] =
            window(&points.iter().map(|(dose, _, cost)| (*dose, -cost)).collect::<Vec<_>>(), self.plan.fluency);
        let window = Row { effect: high - low, low: Some(low), high: Some(high), n, ..place("window: coefficients") };
        monotone.into_iter().chain([window]).collect()
    }
}

/// `gender: add mean difference × 0.5`; what is only taken out has no coefficient.
fn label(task: &str, operation: Operation, direction: &str, adds: f64) -> String {
    match operation {
        Operation::Add => format!("{task}: add {direction} × {adds}"),
        Operation::Ablate => format!("{task}: ablate {direction}"),
        Operation::Both => format!("{task}: set {direction} × {adds}"),
    }
}

/// The share of random directions that change as much, in either direction, this one among them.
fn as_far(draws: &[f64], effect: f64) -> f64 {
    // what is no number counts as far as any: it says nothing against chance
    let beyond = |draw: &&f64| draw.abs() >= effect.abs() || draw.is_nan() || effect.is_nan();
    (1 + draws.iter().filter(beyond).count()) as f64 / (1 + draws.len()) as f64
}

/// The ends of the run of coefficients around 0 at which no more than `most` is lost; `points` are coefficients, rising, with
/// losses.
fn window(points: &[(f64, f64)], most: f64) -> [f64; 2] {
    let holds = |(_, loss): &&(f64, f64)| *loss <= most;
    let up = points.iter().filter(|(dose, _)| *dose >= 0.0).take_while(holds).last();
    let down = points.iter().rev().filter(|(dose, _)| *dose <= 0.0).take_while(holds).last();
    [down, up].map(|end| end.map_or(0.0, |(dose, _)| *dose))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_before_the_first_coefficient_that_costs_too_much() {
        let points = [(-2.0, 0.0), (-1.0, 0.3), (-0.5, 0.1), (0.0, 0.0), (0.5, 0.05), (1.0, 0.1), (2.0, 0.11)];
        assert_eq!(window(&points, 0.1), [-0.5, 1.0]);
        assert_eq!(window(&points, 0.01), [0.0, 0.0]);
    }

    #[test]
    fn what_is_only_taken_out_has_no_coefficient() {
        assert_eq!(label("gender", Operation::Add, "random", -0.5), "gender: add random × -0.5");
        assert_eq!(label("gender", Operation::Ablate, "random", 0.0), "gender: ablate random");
    }
}
