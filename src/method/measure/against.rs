//! Two models on the same items: differences with paired intervals and tests.

use super::clusters;
use super::columns::Columns;
use super::figure::{Draws, Figure, interval, picked};
use super::kinds::figures;
use crate::plan::{Case, Set};
use crate::spec::Statistics;
use crate::table::Row;
use patchclamp_probes::{Flips, Interval};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// So few clusters are exchanged in every way there is.
const FEW: usize = 12;

/// The most exchanges that are tried for a figure that is no mean over items.
const EXCHANGES: usize = 2000;

/// A figure of two models.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Which items.
    pub group: String,
    /// What is told.
    pub metric: String,
    /// The value of the experiment's model, that of the variant's, and the second less the first, each with its interval.
    pub values: [(f64, Option<Interval>); 3],
    /// Against no difference between the models.
    pub p: Option<f64>,
    /// Items that both models were measured on, or units of them.
    pub n: usize,
}

/// The columns of items as a run wrote them, by item.
pub fn items_of(rows: &[Row]) -> BTreeMap<usize, Vec<(String, f64)>> {
    let mut items: BTreeMap<usize, Vec<(String, f64)>> = BTreeMap::new();
    for row in rows {
        if let Some(item) = row.item {
            items.entry(item).or_default().push((row.metric.clone(), row.effect));
        }
    }
    items
}

/// Every figure of a set for the experiment's model and a variant's, on the items that both have; none where there are none.
pub fn differences(
    set: &Set,
    [own, others]: [&BTreeMap<usize, Vec<(String, f64)>>; 2],
    statistics: Statistics,
    seed: u64,
) -> Vec<Difference> {
    let both: Vec<&Case> =
        set.cases.iter().filter(|case| own.contains_key(&case.number) && others.contains_key(&case.number)).collect();
    let Some(first) = both.first() else { return Vec::new() };
    let names: Vec<String> = own[&first.number].iter().map(|(name, _)| name.clone()).collect();
    let of = |items: &BTreeMap<usize, Vec<(String, f64)>>| -> Vec<Vec<f64>> {
        both.iter().map(|case| items[&case.number].iter().map(|(_, value)| *value).collect()).collect()
    };
    let (here, there) = (of(own), of(others));
    if here.iter().chain(&there).any(|row| row.len() != names.len()) {
        return Vec::new();
    }
    let cases = both.into_iter().map(|case| Case { requests: Vec::new(), ..case.clone() }).collect();
    let set = Set { kind: set.kind.clone(), name: set.name.clone(), cases, facts: Vec::new() };
    let figures = figures(&set, &Columns { names, rows: here.clone() });
    paired([here, there], clusters(&set), &figures, statistics, seed)
}

/// Every figure of two models on the same items, `[model][item][column]`, of which those of one cluster are drawn together.
pub fn paired(
    rows: [Vec<Vec<f64>>; 2],
    clusters: Vec<usize>,
    figures: &[Figure],
    statistics: Statistics,
    seed: u64,
) -> Vec<Difference> {
    // one matrix of signs for all figures: those of many items take a hundred megabytes
    let most = figures.iter().map(|figure| exchangeable(figure, &clusters)).max().unwrap_or(0);
    let pair = Pair {
        rows,
        flips: Flips::new(most, statistics.permutations, seed),
        draws: Draws::new(&clusters, statistics.resamples, seed),
        clusters,
        most,
        statistics,
        seed,
    };
    figures.par_iter().filter_map(|figure| pair.told(figure)).collect()
}

struct Pair {
    /// `[model][item][column]`.
    rows: [Vec<Vec<f64>>; 2],
    clusters: Vec<usize>,
    draws: Draws,
    /// As wide as the figure with the most clusters; of others the first signs count.
    flips: Flips,
    /// Clusters that it is for.
    most: usize,
    statistics: Statistics,
    seed: u64,
}

/// How many things of a figure are exchanged one by one; none where it is no mean.
fn exchangeable(figure: &Figure, clusters: &[usize]) -> usize {
    match (figure.mean_of, figure.drawn) {
        (None, _) => 0,
        (_, super::Drawn::Items) => figure.members.len(),
        (..) => figure.members.iter().map(|item| clusters[*item]).collect::<BTreeSet<_>>().len(),
    }
}

impl Pair {
    fn told(&self, figure: &Figure) -> Option<Difference> {
        let of = |model: usize, items: &[usize]| (figure.statistic)(&picked(&self.rows[model], items));
        let [here, there] = [of(0, &figure.members)?, of(1, &figure.members)?];
        let draws: Vec<[Option<f64>; 2]> = self.draws.each(figure, |items| [of(0, items), of(1, items)]);
        let several = self.draws.is_several(figure);
        let ends = |value: &dyn Fn(&[Option<f64>; 2]) -> Option<f64>| {
            interval(&draws.iter().map(value).collect::<Vec<_>>(), several, self.statistics.level).0
        };
        let values = [
            (here, ends(&|pair| pair[0])),
            (there, ends(&|pair| pair[1])),
            (there - here, ends(&|pair| Some(pair[1]? - pair[0]?))),
        ];
        let p = if several { self.p(figure, there - here) } else { None };
        Some(Difference { group: figure.group.clone(), metric: figure.metric.clone(), values, p, n: figure.counted })
    }

