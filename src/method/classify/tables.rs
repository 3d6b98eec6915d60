//! What heads say of groups, as tables: over all classes, class by class, and by cells of frequency and imbalance.

use super::judge::{Figure, Judge};
use super::{CLASS, Told};
use crate::method::{Bench, Finding, blank, table};
use crate::plan::Classifying;
use crate::site::Site;
use crate::spec::{Pooled, Train};
use crate::table::{Row, Table};
use patchclamp_probes::fairness::relative_distance;

/// Names of the ranges of a class's frequency, and of the first group's share of it.
const RANGES: [[&str; 3]; 2] = [["rare", "ordinary", "frequent"], ["few", "even", "most"]];

/// Three tables, and what every text was told to be.
pub(super) fn finding(bench: &Bench, plan: &Classifying, all: &[Told]) -> Finding {
    let mut main = titled(bench, plan, "classify", "Classification and its gaps between groups");
    let mut gaps = titled(bench, plan, "classify.gaps", "Gaps class by class");
    let mut cells = titled(bench, plan, "classify.cells", "Gaps by frequency and imbalance of classes");
    let mut singles = Table { rows: Vec::new(), ..main.clone() };
    let heads: Vec<Option<Judge>> = all.iter().map(|told| head(bench, plan, told)).collect();
    for ((site, told), head) in plan.sites.iter().zip(all).zip(&heads) {
        let Some(head) = head else {
            main.facts.insert(format!("left out, {site}"), told.fault.clone().unwrap_or_default());
            continue;
        };
        main.rows.extend(head.overall().into_iter().map(|figure| row(bench, *site, figure)));
        for (class, gap, share, [first, second]) in head.classes() {
            let name = plan.classes[class].clone();
            let own = |row: Row| Row { method: name.clone(), ..row };
            gaps.rows.extend(gap.map(|gap| own(row(bench, *site, gap))));
            let share =
                Figure { name: "share of the first group".into(), value: share, interval: None, count: first + second };
            gaps.rows.push(own(row(bench, *site, share)));
        }
        for (cell, figures) in head.cells() {
            let name = format!("{} class, {} of the first group", RANGES[0][cell.frequency], RANGES[1][cell.imbalance]);
            let rows = figures.into_iter().map(|figure| Row { method: name.clone(), ..row(bench, *site, figure) });
            cells.rows.extend(rows);
        }
        singles.rows.extend(right(bench, plan, *site, told));
    }
    add_relative(bench, plan, &heads, &mut main);
    main.facts.extend(learned(plan, all));
    Finding { tables: vec![main, gaps, cells], items: vec![singles], ..Finding::default() }
}

fn head<'a>(bench: &'a Bench, plan: &'a Classifying, told: &Told) -> Option<Judge<'a>> {
    if told.fault.is_some() { None } else { Judge::new(bench, plan, told) }
}

fn row(bench: &Bench, site: Site, Figure { name, value, interval, count }: Figure) -> Row {
    let (low, high) = (interval.map(|interval| interval.low), interval.map(|interval| interval.high));
    let place = Row { site: Some(site.kind().into()), layer: site.layer(), ..blank("classify", bench.metric) };
    Row { metric: name, effect: value, low, high, n: count, ..place }
}

/// The distance of each head to the best of all.
fn add_relative(bench: &Bench, plan: &Classifying, heads: &[Option<Judge>], main: &mut Table) {
    let known = || plan.sites.iter().zip(heads).filter_map(|(site, head)| Some((*site, head.as_ref()?.standing()?)));
    let standings: Vec<_> = known().map(|(_, standing)| standing).collect();
    for ((site, _), distance) in known().zip(relative_distance(&standings)) {
        if let Some(value) = distance {
            let name = "DTO, to the best of the streams".to_string();
            main.rows.push(row(bench, site, Figure { name, value, interval: None, count: plan.parts.test.len() }));
        }
    }
}

