//! What cuts do, as tables: the bias, what is kept and the loss under each, beside random cuts; and what was cut.

mod ranked;
mod words;

use super::ask::{Asked, Outcomes, Said};
use super::chosen::Found;
use super::{CUT, WHOLE};
use crate::method::concept::Spread;
use crate::method::summary::{CAUTION, mean};
use crate::method::{Bench, Finding, blank, table};
use crate::plan::{Cutting, TASKS};
use crate::table::{Row, Table};
use words::site;

/// What was asked, and what was said.
pub struct Told<'a> {
    pub bench: &'a Bench<'a>,
    pub plan: &'a Cutting,
    pub asked: Asked,
    /// `[fold][way]`.
    pub found: Vec<Vec<Found>>,
}

/// What intervals are drawn of: the groups of both tasks and of the texts, each by itself.
struct Spreads {
    tasks: [Spread; 2],
    /// Those of both tasks at once, where some are of both.
    joint: Option<Spread>,
    texts: Spread,
}

/// A ratio of means, and that of every draw.
struct Ratio {
    value: f64,
    draws: Option<Vec<f64>>,
}

impl Ratio {
    fn of(spread: &Spread, parts: &[f64], wholes: &[f64]) -> Self {
        let draws = spread.means(parts).zip(spread.means(wholes));
        let draws = draws.map(|(parts, wholes)| parts.into_iter().zip(wholes).map(|(a, b)| a / b).collect());
        Ratio { value: mean(parts) / mean(wholes), draws }
    }

    /// Of what is left of the bias and of what is kept. A draw with none of a task's groups says nothing.
    fn selectivity(bias: &Ratio, kept: &Ratio) -> Ratio {
        let draws = bias.draws.as_ref().zip(kept.draws.as_ref()).map(|(bias, kept)| {
            let draws = bias.iter().zip(kept).map(|(bias, kept)| selectivity(*bias, *kept));
            draws.filter(|draw| draw.is_finite()).collect()
        });
        Ratio { value: selectivity(bias.value, kept.value), draws }
    }
}

/// What is gone of the bias, of which one turned round is as much, less what is kept changes by, of which a rise is one too.
fn selectivity(bias: f64, kept: f64) -> f64 {
    (1.0 - bias.abs()) - (1.0 - kept).abs()
}

/// What is held against random cuts: its name, and whether a large value is the one that chance hardly gives.
const HELD: [(&str, bool); 4] =
    [("bias: share left", false), ("kept: share left", false), ("loss: change", true), ("selectivity", true)];

fn contrasts(said: &[Said]) -> Vec<f64> {
    said.iter().map(|said| said.contrast).collect()
}

fn rights(said: &[Said]) -> Vec<f64> {
    said.iter().map(|said| said.right).collect()
}

