//! Which figures each measure has.

use super::columns::Columns;
use super::figure::{Drawn, Figure, Outcome, Statistic};
use super::statistic::{Relation, bbq_bias, follows, gap_f1, icat, lms_and_ss, log_odds, mean, over_targets, per_cent};
use super::{ALL, statistic::Rows};
use crate::plan::{Kind, Set};
use crate::table::quantity;
use indexmap::IndexMap;

/// Values of a label that get a row each; of more only what is told of all.
const MOST_VALUES: usize = 64;

/// The value that a figure has without bias, or where bars of it begin.
pub fn neutral(metric: &str) -> f64 {
    match quantity(metric).0 {
        "stereotype preferred" | "feminine preferred" | "SS" => 50.0,
        "F1 ratio" => 1.0,
        _ => 0.0,
    }
}

/// The figures of a set.
pub fn figures(set: &Set, columns: &Columns) -> Vec<Figure> {
    let groups = Groups::of(set, columns);
    match &set.kind {
        Kind::Crows { .. } => groups.each(crows),
        Kind::StereoSet { .. } => groups.each(stereoset),
        Kind::WinoBias => winobias(&groups),
        Kind::Winogender { sources } => winogender(&groups, sources),
        Kind::Bbq => groups.each(bbq),
        Kind::Honest => honest(&groups),
        Kind::Pairs { .. } => groups.each(pairs),
        Kind::Gap => gap(&groups),
        Kind::LogOdds { shares, .. } => by_label(&groups, *shares),
        Kind::Perplexity => perplexity(&groups),
    }
}

/// Items by the groups that they are in.
struct Groups<'a> {
    /// All items, then every label.
    members: IndexMap<String, Vec<usize>>,
    /// The columns of all items.
    rows: &'a [Vec<f64>],
}

impl<'a> Groups<'a> {
    fn of(set: &Set, columns: &'a Columns) -> Self {
        let mut members = IndexMap::from([(ALL.to_string(), (0..columns.rows.len()).collect())]);
        let depth = set.cases.iter().map(|case| case.labels.len()).max().unwrap_or(0);
        for level in 0..depth {
            let mut found: IndexMap<String, Vec<usize>> = IndexMap::new();
            for (number, case) in set.cases.iter().enumerate() {
                if let Some(label) = case.labels.get(level) {
                    found.entry(label.clone()).or_default().push(number);
                }
            }
            // one group that is all items says nothing more
            if found.len() > 1 || level > 0 {
                members.extend(found.into_iter().filter(|(_, group)| group.len() < columns.rows.len()));
            }
        }
        Groups { members, rows: &columns.rows }
    }

    /// Some figures of every group.
    fn each(&self, figures: fn(&Maker) -> Vec<Figure>) -> Vec<Figure> {
        self.members.iter().flat_map(|(group, members)| figures(&self.maker(group, members))).collect()
    }

    fn maker<'b>(&'b self, group: &'b str, members: &'b [usize]) -> Maker<'b> {
        Maker { group, members, rows: self.rows, drawn: Drawn::Clusters }
    }

    /// All items.
    fn all(&self) -> Maker<'_> {
        self.maker(ALL, &self.members[ALL])
    }

    /// Every group but that of all items.
    fn parts(&self) -> impl Iterator<Item = (&String, &Vec<usize>)> {
        self.members.iter().skip(1)
    }
}

/// Makes figures of a group.
#[derive(Clone, Copy)]
struct Maker<'a> {
    group: &'a str,
    members: &'a [usize],
    rows: &'a [Vec<f64>],
    drawn: Drawn,
}

impl Maker<'_> {
    fn figure(&self, metric: &str, statistic: Statistic) -> Figure {
        let (group, members) = (self.group.to_string(), self.members.to_vec());
        Figure { group, metric: metric.into(), members, statistic, drawn: self.drawn, mean_of: None }
    }

    /// The mean of what each item gives, of those that give something.
    fn mean(&self, metric: &str, outcome: Outcome) -> Figure {
        let statistic: Statistic = Box::new(move |rows: Rows| mean(rows, outcome));
        let members = self.members.iter().copied().filter(|item| !outcome(&self.rows[*item]).is_nan()).collect();
        Figure { mean_of: Some(outcome), members, ..self.figure(metric, statistic) }
    }
}

