//! What a search is told by: its circuit with the Δ of every edge, and what circuits cost at every threshold.

use super::Decided;
use crate::circuit::{Circuit, Items, verdict};
use crate::method::circuit::{Found, Scale};
use crate::method::summary::mean;
use crate::method::{Bench, Finding, Summary, blank, table};
use crate::node::Edge;
use crate::plan::Acdc;
use crate::spec::Judge;
use crate::table::{Row, Table};
use ndarray::Array2;
use std::collections::BTreeSet;

/// A search at one threshold.
pub struct Search<'a> {
    pub bench: &'a Bench<'a>,
    pub plan: &'a Acdc,
    pub threshold: f64,
    /// On all items.
    pub whole: Decided,
    /// On each half of them.
    pub halves: Vec<Decided>,
}

/// What a threshold comes to.
pub struct Point {
    threshold: f64,
    edges: usize,
    judged: Vec<f64>,
    faithfulness: Option<Row>,
}

impl Search<'_> {
    /// The circuit, to be run and told.
    pub fn found(&self) -> Found {
        let (circuit, inclusion) = self.redrawn();
        let name = match self.plan.thresholds.len() {
            1 => "acdc".to_string(),
            _ => format!("acdc.{}", self.threshold),
        };
        let judged = judged(self.plan.judge);
        Found {
            name,
            search: format!("ACDC, τ = {}, {judged}", self.threshold),
            stability: self.stability(circuit.size()),
            facts: self.facts(),
            circuit,
            inclusion,
            scale: self.scale(),
            curve: None,
            random: self.plan.random,
            shuffled: None,
        }
    }

    /// What the search comes to, with the faithfulness that was `told` of it.
    pub fn point(&self, told: &Finding) -> Point {
        let rows = told.tables.iter().flat_map(|table| &table.rows);
        let mut rows = rows.filter(|row| row.metric == "faithfulness" && row.site.as_deref() == Some("circuit"));
        let judged = self.whole.values.iter().map(|value| f64::from(*value)).collect();
        Point { threshold: self.threshold, edges: self.whole.kept().len(), judged, faithfulness: rows.next().cloned() }
    }

    /// Every edge with its Δ and the interval of it, and how often it would stay, where items are drawn again.
    fn redrawn(&self) -> (Circuit, Vec<f64>) {
        let (blocks, kept) = (self.plan.blocks.clone(), self.whole.kept());
        let edges = blocks.edges();
        let mut values = Array2::zeros((self.bench.items.len(), edges.len()));
        for (place, edge) in edges.iter().enumerate() {
            // nobody hears what was not run: it changes nothing
            for (item, change) in self.whole.edges[edge].change.iter().enumerate() {
                values[[item, place]] = score_of(self.plan.judge, f64::from(*change));
            }
        }
        let means = values.mean_axis(ndarray::Axis(0)).expect("a plan has items");
        let all = Circuit::new(blocks, edges.iter().copied().zip(means)).expect("the model's own edges, finite scores");
        let all = all.with(&edges.iter().map(|edge| kept.contains(edge)).collect::<Vec<bool>>());
        let groups = Summary::new(self.bench).groups();
        let items = Items { scores: values.view(), groups: Some(&groups) };
        let draws = (self.bench.statistics.resamples, self.bench.seed);
        let (threshold, judge) = (self.threshold, self.plan.judge);
        let keeps = move |score: f64| score_of(judge, score) >= threshold;
        let sure =
            |circuit: &Circuit| circuit.members().into_iter().map(|member| f64::from(u8::from(member))).collect();
        all.redrawn(&items, draws, keeps).unwrap_or_else(|_| (all.clone(), sure(&all)))
    }

    fn scale(&self) -> Scale {
        let sign = match self.plan.judge {
            Judge::Divergence => "a score is what the divergence from the whole model grows by without the edge",
            Judge::Metric => "a score is what the metric changes by without the edge: negative supports the answer",
        };
        let metric = match self.plan.judge {
            Judge::Divergence => "divergence".to_string(),
            Judge::Metric => self.bench.metric.to_string(),
        };
        Scale {
            metric,
            sign: format!("{sign}, when all that was decided before it is in place; 0 where nothing hears the edge"),
            inclusion: "share of bootstrap draws of the items in which the edge would have stayed, given the decisions before it".into(),
        }
    }

    fn facts(&self) -> Vec<(String, String)> {
        let tried = self.whole.edges.values().filter(|decision| !decision.change.is_empty()).count();
        let own: Vec<f64> = self.whole.values.iter().map(|value| f64::from(*value)).collect();
        let facts = [
            ("judge", format!("{}, mean over items", judged(self.plan.judge))),
            ("threshold", self.threshold.to_string()),
            ("judged at", format!("{:.6}", mean(&own))),
            ("selection", "edges whose removal costs the threshold or more, from the logits down; not pruned".into()),
            ("edges tried", format!("{tried}; the others led to nodes that nothing heard any longer")),
        ];
        facts.map(|(name, value)| (name.to_string(), value)).to_vec()
    }

    fn stability(&self, edges: usize) -> String {
        let agreement = match &self.halves[..] {
            [one, other] => Some(jaccard(&one.kept(), &other.kept())),
            _ => None,
        };
        let sizes: Vec<String> = self.halves.iter().map(|half| half.kept().len().to_string()).collect();
        let figures = format!(
            "{:.2} between searches on two halves of the items, which found {} edges",
            agreement.unwrap_or(0.0),
            sizes.join(" and ")
        );
        verdict(edges, agreement, &figures)
    }
}

/// What circuits at all thresholds cost and do; nothing where there is one threshold.
pub fn thresholds(bench: &Bench, plan: &Acdc, points: Vec<Point>) -> Option<Table> {
    if points.len() < 2 {
        return None;
    }
    let mut main = table("acdc.thresholds", &format!("ACDC over thresholds ({})", judged(plan.judge)), bench);
    let facts = [
        ("threshold", "what the removal of an edge may cost at the most".to_string()),
        ("divergence", format!("of the circuit: {}", judged(plan.judge))),
        ("ablation", format!("{:?}", plan.stand)),
        ("items", bench.items.len().to_string()),
    ];
    main.facts.extend(facts.map(|(name, value)| (name.to_string(), value)));
    let summary = Summary::new(bench);
    for point in points {
        let site = Some(format!("threshold {}", point.threshold));
        let place = Row { site, ..blank("acdc.thresholds", bench.metric) };
        let edges = Row { metric: "edges".into(), effect: point.edges as f64, n: bench.items.len(), ..place.clone() };
        let name = if plan.judge == Judge::Metric { "loss" } else { "divergence" };
        main.rows.push(edges);
        main.rows.push(summary.untested(Row { metric: name.into(), ..place.clone() }, &point.judged, None));
        let faithful = |row: Row| Row { site: place.site.clone(), method: place.method.clone(), ..row };
        main.rows.extend(point.faithfulness.map(faithful));
    }
    Some(main)
}

/// From Δ to the score of an edge, and back: what judging, or the metric, changes by.
fn score_of(judge: Judge, change: f64) -> f64 {
    if judge == Judge::Metric { -change } else { change }
}

fn judged(judge: Judge) -> &'static str {
    match judge {
        Judge::Divergence => "KL divergence",
        Judge::Metric => "metric times −1",
    }
}

/// Edges in both over edges in either; two circuits without edges are the same.
fn jaccard(one: &BTreeSet<Edge>, other: &BTreeSet<Edge>) -> f64 {
    let either = one.union(other).count();
    if either == 0 { 1.0 } else { one.intersection(other).count() as f64 / either as f64 }
}
