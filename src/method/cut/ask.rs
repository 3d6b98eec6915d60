//! What the whole model and every cut one say of items and texts that the cut has not seen.

use super::change::Change;
use super::chosen::Choice;
use crate::method::{Bench, Side, batches};
use crate::model::{HookError, Pass, run};
use crate::plan::{Cutting, Windows};
use crate::score::{self, Case};
use crate::steps::{RunError, Steps};
use crate::text::Tokens;
use serde::{Deserialize, Serialize};

/// What is said of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The metric after the clean prompt less that after the corrupted one.
    pub contrast: f64,
    /// The share of its two prompts that are answered right.
    pub right: f64,
}

/// What one model says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcomes {
    /// Of the items of the bias and of what is kept.
    pub tasks: [Vec<Said>; 2],
    /// What each text costs, nats.
    pub lost: Vec<f64>,
}

/// What all models say.
pub struct Asked {
    /// The model left alone.
    pub whole: Outcomes,
    /// `[way][cut]`, each cut with its random ones behind it.
    pub cuts: Vec<Vec<Outcomes>>,
}

impl Asked {
    /// Nothing yet.
    pub fn new(plan: &Cutting) -> Self {
        let lost = vec![0.0; plan.windows.as_ref().map_or(0, |windows| windows.texts.len())];
        let tasks = plan.tasks.each_ref().map(|task| vec![Said::default(); task.items.len()]);
        let nothing = Outcomes { tasks, lost };
        let cuts = plan.ways.iter().map(|way| vec![nothing.clone(); plan.tried(way)]).collect();
        Asked { whole: nothing, cuts }
    }

    /// Asks all that is tried on the cuts of a part, a step for each batch and way.
    pub fn ask(&mut self, choice: &Choice, steps: &mut Steps) -> Result<(), RunError> {
        let Choice { bench, plan, fold, .. } = choice;
        for (number, task) in plan.tasks.iter().enumerate() {
            let (tried, bench) = (task.tried(*fold), Bench { items: &task.items, ..**bench });
            for some in batches(tried.len(), (bench.rows / 2).max(1), |index| task.items[tried[index]].clean.len()) {
                let items: Vec<usize> = some.iter().map(|index| tried[*index]).collect();
                let said = |change: Option<&Change>| said(&bench, &items, change);
                self.each(choice, items.len(), said, steps, |outcomes, said: Vec<Said>| {
                    items.iter().zip(said).for_each(|(item, said)| outcomes.tasks[number][*item] = said);
                })?;
            }
        }
        let Some(windows) = &plan.windows else { return Ok(()) };
        let tried = windows.tried(*fold);
        let cases: Vec<&Case> = tried.iter().map(|text| std::slice::from_ref(&windows.texts[*text])).collect();
        for some in score::batches(bench.model, &cases, bench.rows) {
            let texts: Vec<usize> = some.iter().map(|index| tried[*index]).collect();
            let lost = |change: Option<&Change>| lost(bench, windows, &texts, change);
            self.each(choice, texts.len(), lost, steps, |outcomes, lost: Vec<f64>| {
                texts.iter().zip(lost).for_each(|(text, lost)| outcomes.lost[*text] = lost);
            })?;
        }
        Ok(())
    }

    /// Asks the whole model, then every cut one, and keeps what was said.
    fn each<T: Serialize + serde::de::DeserializeOwned>(
        &mut self,
        choice: &Choice,
        count: usize,
        ask: impl Fn(Option<&Change>) -> Result<T, HookError>,
        steps: &mut Steps,
        mut keep: impl FnMut(&mut Outcomes, T),
    ) -> Result<(), RunError> {
        if let Some(found) = steps.step(count, || ask(None))? {
            keep(&mut self.whole, found);
        }
        for (way, cuts) in self.cuts.iter_mut().enumerate() {
            let all = || {
                let changes = choice.chosen()?.changes[way].iter();
                changes.map(|change| ask(Some(change))).collect::<Result<Vec<T>, HookError>>()
            };
            let found = steps.step(count * cuts.len(), all)?;
            cuts.iter_mut().zip(found.into_iter().flatten()).for_each(|(outcomes, found)| keep(outcomes, found));
        }
        Ok(())
    }
}

/// What a model says of some items of one length, both prompts of each in one pass.
pub fn said(bench: &Bench, items: &[usize], change: Option<&Change>) -> Result<Vec<Said>, HookError> {
    let changed = change.and_then(|change| change.model(bench.model));
    let model = changed.as_deref().unwrap_or(bench.model);
    let rows = |side: Side| items.iter().map(move |item| bench.items[*item].prompt(side).clone());
    let tokens = Tokens::new(rows(Side::Clean).chain(rows(Side::Corrupt)).collect());
    let both = [items, items].concat();
    let pass = Pass::whole(&tokens).reading(bench.read(&both));
    let logits = match change {
        Some(change) => run(model, &pass, change.hook().as_mut())?,
        None => run(model, &pass, &mut ())?,
    };
    let (values, exchanged) = (bench.values(&logits, &both), bench.exchanged(&logits, &both));
    let right = |is_right: bool| if is_right { 0.5 } else { 0.0 };
    let of = |row: usize| {
        let other = items.len() + row;
        Said {
            contrast: values[row] - values[other],
            right: right(values[row] > exchanged[row]) + right(exchanged[other] > values[other]),
        }
    };
    Ok((0..items.len()).map(of).collect())
}

/// What some texts cost a model, nats each.
fn lost(bench: &Bench, windows: &Windows, texts: &[usize], change: Option<&Change>) -> Result<Vec<f64>, HookError> {
    let changed = change.and_then(|change| change.model(bench.model));
    let model = changed.as_deref().unwrap_or(bench.model);
    let cases: Vec<&Case> = texts.iter().map(|text| std::slice::from_ref(&windows.texts[*text])).collect();
    let scores = match change {
        Some(change) => score::score_under(model, &cases, bench.rows, &|| change.hook())?,
        None => score::score(model, &cases, bench.rows)?,
    };
    Ok(scores.iter().map(|text| -text.iter().flatten().sum::<f64>()).collect())
}