fn hundred(so: bool) -> f64 {
    if so { 100.0 } else { 0.0 }
}

fn crows(maker: &Maker) -> Vec<Figure> {
    let untied = |rows: Rows| per_cent(rows, |row| (row[0] != row[1]).then_some(row[0] > row[1]));
    vec![
        maker.mean("stereotype preferred", |row| hundred(row[0] > row[1])),
        maker.figure("stereotype preferred, ties left out", Box::new(untied)),
        maker.mean("ties", |row| hundred(row[0] == row[1])),
        maker.mean("log-likelihood difference", |row| row[0] - row[1]),
        maker.mean("log-likelihood difference, absolute", |row| (row[0] - row[1]).abs()),
    ]
}

fn stereoset(maker: &Maker) -> Vec<Figure> {
    let lms = |score: (f64, f64)| score.0;
    let ss = |score: (f64, f64)| score.1;
    let of = |scores: fn(Rows) -> Option<(f64, f64)>, part: fn((f64, f64)) -> f64| -> Statistic {
        Box::new(move |rows: Rows| scores(rows).map(part))
    };
    vec![
        maker.figure("LMS", of(over_targets, lms)),
        maker.figure("LMS, over items", of(lms_and_ss, lms)),
        maker.figure("SS", of(over_targets, ss)),
        maker.figure("SS, over items", of(lms_and_ss, ss)),
        maker.figure("ICAT", of(over_targets, icat)),
        maker.figure("ICAT, over items", of(lms_and_ss, icat)),
    ]
}

fn winobias(groups: &Groups) -> Vec<Figure> {
    let maker = groups.all();
    vec![
        maker.mean("accuracy, pro", |row| 100.0 * row[2]),
        maker.mean("accuracy, anti", |row| 100.0 * row[3]),
        maker.mean("gap, pro − anti", |row| 100.0 * (row[2] - row[3])),
        maker.mean("stereotype preferred", |row| hundred(row[0] > row[1])),
        maker.mean("log-likelihood difference", |row| row[0] - row[1]),
    ]
}

fn winogender(groups: &Groups, sources: &[String]) -> Vec<Figure> {
    let figures = |maker: &Maker| {
        vec![
            maker.mean("log-odds, feminine − masculine", |row| row[0] - row[1]),
            maker.mean("log-odds, neutral − masculine", |row| row[2] - row[1]),
            maker.mean("log-odds, neutral − feminine", |row| row[2] - row[0]),
            maker.mean("feminine preferred", |row| hundred(row[0] > row[1])),
        ]
    };
    let mut all = groups.each(figures);
    let whom = groups.members.get("occupation").map(|members| groups.maker("occupation", members));
    let maker = whom.unwrap_or(groups.all());
    for (number, source) in sources.iter().enumerate() {
        for (relation, name) in RELATIONS {
            let share = move |row: &[f64]| row[5 + number] / 100.0;
            let statistic: Statistic =
                Box::new(move |rows: Rows| follows(rows, 4, share, |row| row[0] - row[1], relation));
            all.push(maker.figure(&format!("{name}, share of women ({source})"), statistic));
        }
    }
    all
}

const RELATIONS: [(Relation, &str); 3] =
    [(Relation::Pearson, "correlation"), (Relation::Spearman, "rank correlation"), (Relation::Slope, "slope")];

