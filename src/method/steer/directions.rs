//! Directions in which the prompts of a task differ, found on one half of its pairs.

use crate::method::Bench;
use crate::method::catalogue::Catalogue;
use crate::model::HookError;
use crate::plan::{Cell, Question, Steering, Task};
use crate::spec::Heading;
use ndarray::{Array1, Array2, ArrayView2, Axis};
use patchclamp_probes::Directions;
use patchclamp_probes::decode::{self, Family, Labels, Logistic};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// A direction at each site of a cell.
pub type Course = Vec<Array1<f64>>;

/// Penalty of the logistic regression, on features of spread 1: scikit-learn's default.
const PENALTY: f64 = 1.0;

/// The states of every task's questions at a cell.
pub struct Held<'a> {
    plan: &'a Steering,
    catalogue: Catalogue,
    /// `[task]`, each `[question, value]`.
    states: Vec<Array2<f64>>,
}

impl<'a> Held<'a> {
    /// At the cell's position, or at the spots of each question where it has none.
    pub fn new(bench: &Bench, plan: &'a Steering, cell: &Cell) -> Result<Self, HookError> {
        let catalogue = Catalogue::new(&cell.sites, bench.model.dims());
        let of_task = |task: &Task| {
            let at = |question: &Question| match cell.position {
                Some(position) => Question { spots: vec![position], ..question.clone() },
                None => question.clone(),
            };
            let questions: Vec<Question> = task.questions.iter().map(at).collect();
            catalogue.responses(bench.model, &questions.iter().collect::<Vec<_>>(), bench.rows)
        };
        let states = plan.tasks.iter().map(of_task).collect::<Result<_, HookError>>()?;
        Ok(Held { plan, catalogue, states })
    }

    /// The direction of each site that one half of a task gives.
    pub fn course(&self, task: usize, half: usize, by: Heading) -> Course {
        let own: Vec<usize> = (0..self.plan.tasks[task].questions.len())
            .filter(|question| self.plan.tasks[task].half(*question) == half)
            .collect();
        let states = self.states[task].select(Axis(0), &own);
        let part = |site: &crate::site::Site| direction(states.slice(ndarray::s![.., self.catalogue.units(*site)]), by);
        self.catalogue.sites().iter().map(part).collect()
    }

    /// Random directions, as long as those of a course.
    pub fn random(&self, like: &Course, seed: u64) -> Course {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut one = |like: &Array1<f64>| {
            let drawn: Array1<f64> = (0..like.len()).map(|_| StandardNormal.sample(&mut random)).collect();
            scaled(drawn, length(like))
        };
        like.iter().map(&mut one).collect()
    }
}

/// The direction from corrupted to clean prompts in `states` `[question, value]`, the clean and the corrupted prompt of a
/// pair after each other; as long as the difference of the means. Zero where nothing differs, or states are no numbers.
fn direction(states: ArrayView2<f64>, by: Heading) -> Array1<f64> {
    let pairs: Vec<Array1<f64>> =
        (0..states.nrows() / 2).map(|pair| &states.row(2 * pair) - &states.row(2 * pair + 1)).collect();
    let mut differences = Array2::zeros((pairs.len(), states.ncols()));
    differences.rows_mut().into_iter().zip(&pairs).for_each(|(mut row, pair)| row.assign(pair));
    let mean = differences.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(states.ncols()));
    if !mean.iter().all(|value| value.is_finite()) {
        return Array1::zeros(states.ncols());
    }
    let found = match by {
        Heading::MeanDifference => Some(mean.clone()),
        Heading::PrincipalComponent => {
            Directions::leading(differences.view(), 1).map(|found| found.vectors().row(0).to_owned())
        }
        Heading::Logistic => logistic(states),
    };
    scaled(found.unwrap_or_else(|| Array1::zeros(mean.len())), length(&mean))
}

/// The weights towards clean prompts, in the states' own units.
fn logistic(states: ArrayView2<f64>) -> Option<Array1<f64>> {
    let items: Vec<usize> = (0..states.nrows()).collect();
    let labels = Labels::new(items.iter().map(|item| usize::from(Task::has(*item))).collect(), 2).ok()?;
    let probe = Logistic::default().fit(&states, decode::Task { labels: &labels, items: &items }, PENALTY).ok()?;
    Some(probe.weights().row(0).to_owned())
}

/// The Euclidean length.
pub fn length(vector: &Array1<f64>) -> f64 {
    vector.dot(vector).sqrt()
}

/// A vector made as long as this; zero stays zero.
pub fn scaled(vector: Array1<f64>, to: f64) -> Array1<f64> {
    let own = length(&vector);
    if own > 0.0 { vector * (to / own) } else { vector }
}
