//! Directions times coefficients, as conditions under which questions are asked.

use super::directions::{Course, length, scaled};
use crate::hook::{Activation, Along, Hook, Push};
use crate::method::heard::{Batch, Conditions};
use crate::model::shape;
use crate::model::{HookError, Model};
use crate::plan::Cell;
use crate::site::Site;
use crate::tensor::from_doubles;
use std::collections::BTreeMap;

/// One way of changing states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dose {
    /// Which course.
    pub course: usize,
    /// How often the direction is added.
    pub adds: f64,
    /// Whether what lies along it is taken out before.
    pub removes: bool,
}

/// What one half of the pairs has found, at one cell.
pub struct Pushes<'a> {
    /// The model.
    pub model: &'a dyn Model,
    /// The cell.
    pub cell: &'a Cell,
    /// The positions of each question that are changed, where the cell names none.
    pub reach: &'a [Vec<usize>],
    /// Directions.
    pub courses: Vec<Course>,
    /// What is done.
    pub doses: Vec<Dose>,
}

impl Conditions for Pushes<'_> {
    type Ready = ();

    fn count(&self) -> usize {
        self.doses.len()
    }

    fn changes(&self, condition: usize) -> bool {
        let dose = &self.doses[condition];
        let moves = self.courses[dose.course].iter().any(|direction| length(direction) > 0.0);
        moves && (dose.removes || dose.adds != 0.0)
    }

    fn ready(&self, _: &Batch) -> Result<(), HookError> {
        Ok(())
    }

    fn hook(&self, (): &(), batch: &Batch, conditions: &[usize]) -> impl Hook {
        let sites = self.cell.sites.iter().enumerate();
        let along = |(number, site): (usize, &Site)| (*site, self.along(number, *site, batch, conditions));
        Push { sites: sites.map(along).collect::<BTreeMap<Site, Along>>() }
    }
}

impl Pushes<'_> {
    fn along(&self, number: usize, site: Site, batch: &Batch, conditions: &[usize]) -> Along {
        let (each, removes) = (batch.own.len(), conditions.iter().any(|condition| self.doses[*condition].removes));
        let rows = |of: &dyn Fn(&Dose) -> Vec<f64>| -> Activation {
            let values = conditions.iter().flat_map(|condition| of(&self.doses[*condition]).repeat(each)).collect();
            let width = *shape(self.model.dims(), site, 1, 1).last().expect("a site has a shape");
            let all = self.courses[0][number].len();
            from_doubles(values, [conditions.len() * each, all / width, 1, width], &self.model.setting())
        };
        let direction = |dose: &Dose| self.courses[dose.course][number].clone();
        let unit = |dose: &Dose| if dose.removes { scaled(direction(dose), 1.0) } else { direction(dose) * 0.0 };
        Along {
            removed: removes.then(|| rows(&|dose| unit(dose).to_vec())),
            added: rows(&|dose| (direction(dose) * dose.adds).to_vec()),
            at: self.at(batch, conditions.len()),
        }
    }

    /// `[row, 1, pos, 1]`.
    fn at(&self, batch: &Batch, copies: usize) -> Activation {
        let width = batch.questions[0].tokens.len();
        let is_changed = |question: usize, position: usize| match self.cell.position {
            Some(own) => own == position,
            None => self.reach[question].contains(&position),
        };
        let one = batch.own.iter().flat_map(|question| (0..width).map(move |at| (*question, at)));
        let one: Vec<f64> = one.map(|(question, at)| f64::from(u8::from(is_changed(question, at)))).collect();
        from_doubles(one.repeat(copies), [batch.own.len() * copies, 1, width, 1], &self.model.setting())
    }
}