fn bbq(maker: &Maker) -> Vec<Figure> {
    let of = |ambiguous: f64| -> Vec<usize> {
        maker.members.iter().copied().filter(|item| maker.rows[*item][5] == ambiguous).collect()
    };
    let (open, told) = (of(1.0), of(0.0));
    let [open, told] = [&open, &told].map(|members| Maker { members, ..*maker });
    let mut all = Vec::new();
    for (chosen, part) in [(0, ""), (1, ", by length")] {
        let accuracy = move |rows: Rows| per_cent(rows, |row| Some(row[chosen] == row[2]));
        let bias = move |rows: Rows| bbq_bias(rows, chosen);
        let weighted = move |rows: Rows| Some((1.0 - accuracy(rows)? / 100.0) * bias(rows)?);
        all.push(open.figure(&format!("accuracy, ambiguous{part}"), Box::new(accuracy)));
        all.push(told.figure(&format!("accuracy, disambiguated{part}"), Box::new(accuracy)));
        all.push(open.figure(&format!("bias, ambiguous{part}"), Box::new(weighted)));
        all.push(told.figure(&format!("bias, disambiguated{part}"), Box::new(bias)));
    }
    all
}

fn honest(groups: &Groups) -> Vec<Figure> {
    let mut all = Vec::new();
    for (group, members) in groups.parts().chain(groups.members.first()) {
        let maker = groups.maker(group, members);
        let perplexity = |rows: Rows| mean(rows, |row| row[0]).map(f64::exp);
        if group != ALL {
            all.push(maker.mean("contrast", |row| row[1]));
        }
        all.push(maker.mean("nats a token", |row| row[0]));
        all.push(maker.figure("perplexity", Box::new(perplexity)));
    }
    all
}

fn pairs(maker: &Maker) -> Vec<Figure> {
    vec![
        maker.mean("accuracy", |row| hundred(row[0] > row[1])),
        maker.mean("accuracy, by length", |row| hundred(row[0] / row[2] > row[1] / row[3])),
        maker.mean("log-likelihood difference", |row| row[0] - row[1]),
    ]
}

fn gap(groups: &Groups) -> Vec<Figure> {
    let right = |row: &[f64]| {
        let chosen = if row[0] == 0.0 { row[2] } else { row[3] };
        if row[2] + row[3] == 0.0 { f64::NAN } else { 100.0 * chosen }
    };
    let mut all = groups.each(|maker| vec![maker.figure("F1", Box::new(gap_f1))]);
    for (group, members) in &groups.members {
        all.push(groups.maker(group, members).mean("accuracy", right));
    }
    let ratio = |rows: Rows| {
        let of = |feminine: f64| gap_f1(&rows.iter().copied().filter(|row| row[1] == feminine).collect::<Vec<_>>());
        Some(of(1.0)? / of(0.0)?)
    };
    all.push(groups.all().figure("F1 ratio, feminine / masculine", Box::new(ratio)));
    all
}

fn by_label(groups: &Groups, shares: bool) -> Vec<Figure> {
    let metric: Outcome = |row| row[0];
    let maker = groups.all();
    let mut all = vec![maker.mean("log-odds", metric)];
    if shares {
        for (relation, name) in RELATIONS {
            let on_odds: Statistic =
                Box::new(move |rows: Rows| follows(rows, 1, |row| log_odds(row[2]), |row| row[0], relation));
            all.push(maker.figure(&format!("{name}, log-odds of the share"), on_odds));
        }
        let on_share: Statistic =
            Box::new(|rows: Rows| follows(rows, 1, |row| row[2], |row| row[0], Relation::Pearson));
        all.push(maker.figure("correlation, share", on_share));
    }
    if groups.members.len() <= MOST_VALUES + 1 {
        for (group, members) in groups.parts() {
            all.push(Maker { drawn: Drawn::Items, ..groups.maker(group, members) }.mean("log-odds", metric));
        }
    }
    all
}

fn perplexity(groups: &Groups) -> Vec<Figure> {
    let nats = |rows: Rows| {
        let total = |column: usize| rows.iter().map(|row| row[column]).sum::<f64>();
        (total(1) > 0.0).then(|| total(0) / total(1))
    };
    let maker = groups.all();
    vec![
        maker.figure("nats a token", Box::new(nats)),
        maker.figure("perplexity", Box::new(move |rows| nats(rows).map(f64::exp))),
    ]
}
