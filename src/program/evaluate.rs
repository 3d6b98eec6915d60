//! Programs carried out on their own, in exact numbers: what a compiled model is held against.

use super::{Encoding, Operation, Selector, Sequence, Value};
use crate::model::parts::position::Sight;
use std::collections::BTreeMap;

/// The values of a sequence at every position of an input; `None` where a categorical one has none.
type Values = Vec<Option<Value>>;

/// An input, and what is known of it so far.
struct Evaluation<'a> {
    tokens: &'a [usize],
    sight: Sight,
    known: BTreeMap<*const Operation, Values>,
}

/// What a sequence holds at every position of an input, tokens given as numbers of symbols, where a query can select the
/// keys that `sight` lets it see.
pub fn evaluate(sequence: &Sequence, tokens: &[usize], sight: Sight) -> Vec<Option<Value>> {
    Evaluation { tokens, sight, known: BTreeMap::new() }.values(sequence)
}

impl Evaluation<'_> {
    fn values(&mut self, sequence: &Sequence) -> Values {
        if let Some(known) = self.known.get(&sequence.address()) {
            return known.clone();
        }
        let found = self.made(sequence.operation());
        let absent = (sequence.encoding == Encoding::Numerical).then_some(Value::ZERO);
        let values: Values = found.into_iter().map(|value| value.or(absent)).collect();
        self.known.insert(sequence.address(), values.clone());
        values
    }

    fn made(&mut self, operation: &Operation) -> Values {
        match operation {
            Operation::Tokens => self.tokens.iter().map(|token| Some(Value::from(*token))).collect(),
            Operation::Indices => (0..self.tokens.len()).map(|index| Some(Value::from(index))).collect(),
            Operation::Map(of, f) => self.values(of).into_iter().map(|value| value.map(|value| f(value))).collect(),
            Operation::Zip([a, b], f) => {
                let both = self.values(a).into_iter().zip(self.values(b));
                both.map(|(a, b)| f(a?, b?)).collect()
            }
            Operation::OfSum(terms, f) => {
                let terms: Vec<Values> = terms.iter().map(|term| self.values(term)).collect();
                let sum =
                    |at: usize| terms.iter().filter_map(|term| term[at]).fold(Value::ZERO, |sum, term| sum + term);
                (0..self.tokens.len()).map(|at| Some(f(sum(at)))).collect()
            }
            Operation::Aggregate(selector, of) => {
                let (selected, values) = (self.selected(selector), self.values(of));
                let mean = |keys: Vec<usize>| match of.encoding {
                    Encoding::Numerical => mean(keys.iter().filter_map(|key| values[*key])),
                    Encoding::Categorical => same(keys.iter().map(|key| values[*key])),
                };
                selected.into_iter().map(mean).collect()
            }
            Operation::Width(selector) => {
                self.selected(selector).into_iter().map(|keys| Some(Value::from(keys.len()))).collect()
            }
        }
    }

    /// The keys that each query selects.
    fn selected(&mut self, selector: &Selector) -> Vec<Vec<usize>> {
        let (keys, queries) = (self.values(&selector.keys), self.values(&selector.queries));
        let holds = |key: usize, query: usize| {
            let both = keys[key].zip(queries[query]);
            self.sight.allows(query, key) && both.is_some_and(|(key, query)| (selector.predicate)(key, query))
        };
        (0..queries.len()).map(|query| (0..keys.len()).filter(|key| holds(*key, query)).collect()).collect()
    }
}

fn mean(values: impl Iterator<Item = Value>) -> Option<Value> {
    let (sum, count) = values.fold((Value::ZERO, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum.shared_by(count))
}

/// The one value that all are; several have no mean.
fn same(mut values: impl Iterator<Item = Option<Value>>) -> Option<Value> {
    let first = values.next()??;
    values.all(|value| value == Some(first)).then_some(first)
}
