//! Circuits run on all items, batch by batch, in joint steps: which circuits hangs on all items.

use super::outside::Outside;
use super::{Evaluation, null};
use crate::method::Bench;
use crate::method::score::batches;
use crate::method::sweep::made;
use crate::model::HookError;
use crate::spec::Stand;
use crate::steps::{RunError, Steps};

/// What runs circuits; what edges outside bring is made when the first one runs.
pub struct Runner<'a> {
    bench: &'a Bench<'a>,
    stand: Stand,
    evaluation: Option<Evaluation<'a>>,
}

impl<'a> Runner<'a> {
    /// On the items of a bench, in whose model no heads share keys or values.
    pub fn new(bench: &'a Bench<'a>, stand: Stand) -> Self {
        Runner { bench, stand, evaluation: None }
    }

    /// What edges outside circuits bring.
    pub fn stand(&self) -> Stand {
        self.stand
    }

    /// The metric of every item under every circuit, `[circuit][item]`; each is given by the edges outside it.
    pub fn run(&mut self, outsides: &[Outside], steps: &mut Steps) -> Result<Vec<Vec<f64>>, RunError> {
        let (bench, stand) = (self.bench, self.stand);
        let mut is_ready = false;
        self.each(outsides.len(), steps, |evaluation, items| {
            let evaluation = made(evaluation, &mut || Evaluation::new(bench, stand))?;
            if !std::mem::replace(&mut is_ready, true) {
                evaluation.prepare(outsides.iter().map(Outside::edges))?;
            }
            evaluation.values(items, outsides.iter().map(Outside::edges))
        })
    }

    /// The same of circuits that each have answers of their own: `exchanges` says in which items they are exchanged.
    pub fn run_exchanged(
        &mut self,
        outsides: &[Outside],
        exchanges: &[Vec<bool>],
        steps: &mut Steps,
    ) -> Result<Vec<Vec<f64>>, RunError> {
        let (bench, stand) = (self.bench, self.stand);
        let answers: Vec<_> = exchanges.iter().map(|exchanged| null::with_exchanged(bench, exchanged)).collect();
        self.each(outsides.len(), steps, |evaluation, items| {
            let evaluation = made(evaluation, &mut || Evaluation::new(bench, stand))?;
            let mut values = Vec::new();
            for (outside, own) in outsides.iter().zip(&answers) {
                let asked = Bench { items: own, ..*bench };
                values.extend(evaluation.values_as(&asked, items, [outside.edges()])?);
            }
            Ok(values)
        })
    }

    /// What the removal of parts of a circuit does to the metric, `[part][item]`; `parts` counts them.
    pub fn removals(
        &mut self,
        parts: usize,
        mut remove: impl FnMut(&Evaluation<'a>, &[usize]) -> Result<Vec<Vec<f64>>, HookError>,
        steps: &mut Steps,
    ) -> Result<Vec<Vec<f64>>, RunError> {
        let (bench, stand) = (self.bench, self.stand);
        self.each(parts, steps, |evaluation, items| {
            remove(made(evaluation, &mut || Evaluation::new(bench, stand))?, items)
        })
    }

    fn each(
        &mut self,
        circuits: usize,
        steps: &mut Steps,
        mut compute: impl FnMut(&mut Option<Evaluation<'a>>, &[usize]) -> Result<Vec<Vec<f64>>, HookError>,
    ) -> Result<Vec<Vec<f64>>, RunError> {
        let mut values = vec![vec![0.0; self.bench.items.len()]; circuits];
        for items in batches(self.bench) {
            let found = steps.joint(items.len() * circuits, || compute(&mut self.evaluation, &items))?;
            for (values, found) in values.iter_mut().zip(found) {
                items.iter().zip(found).for_each(|(item, value)| values[*item] = value);
            }
        }
        Ok(values)
    }
}
