//! The language of programs: sequences, selectors, and what is made of them (RASP, Weiss et al. 2021).
//!
//! A *sequence* has a value at every position. It is *categorical*, one of finitely many values, each of which is a
//! direction of its own in a compiled model's stream; or *numerical*, one direction that is as long as the value. A
//! *selector* says at every position, the query, which positions, the keys, are looked at.

use super::Value;
use std::rc::Rc;

/// How a value stands in the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// One direction for each value.
    Categorical,
    /// One direction, as long as the value; where there is none, it is 0.
    Numerical,
}

/// A value at every position.
#[derive(Clone)]
pub struct Sequence {
    pub(super) node: Rc<Operation>,
    /// How its values stand in the stream.
    pub encoding: Encoding,
}

type OfOne = Rc<dyn Fn(Value) -> Value>;
type OfTwo = Rc<dyn Fn(Value, Value) -> Option<Value>>;

/// What a sequence is made by.
pub enum Operation {
    /// The tokens, as their numbers among the symbols.
    Tokens,
    /// Positions, from 0 on.
    Indices,
    /// A function of another sequence's value.
    Map(Sequence, OfOne),
    /// A function of two categorical values at the same position; `None` where they never meet.
    Zip([Sequence; 2], OfTwo),
    /// A function of the sum of numerical values at the same position.
    OfSum(Vec<Sequence>, OfOne),
    /// The mean of the values that are selected; of categorical ones all must be the same.
    Aggregate(Selector, Sequence),
    /// How many positions are selected.
    Width(Selector),
}

/// Which keys each query looks at.
#[derive(Clone)]
pub struct Selector {
    /// Categorical.
    pub keys: Sequence,
    /// Categorical.
    pub queries: Sequence,
    /// Whether a query of the second value looks at a key of the first.
    pub predicate: Rc<dyn Fn(Value, Value) -> bool>,
    /// Whether the program's author knows that some key is always selected where the answer is read.
    pub always: bool,
}

impl Sequence {
    fn new(node: Operation, encoding: Encoding) -> Self {
        Sequence { node: Rc::new(node), encoding }
    }

    /// The tokens.
    pub fn tokens() -> Self {
        Sequence::new(Operation::Tokens, Encoding::Categorical)
    }

    /// The positions.
    pub fn indices() -> Self {
        Sequence::new(Operation::Indices, Encoding::Categorical)
    }

    /// A categorical function of each value.
    pub fn map(&self, f: impl Fn(Value) -> Value + 'static) -> Self {
        Sequence::new(Operation::Map(self.clone(), Rc::new(f)), Encoding::Categorical)
    }

    /// A numerical function of each value.
    pub fn number(&self, f: impl Fn(Value) -> Value + 'static) -> Self {
        Sequence::new(Operation::Map(self.clone(), Rc::new(f)), Encoding::Numerical)
    }

    /// A categorical function of two categorical values.
    pub fn zip(&self, other: &Sequence, f: impl Fn(Value, Value) -> Option<Value> + 'static) -> Self {
        Sequence::new(Operation::Zip([self.clone(), other.clone()], Rc::new(f)), Encoding::Categorical)
    }

    /// A numerical function of the sum of numerical values.
    pub fn of_sum(terms: &[Sequence], f: impl Fn(Value) -> Value + 'static) -> Self {
        Sequence::new(Operation::OfSum(terms.to_vec(), Rc::new(f)), Encoding::Numerical)
    }

    /// What makes it.
    pub fn operation(&self) -> &Operation {
        &self.node
    }

    /// Where its operation lies: the same for copies of one sequence.
    pub fn address(&self) -> *const Operation {
        Rc::as_ptr(&self.node)
    }
}

impl Selector {
    /// The keys for which `predicate(key, query)` holds.
    pub fn new(keys: &Sequence, queries: &Sequence, predicate: impl Fn(Value, Value) -> bool + 'static) -> Self {
        Selector { keys: keys.clone(), queries: queries.clone(), predicate: Rc::new(predicate), always: false }
    }

    /// The same where a key is known to be selected wherever the answer hangs on it, so that the compiled model need not
    /// provide for none.
    pub fn always(self) -> Self {
        Selector { always: true, ..self }
    }

    /// The mean of what the selected keys hold; where none is selected, 0 of numbers and nothing of categories.
    pub fn aggregate(&self, values: &Sequence) -> Sequence {
        Sequence::new(Operation::Aggregate(self.clone(), values.clone()), values.encoding)
    }

    /// How many keys are selected.
    pub fn width(&self) -> Sequence {
        Sequence::new(Operation::Width(self.clone()), Encoding::Categorical)
    }
}
