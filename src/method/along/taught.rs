//! What prompts teach of their classes: maps that take the classes out of states, and the way from one class to another.

use crate::plan::Samples;
use crate::spec::Erasure;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use patchclamp_probes::DataError;
use patchclamp_probes::decode::{Family, Labels, Logistic, Task};
use patchclamp_probes::erase::{Covariance, Eraser, Leace, Moments, Oracle, inlp, mean_projection};

/// The penalty of the classifiers of INLP.
const PENALTY: f64 = 1.0;

/// What a place's states teach about the classes, once for each split and once from all samples.
pub struct Fitted {
    /// `[split]`, and behind them of all.
    parts: Vec<Taught>,
    /// The split in which each sample is held out.
    split: Vec<usize>,
}

/// What some samples teach.
pub struct Taught {
    /// Takes the classes out.
    pub eraser: Eraser,
    /// Takes out what is known of a prompt whose class is known.
    oracle: Option<Oracle>,
    /// The mean of the second class less that of the first.
    pub difference: Array1<f64>,
}

impl Fitted {
    /// What states `[sample, value]` teach.
    pub fn new(samples: &Samples, states: ArrayView2<f32>, erasure: Erasure) -> Self {
        let every: Vec<usize> = (0..samples.labels.count()).collect();
        let sets = samples.splits.iter().map(|split| &split.train).chain([&every]);
        let mut split = vec![0; samples.labels.count()];
        for (number, own) in samples.splits.iter().enumerate() {
            own.test.iter().for_each(|sample| split[*sample] = number);
        }
        Fitted { parts: sets.map(|items| Taught::by(&samples.labels, states, items, erasure)).collect(), split }
    }

    /// What was taught by the other side of the split that holds a sample out; what all taught where there is no sample.
    pub fn of(&self, sample: Option<usize>) -> &Taught {
        &self.parts[sample.map_or(self.parts.len() - 1, |sample| self.split[sample])]
    }

    /// What all samples taught.
    pub fn by_all(&self) -> &Taught {
        self.of(None)
    }

    /// What the items learnt from in a split taught.
    pub fn of_split(&self, split: usize) -> &Taught {
        &self.parts[split]
    }
}

impl Taught {
    /// By some of the samples. States that are no numbers teach nothing.
    fn by(labels: &Labels, states: ArrayView2<f32>, items: &[usize], erasure: Erasure) -> Self {
        let width = states.ncols();
        let states = states.select(Axis(0), items).mapv(f64::from);
        let classes: Vec<usize> = items.iter().map(|item| labels.of()[*item]).collect();
        let moments = Moments::of_classes(states.view(), &classes, labels.classes());
        let oracle = moments.as_ref().ok().filter(|_| erasure == Erasure::Oracle).and_then(|of| Oracle::fit(of).ok());
        let eraser = moments.and_then(|moments| eraser(&moments, states.view(), &classes, erasure));
        let nothing = || Eraser::orthogonal(Array2::zeros((0, width)), Array1::zeros(width));
        let mean = |class: usize| {
            let own: Vec<usize> = (0..classes.len()).filter(|item| classes[*item] == class).collect();
            states.select(Axis(0), &own).mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(width))
        };
        Taught { eraser: eraser.unwrap_or_else(|_| nothing()), oracle, difference: mean(1) - mean(0) }
    }

    /// A state without what was taught; the oracle needs its class.
    pub fn erased(&self, state: ArrayView1<f64>, class: Option<usize>) -> Array1<f64> {
        let oracle = self.oracle.as_ref().zip(class);
        let known = oracle.and_then(|(oracle, class)| oracle.apply_classes(state.insert_axis(Axis(0)), &[class]).ok());
        known.map_or_else(|| row(&self.eraser, state), |known| known.index_axis_move(Axis(0), 0))
    }
}

/// What takes classes out of states with these moments.
pub fn eraser(
    moments: &Moments,
    states: ArrayView2<f64>,
    classes: &[usize],
    erasure: Erasure,
) -> Result<Eraser, DataError> {
    match erasure {
        // shrunk: the prompts are others, and mostly fewer than values
        Erasure::Leace | Erasure::Oracle => Leace { covariance: Covariance::Shrunk, ..Leace::default() }.fit(moments),
        Erasure::Mean => mean_projection(moments),
        Erasure::Inlp { rounds } => {
            // INLP goes through the origin, and states have a mean that says nothing of the classes
            let centre = moments.mean().to_owned();
            let found = inlp((&states - &centre).view(), classes, rounds, weights)?.eraser;
            Ok(Eraser::orthogonal(found.reads().to_owned(), centre))
        }
    }
}

/// The weights of a logistic classifier, `[class or 1, value]`.
fn weights(states: ArrayView2<f64>, classes: &[usize]) -> Result<Array2<f64>, DataError> {
    let count = classes.iter().max().map_or(0, |largest| largest + 1);
    let every: Vec<usize> = (0..classes.len()).collect();
    let nothing = || Array2::zeros((1, states.ncols()));
    let Ok(labels) = Labels::new(classes.to_vec(), count) else { return Ok(nothing()) };
    let probe = Logistic::default().fit(&states, Task { labels: &labels, items: &every }, PENALTY);
    Ok(probe.map_or_else(|_| nothing(), |probe| probe.weights().to_owned()))
}

/// One state after an erasure.
pub fn row(eraser: &Eraser, state: ArrayView1<f64>) -> Array1<f64> {
    eraser.apply(state.insert_axis(Axis(0))).index_axis_move(Axis(0), 0)
}
