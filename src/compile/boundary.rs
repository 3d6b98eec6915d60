//! The boundary token: what variables hold where it stands, and how they are kept empty there where it would do harm.
//!
//! Heads may look at the boundary token as a key. So whatever is a key must be empty there, and so must what a head brings that
//! looks at it when it finds nothing else. Most variables are empty there by themselves; only for the others a head or a
//! neuron reads the boundary token: what is not needed would be an edge that does nothing.

use super::variable::{Attend, Boundary, Brings, Id, Step, Variable};
use crate::model::parts::position::Sight;
use crate::program::{Encoding, Value};

/// What a variable holds at the boundary token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// Nothing: no category, or the number 0.
    Nothing,
    /// This number.
    Number(Value),
    /// Something.
    Something,
}

/// Makes every variable empty at the boundary token that has to be.
pub fn settle(variables: &mut [Variable], sight: Sight) {
    for id in 0..variables.len() {
        if let Step::Attend(attend) = &variables[id].step {
            let Attend { keys, brings, boundary, .. } = *attend;
            if !attend.is_uniform() {
                empty(variables, keys, sight);
            }
            if let (Brings::Mean(values), Boundary::Default) = (brings, boundary) {
                empty(variables, values, sight);
            }
        }
    }
}

/// Makes a variable empty there.
fn empty(variables: &mut [Variable], id: Id, sight: Sight) {
    if held(variables, id, sight) == Held::Nothing {
        return;
    }
    match &mut variables[id].step {
        Step::Stairs { guarded, .. } | Step::Kinks { guarded, .. } => *guarded = true,
        Step::Attend(attend) => {
            attend.boundary = Boundary::Default;
            let (queries, brings) = (attend.queries, attend.brings);
            empty(variables, queries, sight);
            if let Brings::Mean(values) = brings {
                empty(variables, values, sight);
            }
        }
        Step::Pair { of: [first, _], .. } => {
            let first = *first;
            empty(variables, first, sight);
        }
        Step::Lookup { of, .. } => {
            let of = *of;
            empty(variables, of, sight);
        }
        Step::Tokens | Step::Indices => {}
    }
}

/// What a variable holds there as things stand.
pub fn held(variables: &[Variable], id: Id, sight: Sight) -> Held {
    let of = |id: Id| held(variables, id, sight);
    let is_empty = |id: Id| of(id) == Held::Nothing;
    let nothing_if = |holds: bool| if holds { Held::Nothing } else { Held::Something };
    match &variables[id].step {
        Step::Tokens | Step::Indices => Held::Nothing,
        Step::Lookup { of, .. } => nothing_if(is_empty(*of)),
        Step::Pair { of: [a, b], .. } => nothing_if(is_empty(*a) || is_empty(*b)),
        Step::Kinks { of, to, guarded } => {
            let still = to.iter().any(|(sum, value)| *sum == Value::ZERO && *value == Value::ZERO);
            nothing_if(*guarded || still && of.iter().all(|term| is_empty(*term)))
        }
        Step::Stairs { of: source, guarded, .. } => {
            let values = &variables[*source].values;
            let value = match of(*source) {
                Held::Nothing => Some(Value::ZERO),
                Held::Number(value) => Some(value),
                Held::Something => None,
            };
            nothing_if(*guarded || value.is_some_and(|value| !values.contains(&value)))
        }
        Step::Attend(attend) => at_boundary(attend, &variables[id], sight, of),
    }
}

fn at_boundary(attend: &Attend, variable: &Variable, sight: Sight, of: impl Fn(Id) -> Held) -> Held {
    // a causal model's first position sees itself alone
    let alone = sight != Sight::Both;
    match (attend.brings, attend.boundary) {
        (Brings::Boundary, _) if alone || !attend.is_uniform() && of(attend.queries) == Held::Nothing => {
            Held::Number(Value::ONE)
        }
        (Brings::Boundary, _) => Held::Something,
        (Brings::Mean(values), _) if alone => of(values),
        (Brings::Mean(values), Boundary::Default | Boundary::Selected) if of(attend.queries) == Held::Nothing => {
            of(values)
        }
        _ if variable.encoding == Encoding::Numerical && variable.values == [Value::ZERO] => Held::Nothing,
        _ => Held::Something,
    }
}
