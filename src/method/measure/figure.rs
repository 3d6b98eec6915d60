//! A figure is a statistic of the columns of some items; its interval comes of drawing clusters of all items.

use super::statistic::Rows;
use crate::spec::Statistics;
use patchclamp_probes::{Interval, bootstrap, bootstrap_clustered};
use rayon::prelude::*;

/// A number of the columns of some items; none where they say nothing, as where there are none.
pub type Statistic = Box<dyn Fn(Rows) -> Option<f64> + Send + Sync>;

/// What is drawn for the interval of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// Clusters of all items.
    Clusters,
    /// Items of the figure's own group, which lie within one cluster.
    Items,
    /// Items of each of four sets, which stand behind one another in the figure's members and are so large.
    Sets([usize; 4]),
}

/// What is told of some items.
pub struct Figure {
    /// Which items.
    pub group: String,
    /// What is told.
    pub metric: String,
    /// Their numbers.
    pub members: Vec<usize>,
    /// How many things it is computed of: items, or the units that a correlation relates.
    pub counted: usize,
    /// How it is computed.
    pub statistic: Statistic,
    /// How its interval is.
    pub drawn: Drawn,
    /// Whether it is a mean over items, in which case a paired test can flip them one by one.
    pub mean_of: Option<Outcome>,
    /// The chance of so large a value where there is nothing, where its authors define a test.
    pub test: Option<Statistic>,
}

/// What an item adds to a mean.
pub type Outcome = fn(&[f64]) -> f64;

/// A figure's value.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// None where the items say nothing.
    pub value: Option<f64>,
    /// None where there are too few clusters, or where hardly a draw says anything.
    pub interval: Option<Interval>,
    /// Draws without a value, as a group was not in them.
    pub lost: usize,
    /// The chance of so large a value where there is nothing.
    pub p: Option<f64>,
}

/// The value of every figure with its interval.
pub fn estimates(
    rows: &[Vec<f64>],
    clusters: &[usize],
    figures: &[Figure],
    statistics: Statistics,
    seed: u64,
) -> Vec<Estimate> {
    let draws = Draws::new(clusters, statistics.resamples, seed);
    let one = |figure: &Figure| {
        let of = |items: &[usize]| (figure.statistic)(&picked(rows, items));
        let values: Vec<Option<f64>> = draws.each(figure, of);
        let (interval, lost) = interval(&values, draws.is_several(figure), statistics.level);
        let p = figure.test.as_ref().and_then(|test| test(&picked(rows, &figure.members)));
        Estimate { value: of(&figure.members), interval, lost, p }
    };
    figures.par_iter().map(one).collect()
}

/// The central part of the draws that have a value, and how many have none.
pub(super) fn interval(draws: &[Option<f64>], several: bool, level: f64) -> (Option<Interval>, usize) {
    let known: Vec<f64> = draws.iter().flatten().copied().filter(|value| value.is_finite()).collect();
    let lost = draws.len() - known.len();
    let interval = if several { Interval::percentile(&known, level) } else { None };
    (interval, lost)
}

/// The columns of some items.
pub(super) fn picked<'a>(rows: &'a [Vec<f64>], items: &[usize]) -> Vec<&'a [f64]> {
    items.iter().map(|item| rows[*item].as_slice()).collect()
}

/// Sets of items, the same for every figure and for every model.
pub(super) struct Draws {
    clusters: Vec<usize>,
    sets: Vec<Vec<usize>>,
    count: usize,
    seed: u64,
}

impl Draws {
    pub(super) fn new(clusters: &[usize], count: usize, seed: u64) -> Self {
        let mut sets = Vec::with_capacity(count);
        bootstrap_clustered(clusters, count, seed, |drawn| {
            sets.push(drawn.to_vec());
            0.0
        });
        Draws { clusters: clusters.to_vec(), sets, count, seed }
    }

    /// What a figure's items give in every draw; one draw of them is held at a time.
    pub(super) fn each<T>(&self, figure: &Figure, mut value: impl FnMut(&[usize]) -> T) -> Vec<T> {
        let (mut values, mut items) = (Vec::with_capacity(self.count), Vec::new());
        let members = &figure.members;
        if let Drawn::Sets(sizes) = figure.drawn {
            return self.of_sets(members, sizes).iter().map(|items| value(items)).collect();
        }
        if figure.drawn == Drawn::Items {
            bootstrap(members.len(), self.count, self.seed, |drawn| {
                items.clear();
                items.extend(drawn.iter().map(|at| members[*at]));
                values.push(value(&items));
                0.0
            });
            return values;
        }
        let mut among = vec![false; self.clusters.len()];
        members.iter().for_each(|item| among[*item] = true);
        for set in &self.sets {
            items.clear();
            items.extend(set.iter().copied().filter(|item| among[*item]));
            values.push(value(&items));
        }
        values
    }

    /// Items drawn within each of some sets, which stand behind one another.
    fn of_sets(&self, members: &[usize], sizes: [usize; 4]) -> Vec<Vec<usize>> {
        let (mut draws, mut first) = (vec![Vec::with_capacity(members.len()); self.count], 0);
        for (seed, size) in (self.seed..).zip(sizes) {
            let mut next = draws.iter_mut();
            bootstrap(size, self.count, seed, |drawn| {
                let set = next.next().expect("as many are drawn");
                set.extend(drawn.iter().map(|at| members[first + at]));
                0.0
            });
            first += size;
        }
        draws
    }

    /// Whether there is more than one thing to draw.
    pub(super) fn is_several(&self, figure: &Figure) -> bool {
        let first = figure.members.first().map(|item| self.clusters[*item]);
        let other = figure.members.iter().any(|item| Some(self.clusters[*item]) != first);
        other || figure.drawn == Drawn::Items && figure.members.len() > 1
    }
}
