//! What a program is made of once its functions are tables: variables with finitely many values.

use crate::program::{Encoding, Value};

/// The place of a variable among all of a program.
pub type Id = usize;

/// Something that has a value at every position.
#[derive(Debug)]
pub struct Variable {
    /// What makes it.
    pub step: Step,
    /// How it stands in the stream.
    pub encoding: Encoding,
    /// The values that it can have, in order.
    pub values: Vec<Value>,
    /// Whether its answer is read, or what is made of it leads to one that is.
    pub live: bool,
}

/// What makes a variable: tables are in the order of the values that they are of.
#[derive(Debug)]
pub enum Step {
    /// The tokens.
    Tokens,
    /// The positions.
    Indices,
    /// A head.
    Attend(Attend),
    /// Of each value of a categorical variable another.
    Lookup {
        /// The variable.
        of: Id,
        /// What becomes of each value.
        to: Vec<Value>,
    },
    /// Of each two values of categorical variables another, or none.
    Pair {
        /// The variables.
        of: [Id; 2],
        /// What becomes of each value of the second, for each of the first.
        to: Vec<Vec<Option<Value>>>,
    },
    /// Of each value of a numerical variable another.
    Stairs {
        /// The variable.
        of: Id,
        /// What becomes of each value.
        to: Vec<Value>,
        /// Whether its neurons read the boundary token, to leave that position empty.
        guarded: bool,
    },
    /// Of each sum of numerical variables a number, straight between those.
    Kinks {
        /// The variables.
        of: Vec<Id>,
        /// Sums that there can be, in order, and what becomes of them.
        to: Vec<(Value, Value)>,
        /// Whether its neurons read the boundary token, to leave that position empty.
        guarded: bool,
    },
}

/// What a head does.
#[derive(Debug)]
pub struct Attend {
    /// What is looked at.
    pub keys: Id,
    /// Who looks.
    pub queries: Id,
    /// For each value of a query whether it looks at each value of a key.
    pub table: Vec<Vec<bool>>,
    /// What is brought.
    pub brings: Brings,
    /// What the boundary token is to it.
    pub boundary: Boundary,
}

/// What a head brings of the positions it looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Brings {
    /// The mean of a variable.
    Mean(Id),
    /// The share of the boundary token among them, 1 / (1 + how many others).
    Boundary,
}

/// Whether a head looks at the boundary token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Boundary {
    /// Always, as at a key that is selected.
    Selected,
    /// Where nothing is selected.
    Default,
    /// Never where it matters.
    Ignored,
}

impl Attend {
    /// Whether every query looks at everything, so that nothing need be compared.
    pub fn is_uniform(&self) -> bool {
        self.boundary == Boundary::Selected && self.table.iter().flatten().all(|selected| *selected)
    }

    /// Whether every query looks at the same keys, so that it need not be asked.
    pub fn is_constant(&self) -> bool {
        self.boundary == Boundary::Ignored && self.table.windows(2).all(|pair| pair[0] == pair[1])
    }
}

impl Step {
    /// The variables that it is made of.
    pub fn sources(&self) -> Vec<Id> {
        match self {
            Step::Tokens | Step::Indices => Vec::new(),
            Step::Attend(attend) if attend.is_uniform() => Vec::new(),
            Step::Attend(Attend { keys, queries, brings, .. }) => {
                let brought = if let Brings::Mean(values) = brings { Some(*values) } else { None };
                [*keys, *queries].into_iter().chain(brought).collect()
            }
            Step::Lookup { of, .. } | Step::Stairs { of, .. } => vec![*of],
            Step::Pair { of, .. } => of.to_vec(),
            Step::Kinks { of, .. } => of.clone(),
        }
    }
}