fn less(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

impl Told<'_> {
    /// Every table.
    pub fn finding(&self) -> Finding {
        let (main, items) = self.cuts();
        let ranked = self.plan.ways.iter().enumerate().filter_map(|(number, way)| self.cut_first(number, way));
        let mut tables: Vec<Table> = ranked.collect();
        for (number, table) in tables.iter_mut().enumerate().skip(1) {
            table.name += &format!("_{}", number + 1);
        }
        tables.insert(0, main);
        Finding { tables, items: vec![items], ..Finding::default() }
    }

    fn cuts(&self) -> (Table, Table) {
        let mut main = table(CUT, "A bias cut out, and what is lost with it", self.bench);
        main.positions.clear(); // nothing here is of a position
        let spreads = self.spreads();
        let doubted: [bool; 2];
        (main.rows, doubted) = self.whole(&spreads);
        let names: Vec<&str> =
            TASKS.into_iter().zip(doubted).filter(|(_, doubted)| *doubted).map(|(name, _)| name).collect();
        let doubt = (!names.is_empty()).then(|| {
            format!(
                "the interval of the whole model's {} holds zero, so that no share of it and no selectivity is told",
                names.join(" and that of its ")
            )
        });
        let cautions: Vec<String> = doubt.into_iter().chain(self.idle()).collect();
        if !cautions.is_empty() {
            main.facts.insert(CAUTION.into(), cautions.join("; "));
        }
        let mut items = Table { rows: Vec::new(), ..main.clone() };
        for (way, outcomes) in self.plan.ways.iter().zip(&self.asked.cuts) {
            for (point, own) in outcomes.chunks_exact(1 + self.plan.random).enumerate() {
                let site = site(way, point);
                main.rows.extend(self.one(&spreads, doubted, &site, own));
                items.rows.extend(self.singles(&site, &own[0]));
            }
        }
        let whole = self.singles(WHOLE, &self.asked.whole);
        items.rows.splice(0..0, whole);
        main.facts.extend(self.facts());
        items.facts = main.facts.clone();
        (main, items)
    }

    fn spreads(&self) -> Spreads {
        let seed = |number: u64| self.bench.seed.wrapping_add(number);
        let texts = self.plan.windows.as_ref().map_or(&[][..], |windows| &windows.group);
        let [bias, kept] = self.plan.tasks.each_ref().map(|task| &task.group);
        let shares = bias.iter().any(|group| kept.contains(group));
        Spreads {
            joint: shares.then(|| Spread::of(self.bench, &[bias.as_slice(), kept].concat(), seed(4))),
            tasks: [0, 1].map(|task| Spread::of(self.bench, &self.plan.tasks[task].group, seed(1 + task as u64))),
            texts: Spread::of(self.bench, texts, seed(3)),
        }
    }

    fn place(&self, site: &str, metric: String) -> Row {
        Row { site: Some(site.to_string()), metric, ..blank(CUT, self.bench.metric) }
    }

    /// Tokens that are scored of every text.
    fn tokens(&self) -> Vec<f64> {
        let texts = self.plan.windows.as_ref().map_or(&[][..], |windows| &windows.texts);
        texts.iter().map(|text| text.reads.len() as f64).collect()
    }

    /// The model left alone, and of which tasks its contrast may be zero.
    fn whole(&self, spreads: &Spreads) -> (Vec<Row>, [bool; 2]) {
        let (whole, mut rows, mut doubted) = (&self.asked.whole, Vec::new(), [false; 2]);
        for (task, name) in TASKS.iter().enumerate() {
            let spread = &spreads.tasks[task];
            let row = spread.row(self.place(WHOLE, name.to_string()), &contrasts(&whole.tasks[task]));
            doubted[task] =
                row.effect == 0.0 || row.low.zip(row.high).is_some_and(|(low, high)| low <= 0.0 && high >= 0.0);
            rows.push(row);
        }
        let row = self.place(WHOLE, format!("{}: answered right", TASKS[1]));
        rows.push(spreads.tasks[1].row(row, &rights(&whole.tasks[1])));
        if !whole.lost.is_empty() {
            let loss = Ratio::of(&spreads.texts, &whole.lost, &self.tokens());
            rows.push(spreads.texts.known(self.place(WHOLE, "loss".into()), loss.value, loss.draws.as_deref()));
        }
        (rows, doubted)
    }

    /// What is held against chance of one model, in the order of [`HELD`]: nothing that hangs on a share that is doubted.
    fn held(&self, spreads: &Spreads, doubted: [bool; 2], own: &Outcomes) -> [Option<Ratio>; 4] {
        let whole = &self.asked.whole;
        let left = |task: usize| {
            let of = |outcomes: &Outcomes| contrasts(&outcomes.tasks[task]);
            Ratio::of(&spreads.tasks[task], &of(own), &of(whole))
        };
        let (bias, kept) = (left(0), left(1));
        let texts = !whole.lost.is_empty();
        let loss = texts.then(|| Ratio::of(&spreads.texts, &less(&own.lost, &whole.lost), &self.tokens()));
        let selectivity = match &spreads.joint {
            None => Ratio::selectivity(&bias, &kept),
            Some(joint) => {
                let [bias, kept] = [0, 1].map(|task| self.left_together(joint, task, own));
                Ratio::selectivity(&bias, &kept)
            }
        };
        let [no_bias, no_kept] = doubted;
        [
            Some(bias).filter(|_| !no_bias),
            Some(kept).filter(|_| !no_kept),
            loss,
            Some(selectivity).filter(|_| !no_bias && !no_kept),
        ]
    }

    /// What is left of a task, with draws of the groups of both.
    fn left_together(&self, joint: &Spread, task: usize, own: &Outcomes) -> Ratio {
        let padded = |outcomes: &Outcomes| {
            // nothing of the other task's items, so that the ratio of means is that of this one's
            let mut tasks = outcomes.tasks.each_ref().map(|said| contrasts(said));
            tasks[1 - task].fill(0.0);
            tasks.concat()
        };
        Ratio::of(joint, &padded(own), &padded(&self.asked.whole))
    }

    /// The same without draws, which are dear, for random cuts.
    fn drawn(&self, own: &Outcomes) -> [f64; 4] {
        let whole = &self.asked.whole;
        let left = |task: usize| mean(&contrasts(&own.tasks[task])) / mean(&contrasts(&whole.tasks[task]));
        let (bias, kept) = (left(0), left(1));
        let loss = mean(&less(&own.lost, &whole.lost)) / mean(&self.tokens());
        [bias, kept, loss, selectivity(bias, kept)]
    }

    /// The rows of one cut; behind its own outcomes stand those of random ones.
    fn one(&self, spreads: &Spreads, doubted: [bool; 2], site: &str, outcomes: &[Outcomes]) -> Vec<Row> {
        let (own, random) = (&outcomes[0], &outcomes[1..]);
        let drawn: Vec<[f64; 4]> = random.iter().map(|outcomes| self.drawn(outcomes)).collect();
        let mut rows = Vec::new();
        for (task, name) in TASKS.iter().enumerate() {
            let [whole, cut] = [&self.asked.whole, own].map(|outcomes| contrasts(&outcomes.tasks[task]));
            let normalised = Some(mean(&cut) / mean(&whole)).filter(|_| !doubted[task]);
            let (spread, change) = (&spreads.tasks[task], format!("{name}: change"));
            rows.push(Row { normalised, ..spread.row(self.place(site, name.to_string()), &cut) });
            rows.push(spread.row(self.place(site, change), &less(&cut, &whole)));
        }
        let [whole, cut] = [&self.asked.whole, own].map(|outcomes| rights(&outcomes.tasks[1]));
        let right = format!("{}: answered right", TASKS[1]);
        rows.push(spreads.tasks[1].row(self.place(site, right.clone()), &cut));
        rows.push(spreads.tasks[1].row(self.place(site, right + ", change"), &less(&cut, &whole)));
        for (number, (found, (name, large))) in self.held(spreads, doubted, own).into_iter().zip(HELD).enumerate() {
            let Some(found) = found else { continue };
            let spread = if number == 2 { &spreads.texts } else { &spreads.tasks[number.min(1)] };
            let drawn: Vec<f64> = drawn.iter().map(|drawn| drawn[number]).collect();
            let row = spread.known(self.place(site, name.into()), found.value, found.draws.as_deref());
            // a bias turned round is one
            let far = |value: f64| if number == 0 { value.abs() } else { value };
            let beside: Vec<f64> = drawn.iter().copied().map(far).collect();
            rows.push(Row { p: as_extreme(&beside, far(found.value), large), ..row });
            rows.extend(spread.of_draws(self.place(site, format!("{name}, random")), &drawn));
        }
        rows
    }

    /// The contrast of every item.
    fn singles(&self, site: &str, own: &Outcomes) -> Vec<Row> {
        let of = |(task, name): (usize, &&str)| {
            let values: Vec<Option<f64>> = contrasts(&own.tasks[task]).into_iter().map(Some).collect();
            self.bench.item_rows(&self.place(site, name.to_string()), &values)
        };
        TASKS.iter().enumerate().flat_map(of).collect()
    }
}

/// The share of random cuts that do as much, this one among them; none without any.
fn as_extreme(drawn: &[f64], value: f64, large: bool) -> Option<f64> {
    // what is no number counts as far as any: it says nothing against chance
    let beyond = |draw: &&f64| draw.is_nan() || value.is_nan() || if large { **draw >= value } else { **draw <= value };
    (!drawn.is_empty()).then(|| (1 + drawn.iter().filter(beyond).count()) as f64 / (1 + drawn.len()) as f64)
}