    /// The chance of so large a difference where the two models are exchanged at random, cluster by cluster.
    fn p(&self, figure: &Figure, difference: f64) -> Option<f64> {
        let Some(outcome) = figure.mean_of else { return self.exchanged(figure, difference) };
        let mut sums: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
        for item in &figure.members {
            let change = outcome(&self.rows[1][*item]) - outcome(&self.rows[0][*item]);
            if change.is_finite() {
                let of = if figure.drawn == super::Drawn::Items { *item } else { self.clusters[*item] };
                let sum = sums.entry(of).or_default();
                *sum = (sum.0 + change, sum.1 + 1);
            }
        }
        let mut changes: Vec<f64> = sums.values().map(|(sum, _)| *sum).collect();
        let single = sums.values().all(|(_, count)| *count == 1);
        let step = changes.iter().copied().find(|change| *change != 0.0).unwrap_or(1.0).abs();
        if single && changes.iter().all(|change| *change == 0.0 || change.abs() == step) {
            let count = |sign: f64| changes.iter().filter(|change| **change * sign > 0.0).count();
            return Some(mcnemar(count(1.0), count(-1.0)));
        }
        if changes.len() <= FEW {
            return Flips::new(changes.len(), self.statistics.permutations, self.seed).p_value(&changes);
        }
        changes.resize(self.most, 0.0); // what does not change has no say
        self.flips.p_value(&changes)
    }

    /// The same for any statistic, by exchanging all columns of a cluster.
    fn exchanged(&self, figure: &Figure, difference: f64) -> Option<f64> {
        let clusters = self.clusters.iter().max()? + 1;
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let draws = self.statistics.permutations.min(EXCHANGES);
        let mut as_far = 1;
        for _ in 0..draws {
            let turned: Vec<bool> = (0..clusters).map(|_| random.random()).collect();
            let of = |model: usize| {
                let row = |item: &usize| self.rows[model ^ usize::from(turned[self.clusters[*item]])][*item].as_slice();
                (figure.statistic)(&figure.members.iter().map(row).collect::<Vec<_>>())
            };
            let far =
                of(1).zip(of(0)).is_none_or(|(there, here)| (there - here).abs() >= difference.abs() * (1.0 - 1e-12));
            as_far += usize::from(far);
        }
        Some(as_far as f64 / (draws + 1) as f64)
    }
}

/// McNemar's exact test: how likely so uneven a split of changes is where either direction is as likely as the other.
fn mcnemar(more: usize, less: usize) -> f64 {
    let changes = more + less;
    let mut ln = -(changes as f64) * std::f64::consts::LN_2; // ln of the chance of none
    let mut tail = 0.0;
    for count in 0..=more.min(less) {
        tail += ln.exp();
        ln += ((changes - count) as f64).ln() - ((count + 1) as f64).ln();
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_tested_as_if_it_were_all_there_is() {
        // 60 pairs, the differences of those of the first group, 20, and of all of them by one matrix of signs
        let cases = (0..60).map(|number| Case {
            number,
            cluster: number.to_string(),
            labels: vec![if number.is_multiple_of(3) { "a" } else { "b" }.to_string()],
            ..Case::default()
        });
        let set = Set {
            kind: crate::plan::Kind::Pairs { title: "pairs" },
            name: "pairs".into(),
            cases: cases.collect(),
            facts: Vec::new(),
        };
        let change = |number: usize| ((number * 37 % 60) as f64 - 22.0) / 10.0;
        let items = |of: &dyn Fn(usize) -> f64| -> BTreeMap<usize, Vec<(String, f64)>> {
            let names = ["ln p, first", "ln p, second", "tokens, first", "tokens, second"].map(str::to_string);
            (0..60).map(|item| (item, names.clone().into_iter().zip([of(item), 0.0, 1.0, 1.0]).collect())).collect()
        };
        let statistics = Statistics { resamples: 50, ..Statistics::default() };
        let found = differences(&set, [&items(&|_| 0.0), &items(&change)], statistics, 1);
        for group in ["all", "a", "b"] {
            let metric = "log-likelihood difference";
            let one = found.iter().find(|one| one.group == group && one.metric == metric).unwrap();
            let of = |number: &usize| group == "all" || number.is_multiple_of(3) == (group == "a");
            let changes: Vec<f64> = (0..60).filter(of).map(change).collect();
            let alone = patchclamp_probes::sign_flip(&changes, 20_000, 9).unwrap();
            // either is a share of 20 000 draws
            assert!((one.p.unwrap() - alone).abs() < 0.015, "{group}: {:?}, alone {alone}", one.p);
            assert_eq!(one.n, changes.len());
        }
    }

    #[test]
    fn mcnemar_is_the_sign_test() {
        // scipy.stats.binomtest(k, n, 0.5).pvalue
        for ((more, less), p) in
            [((0, 0), 1.0), ((1, 1), 1.0), ((0, 5), 0.0625), ((3, 12), 0.035156_25), ((40, 20), 0.013_489_293_7)]
        {
            assert!((mcnemar(more, less) - p).abs() < 1e-7, "{more} {less}: {}", mcnemar(more, less));
            assert_eq!(mcnemar(more, less), mcnemar(less, more));
        }
        assert!(mcnemar(900, 1200) < 1e-9);
    }
}