/// How training went.
fn learned(plan: &Classifying, all: &[Told]) -> Option<(String, String)> {
    let joined = |of: &dyn Fn(&Told) -> String, between| all.iter().map(of).collect::<Vec<_>>().join(between);
    match &plan.train {
        Train::Head => Some(("penalties".into(), joined(&|told| told.penalty.to_string(), ", "))),
        Train::Whole(_) => {
            let rounds =
                |told: &Told| told.losses.iter().map(|loss| format!("{loss:.3}")).collect::<Vec<_>>().join(", ");
            Some(("loss of each epoch".into(), joined(&rounds, "; ")))
        }
    }
}

/// 1 where the class of a text was told, else 0, and the number of the class that was.
fn right(bench: &Bench, plan: &Classifying, site: Site, told: &Told) -> Vec<Row> {
    let each = plan.parts.test.iter().zip(&told.classes);
    let one = |(item, class): (&usize, &usize)| {
        let right = f64::from(u8::from(plan.labels.of()[*item] == *class));
        let values = [("accuracy", right), (CLASS, *class as f64)];
        let item = Some(*item);
        values.map(|(name, value)| Row {
            item,
            ..row(bench, site, Figure { name: name.into(), value, interval: None, count: 1 })
        })
    };
    each.flat_map(one).collect()
}

/// What p and intervals leave out where the whole model is trained.
const TRAINING: &str = "p and intervals are of these trained models: training again with another `draw` changes figures too, by how much neither says; hold several draws against each other before a difference is laid to models";

/// What is drawn for intervals, in words.
fn drawn(plan: &Classifying) -> String {
    let (test, clusters) = (plan.parts.test.len(), plan.clusters().len());
    match clusters == test {
        true => format!("the {test} texts held out"),
        false => format!("{clusters} clusters of the {test} texts held out, of what is kept apart"),
    }
}

/// What is exchanged between groups, in words.
fn exchanged(plan: &Classifying) -> &'static str {
    match plan.exchangeable().iter().flatten().any(|unit| unit.len() > 1) {
        true => {
            "groups exchanged among clusters of texts of the same classes where they are tested; mean and middle of the draws"
        }
        false => "groups exchanged among texts of a class where they are tested; mean and middle of the draws",
    }
}

fn titled(bench: &Bench, plan: &Classifying, name: &str, title: &str) -> Table {
    let mut main = table(name, title, bench);
    main.facts.shift_remove("metric sign"); // nothing here is the experiment's metric
    main.positions = Vec::new();
    let (fit, test) = (plan.parts.fit.len(), plan.parts.test.len());
    let pooled = if plan.pooled == Pooled::Last { "the last state of a text" } else { "the mean of a text's states" };
    let [first, second] = [&plan.groups[0], &plan.groups[1]];
    let head = match &plan.train {
        Train::Head => format!("multinomial logistic regression of {pooled}"),
        Train::Whole(how) => format!(
            "linear, of {pooled}, trained with the whole model: {} epochs, {} texts a step, rate {}, weight decay {}, draw {}",
            how.epochs, how.rows, how.rate, how.weight_decay, how.draw
        ),
    };
    let frozen = if plan.train == Train::Head { "the head stays as it is" } else { "the model is not trained again" };
    let facts = [
        ("head", head),
        ("classes", plan.classes.join(", ")),
        ("groups", format!("{first}, {second}")),
        ("gap", format!("true positive rate of {first} less that of {second}; the first group is {first}")),
        ("items", format!("{test} held out, {fit} learned from; apart: {}", plan.parts.apart)),
        ("intervals", format!("bootstrap over {}; {frozen}", drawn(plan))),
        ("shuffled groups", exchanged(plan).into()),
    ];
    let noise = (plan.train != Train::Head).then(|| ("training", TRAINING.to_string()));
    main.facts.extend(facts.into_iter().chain(noise).map(|(name, words)| (name.to_string(), words)));
    main
}
