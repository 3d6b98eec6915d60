//! What a circuit is told by: a table of its edges, and one of what it does.

use super::Found;
use super::found::{ENDS, Null, rules};
use crate::circuit::{
    ALWAYS_RUN, Areas, By, Circuit, Ends, Heard, Places, Portraits, SHARES, Step, TOKENS, share_name,
};
use crate::method::recovery::SEARCH;
use crate::method::summary::{CAUTION, mean};
use crate::method::{Bench, Finding, Summary, blank, table};
use crate::spec::Stand;
use crate::table::{Row, Table, visible};
use patchclamp_probes::Interval;

/// The fact of edges at positions.
const POSITIONS: &str = "positions";

/// A circuit with everything that was measured of it.
pub struct Told<'a> {
    pub bench: &'a Bench<'a>,
    /// What edges outside circuits brought.
    pub stand: Stand,
    pub summary: &'a Summary,
    pub found: Found,
    /// The metric of all edges, none, the circuit, the others; then of the curves by sign and by size, `[run][item]`.
    pub values: Vec<Vec<f64>>,
    /// What chance does.
    pub nulls: Vec<Null>,
    /// What the nodes of the circuit look at and write.
    pub portraits: Portraits,
}

impl Told<'_> {
    /// Both tables, the values of single items, and the circuit.
    pub fn finding(self) -> Finding {
        let (edges, (done, items)) = (self.edges(), self.done());
        let portraits = vec![(self.found.name.clone(), self.portraits)];
        let circuits = vec![(self.found.name, self.found.circuit)];
        Finding { tables: vec![edges, done], items: vec![items], circuits, portraits, ..Finding::default() }
    }

    fn facts(&self, table: &mut Table) {
        let Found { circuit, facts, stability, .. } = &self.found;
        table.facts.extend(facts.iter().cloned());
        let facts = [
            (SEARCH, self.found.search.clone()),
            ("ablation", ablation(self.stand)),
            ("edges", format!("{} of {}", circuit.size(), circuit.links().len())),
            ("stability", stability.clone()),
            ("items", self.bench.items.len().to_string()),
        ];
        table.facts.extend(facts.map(|(name, value)| (name.to_string(), value)));
        if let Some(places) = circuit.blocks().positions() {
            table.facts.insert(POSITIONS.into(), positions(places));
            let tokens = table.positions.iter().take(places.count).map(|token| visible(token).replace(' ', "␣"));
            table.facts.insert(TOKENS.into(), tokens.collect::<Vec<_>>().join(" "));
        }
        self.summary.scale(&self.total(), table);
        if table.facts.contains_key(CAUTION) {
            let what = "none: all edges do no more than no edge, so that there is no circuit to come out again";
            table.facts.insert("stability".into(), what.into());
        }
    }

    /// What all edges do beyond none, an item each.
    fn total(&self) -> Vec<f64> {
        self.values[0].iter().zip(&self.values[1]).map(|(whole, empty)| whole - empty).collect()
    }

    fn title(&self) -> String {
        format!("Circuit of {} edges ({})", self.found.circuit.size(), self.found.search)
    }

    /// Every edge that is in the circuit, or was in that of some draw: its score, how often it was chosen, whether it is in.
    fn edges(&self) -> Table {
        let Found { name, circuit, inclusion, scale, .. } = &self.found;
        let mut main = table(name, &self.title(), self.bench);
        self.facts(&mut main);
        let facts = [
            ("sign", scale.sign.as_str()),
            ("inclusion", &scale.inclusion),
            ("in_circuit", "1: the circuit holds the edge; other edges with their scores are in the folder `circuits`"),
        ];
        main.facts.extend(facts.map(|(name, value)| (name.to_string(), value.to_string())));
        let n = self.summary.groups().into_iter().max().map_or(0, |last| last + 1);
        let shown = circuit.links().zip(inclusion).filter(|(link, share)| link.in_circuit || **share > 0.0);
        for (link, share) in shown {
            let (site, position) = (Some(link.edge.to_string()), link.edge.position);
            let place = Row { site, position, n, ..blank(name, self.bench.metric) };
            let (low, high) = (link.interval.map(|ends| ends.low), link.interval.map(|ends| ends.high));
            let member = if link.in_circuit { 1.0 } else { 0.0 };
            let metric = scale.metric.clone();
            main.rows.push(Row { metric, effect: link.score, low, high, ..place.clone() });
            main.rows.push(Row { metric: "inclusion".into(), effect: *share, ..place.clone() });
            main.rows.push(Row { metric: "in_circuit".into(), effect: member, ..place });
        }
        main
    }

    /// What the circuit, the others, and the circuits of the curves do; and the metric under each for single items.
    fn done(&self) -> (Table, Table) {
        let method = format!("{}.faithfulness", self.found.name);
        let mut main = table(&method, &format!("{}: what it does", self.title()), self.bench);
        self.facts(&mut main);
        let mut items = Table { rows: Vec::new(), ..main.clone() };
        let total = self.total();
        let beyond = |values: &[f64]| values.iter().zip(&self.values[1]).map(|(a, b)| a - b).collect::<Vec<f64>>();
        for (name, values) in self.names().iter().zip(&self.values) {
            let place = Row { site: Some(name.clone()), ..blank(&method, self.bench.metric) };
            main.rows.push(self.summary.untested(place.clone(), values, None));
            let faithful = Row { metric: "faithfulness".into(), ..place.clone() };
            main.rows.push(self.summary.share(faithful, &beyond(values), &total));
            items.rows.extend(self.bench.item_rows(&place, &values.iter().copied().map(Some).collect::<Vec<_>>()));
        }
        self.nulls(&mut main);
        self.areas(&mut main);
        let facts = [
            ("faithfulness", "(m − m(no edge)) / (m(all edges) − m(no edge)), m the mean metric"),
            ("intervals", "percentile bootstrap over observations, of a share both means drawn together"),
        ];
        main.facts.extend(facts.map(|(name, value)| (name.to_string(), value.to_string())));
        items.facts = main.facts.clone();
        (main, items)
    }

    /// A row for each null: the mean of its draws, where most of them lie, and how rarely one does as much as the circuit.
    fn nulls(&self, main: &mut Table) {
        let total = mean(&self.total());
        let own = (mean(&self.values[2]) - mean(&self.values[1])) / total;
        for Null { name, shares, sizes } in &self.nulls {
            let draws = shares.len();
            let as_much = shares.iter().filter(|share| **share >= own).count();
            let middle = Interval::percentile(shares, self.bench.statistics.level);
            main.rows.push(Row {
                site: Some((*name).into()),
                metric: "faithfulness".into(),
                effect: mean(shares),
                low: middle.map(|middle| middle.low),
                high: middle.map(|middle| middle.high),
                p: total.is_normal().then(|| (1 + as_much) as f64 / (1 + draws) as f64),
                n: draws,
                ..blank(&main.name, self.bench.metric)
            });
            let (least, most) = (sizes.iter().min().unwrap_or(&0), sizes.iter().max().unwrap_or(&0));
            let what = format!("{draws} draws of {least} to {most} edges; {as_much} do as much as the circuit");
            main.facts.insert((*name).into(), what);
        }
        if !self.nulls.is_empty() {
            let what = "random circuits: of as many random edges on ways from the input to the logits, or a few more; shuffled answers: right and wrong exchanged in a random half of the observations, edges chosen by those scores, and their effect on those answers over the whole effect on the true ones. The interval is that of the draws; p is (1 + draws that do as much as the circuit) / (1 + draws)";
            main.facts.insert("nulls".into(), what.into());
        }
    }

    /// The areas under both curves, as facts.
    fn areas(&self, main: &mut Table) {
        let ends = Ends { empty: mean(&self.values[1]), whole: mean(&self.values[0]) };
        let mut means = self.values[ENDS..].iter().map(|values| mean(values));
        for (rule, word) in rules(self.found.curve).into_iter().zip(["sign", "size"]) {
            let next = |_: &Circuit| means.next().ok_or(());
            let curve: Vec<Step> = self.found.circuit.curve(rule, ends, next).unwrap_or_default();
            let Areas { cpr, cmd } = Areas::of(&curve);
            let number = |area: Option<f64>| {
                area.map_or("none: all edges and none do the same".into(), |area| format!("{area:.4}"))
            };
            main.facts.insert(format!("CPR by {word}"), number(cpr));
            main.facts.insert(format!("CMD by {word}"), number(cmd));
        }
    }

    /// What was run, in order.
    fn names(&self) -> Vec<String> {
        let [circuit, complement, all, none] = ALWAYS_RUN;
        let ends = [all, none, circuit, complement].map(String::from);
        let curve = |by: By| SHARES.iter().map(move |share| share_name(*share, by));
        let curves = self.found.curve.into_iter().flat_map(|_| [By::Sign, By::Size]).flat_map(curve);
        ends.into_iter().chain(curves).collect()
    }
}

/// What edges at positions are, in words.
fn positions(places: Places) -> String {
    format!(
        "an edge is one at each of {} positions, from 0, as in m0->a5.h5<k>@3; the logits are read at {}. What a head reads as key and value at a position it may write at {}; shares are of all edges at all positions",
        places.count,
        places.answer,
        if places.heard == Heard::Onward { "every later one" } else { "any" },
    )
}

/// What edges outside circuits brought, in words.
fn ablation(stand: Stand) -> String {
    match stand {
        Stand::Optimal { .. } => format!(
            "{stand}: of each circuit, constants a node that lose least (KL of the model to the circuit), begun at the means, fitted on one half of the observations and used on the other"
        ),
        stand => stand.to_string(),
    }
}
