//! Programs that the library has none of: heads that find nothing, answers that are keys again, functions that are not 0 at 0.

use super::*;
use crate::model::parts::position::Sight;
use crate::model::{Pass, run};
use crate::program::{Answers, Encoding, Name, Program, Reads, Selector, Sequence, Value, evaluate};
use crate::tensor::{Device, to_doubles};
use crate::text::{SpecialTokens, Tokens};

/// What f32 leaves of a stair, which is a difference of numbers a hundred times as large.
const ROUNDING: f64 = 1e-4;

/// Where a model's answer at one of all positions of all inputs is not the program's.
fn wrong(output: &Sequence, sight: Sight) -> Option<String> {
    let task = Task { program: Name::Length, symbols: Some(3), length: Some(4), beside: Vec::new() };
    let program = Program { output: output.clone(), answers: Answers::Numbers, sight, reads: Reads::Every };
    let setting = program::Setting { program, ..task.setting().unwrap() };
    let loaded = in_sizes(&setting, &task).unwrap().load(&[], &Device::Flex(Default::default())).unwrap();
    let text = loaded.text.as_ref().unwrap();
    for input in setting.inputs(1..=4) {
        let ids = text.encode(&setting.text(&input), SpecialTokens::AsTokenizer).unwrap();
        let logits = to_doubles(&run(loaded.model.as_ref(), &Pass::whole(&Tokens::new(vec![ids])), &mut ()).unwrap());
        let rows = logits.chunks_exact(loaded.model.dims().vocabulary).skip(1);
        for (at, (logits, value)) in rows.zip(evaluate(output, &input, sight)).enumerate() {
            let of = |id: usize| logits[id];
            let most = (0..logits.len()).map(of).fold(0.0, |most: f64, logit| most.max(logit.abs()));
            let answer = value.map(|value| text.id(&setting.answer(value)).unwrap() as usize);
            let others = (0..logits.len()).filter(|id| Some(*id) != answer).map(of).fold(f64::NEG_INFINITY, f64::max);
            let right = match answer {
                Some(answer) => of(answer) - others >= MARGIN - ROUNDING * most,
                None => most < ROUNDING * MARGIN,
            };
            if !right {
                return Some(format!("{input:?} at {at}: {value:?}, but {logits:?}"));
            }
        }
    }
    None
}

fn before() -> Sequence {
    let indices = Sequence::indices();
    Selector::new(&indices, &indices, |key, query| key + Value::ONE == query).aggregate(&Sequence::tokens())
}

fn how_many(keys: &Sequence, queries: &Sequence) -> Sequence {
    Selector::new(keys, queries, |key, query| key == query).width()
}

#[test]
fn what_finds_nothing_is_nothing() {
    for sight in [Sight::Both, Sight::Causal] {
        assert_eq!(wrong(&before(), sight), None, "{sight:?}");
    }
}

#[test]
fn answers_of_heads_can_be_looked_at_again() {
    let tokens = Sequence::tokens();
    // reads itself from the other end: at the boundary token the head would bring a mixture
    let length = Selector::new(&tokens, &tokens, |_, _| true).width();
    let opposite = length.zip(&Sequence::indices(), |length, index| {
        Some(length - index - Value::ONE).filter(|opposite| *opposite >= Value::ZERO)
    });
    let mirror = Selector::new(&Sequence::indices(), &opposite, |key, query| key == query).always().aggregate(&tokens);
    for keys in [before(), mirror] {
        for sight in [Sight::Both, Sight::Causal] {
            let count = how_many(&keys, &tokens);
            assert_eq!(wrong(&count, sight), None, "{sight:?}");
            // a count may be 0, which is what the boundary token has
            assert_eq!(wrong(&how_many(&count, &Sequence::indices()), sight), None, "{sight:?}");
        }
    }
}

#[test]
fn numbers_become_categories() {
    let first = Sequence::tokens().number(|token| (token == Value::ZERO).into());
    let indices = Sequence::indices();
    let shares = Selector::new(&indices, &indices, |key, query| key <= query).aggregate(&first);
    let parts = shares.map(|share| if share > Value::new(1, 2) { Value::ONE } else { Value::ZERO });
    for sight in [Sight::Both, Sight::Causal] {
        assert_eq!(wrong(&parts, sight), None, "{sight:?}");
        assert_eq!(wrong(&how_many(&parts, &parts), sight), None, "{sight:?}");
        assert_eq!(wrong(&shares.number(|share| Value::ONE - share), sight), None, "{sight:?}");
    }
}

#[test]
fn functions_of_sums_may_be_anything_at_nothing() {
    let is = |symbol: usize| Sequence::tokens().number(move |token| (token == Value::from(symbol)).into());
    let neither = Sequence::of_sum(&[is(0), is(1)], |sum| Value::ONE - sum);
    let indices = Sequence::indices();
    let behind = Selector::new(&indices, &indices, |key, query| key == query + Value::ONE).aggregate(&neither);
    for sight in [Sight::Both, Sight::Causal] {
        assert_eq!(wrong(&neither, sight), None, "{sight:?}");
        assert_eq!(wrong(&behind, sight), None, "{sight:?}");
    }
    assert_eq!(neither.encoding, Encoding::Numerical);
}
