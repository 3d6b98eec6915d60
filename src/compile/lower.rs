//! From a program to variables: every function tried on every value that can come.

use super::boundary::settle;
use super::variable::{Attend, Boundary, Brings, Id, Step, Variable};
use crate::program::{Encoding, Operation, Selector, Sequence, Setting, TaskError, Value};
use std::collections::{BTreeMap, BTreeSet};

/// More values than this of one variable make a stream that nobody asked for.
const MOST_VALUES: usize = 4096;

/// Variables, each behind those that it is made of.
struct Lowering<'a> {
    setting: &'a Setting,
    variables: Vec<Variable>,
    known: BTreeMap<*const Operation, Id>,
    /// Tokens and indices, which every mention of them means.
    inputs: [Option<Id>; 2],
}

/// The variables of a program and of those beside it. The last live one is the answer.
pub fn lower(setting: &Setting) -> Result<Vec<Variable>, TaskError> {
    let mut lowering = Lowering { setting, variables: Vec::new(), known: BTreeMap::new(), inputs: [None; 2] };
    for beside in &setting.beside {
        lowering.variable(&beside.output);
    }
    let answer = lowering.variable(&setting.program.output);
    let mut variables = lowering.variables;
    let most = variables.iter().map(|variable| variable.values.len()).max().unwrap_or(0);
    if most > MOST_VALUES {
        let what = format!("{}; a variable has {most} values, more than {MOST_VALUES}: give fewer", setting.length);
        return Err(TaskError(vec![("length", what)]));
    }
    enliven(&mut variables, answer);
    settle(&mut variables, setting.program.sight);
    Ok(variables)
}

/// Marks what leads to the answer.
fn enliven(variables: &mut [Variable], answer: Id) {
    variables[answer].live = true;
    for id in (0..=answer).rev() {
        if variables[id].live {
            variables[id].step.sources().into_iter().for_each(|source| variables[source].live = true);
        }
    }
}

impl Lowering<'_> {
    fn variable(&mut self, sequence: &Sequence) -> Id {
        if let Some(known) = self.known.get(&sequence.address()) {
            return *known;
        }
        let found = self.made(sequence);
        self.known.insert(sequence.address(), found);
        found
    }

    fn add(&mut self, step: Step, encoding: Encoding, values: BTreeSet<Value>) -> Id {
        self.variables.push(Variable { step, encoding, values: values.into_iter().collect(), live: false });
        self.variables.len() - 1
    }

    fn values(&self, id: Id) -> Vec<Value> {
        self.variables[id].values.clone()
    }

    fn made(&mut self, sequence: &Sequence) -> Id {
        match sequence.operation() {
            Operation::Tokens => self.input(0, Step::Tokens, self.setting.symbols),
            Operation::Indices => self.input(1, Step::Indices, self.setting.length),
            Operation::Map(of, f) => {
                let of = self.variable(of);
                let to: Vec<Value> = self.values(of).into_iter().map(|value| f(value)).collect();
                let values = to.iter().copied().collect();
                let step = match self.variables[of].encoding {
                    Encoding::Categorical => Step::Lookup { of, to },
                    Encoding::Numerical => Step::Stairs { of, to, guarded: false },
                };
                self.add(step, sequence.encoding, values)
            }
            Operation::Zip([a, b], f) => {
                let of = [self.variable(a), self.variable(b)];
                let [first, second] = of.map(|id| self.values(id));
                let row = |a: &Value| second.iter().map(|b| f(*a, *b)).collect::<Vec<_>>();
                let to: Vec<Vec<Option<Value>>> = first.iter().map(row).collect();
                let values = to.iter().flatten().flatten().copied().collect();
                self.add(Step::Pair { of, to }, sequence.encoding, values)
            }
            Operation::OfSum(terms, f) => {
                let of: Vec<Id> = terms.iter().map(|term| self.variable(term)).collect();
                let none = BTreeSet::from([Value::ZERO]);
                let sums = of.iter().fold(none, |sums, id| added(&sums, &self.variables[*id].values));
                let to: Vec<(Value, Value)> = sums.into_iter().map(|sum| (sum, f(sum))).collect();
                let values = to.iter().map(|(_, value)| *value).collect();
                self.add(Step::Kinks { of, to, guarded: false }, sequence.encoding, values)
            }
            Operation::Aggregate(selector, of) => self.aggregate(selector, of),
            Operation::Width(selector) => self.width(selector),
        }
    }

    fn input(&mut self, which: usize, step: Step, count: usize) -> Id {
        if let Some(known) = self.inputs[which] {
            return known;
        }
        let id = self.add(step, Encoding::Categorical, (0..count).map(Value::from).collect());
        self.inputs[which] = Some(id);
        id
    }

    /// Keys, queries, and for each value of a query whether it looks at each value of a key.
    fn selector(&mut self, selector: &Selector) -> (Id, Id, Vec<Vec<bool>>) {
        let [keys, queries] = [&selector.keys, &selector.queries].map(|sequence| self.variable(sequence));
        let of_keys = self.values(keys);
        let row = |query: Value| of_keys.iter().map(|key| (selector.predicate)(*key, query)).collect();
        (keys, queries, self.values(queries).into_iter().map(row).collect())
    }

    fn aggregate(&mut self, selector: &Selector, of: &Sequence) -> Id {
        let ((keys, queries, table), of) = (self.selector(selector), self.variable(of));
        let finds = selector.always || finds_itself(keys, queries, &table);
        let boundary = if finds { Boundary::Ignored } else { Boundary::Default };
        let encoding = self.variables[of].encoding;
        let values = match encoding {
            Encoding::Categorical => self.values(of).into_iter().collect(),
            Encoding::Numerical => means(&self.values(of), self.most(keys, &table), finds),
        };
        self.add(Step::Attend(Attend { keys, queries, table, brings: Brings::Mean(of), boundary }), encoding, values)
    }

    /// How many positions a query can look at: no two have the same index.
    fn most(&self, keys: Id, table: &[Vec<bool>]) -> usize {
        let selected = |row: &Vec<bool>| row.iter().filter(|selected| **selected).count();
        let of_one = table.iter().map(selected).max().unwrap_or(0);
        if self.inputs[1] == Some(keys) { of_one } else { self.setting.length }
    }

    /// A head brings 1 / (1 + width), and neurons tell which width that is.
    fn width(&mut self, selector: &Selector) -> Id {
        let (keys, queries, table) = self.selector(selector);
        let least = usize::from(finds_itself(keys, queries, &table));
        let share = |width: usize| Value::new(1, 1 + width as i64);
        let shares = (least..=self.setting.length).map(share).collect();
        let attend = Attend { keys, queries, table, brings: Brings::Boundary, boundary: Boundary::Selected };
        let of = self.add(Step::Attend(attend), Encoding::Numerical, shares);
        // the largest share is the smallest width
        let to: Vec<Value> = (least..=self.setting.length).rev().map(Value::from).collect();
        let values = to.iter().copied().collect();
        self.add(Step::Stairs { of, to, guarded: false }, Encoding::Categorical, values)
    }
}

/// Whether every query looks at its own position.
fn finds_itself(keys: Id, queries: Id, table: &[Vec<bool>]) -> bool {
    keys == queries && table.iter().enumerate().all(|(value, row)| row[value])
}

/// Every sum of one value of each.
fn added(some: &BTreeSet<Value>, more: &[Value]) -> BTreeSet<Value> {
    some.iter().flat_map(|one| more.iter().map(move |other| *one + *other)).collect()
}

/// Every mean of up to `most` of these values; and 0 where there may be none.
fn means(values: &[Value], most: usize, finds: bool) -> BTreeSet<Value> {
    let mut means: BTreeSet<Value> = (!finds).then_some(Value::ZERO).into_iter().collect();
    let mut sums = BTreeSet::from([Value::ZERO]);
    for count in 1..=most {
        sums = added(&sums, values);
        means.extend(sums.iter().map(|sum| sum.shared_by(count)));
        if means.len() > MOST_VALUES {
            break; // refused by the caller
        }
    }
    means
}
