//! Programs say what their names promise: against plain Rust, on every input of a small size.

use super::*;

fn setting(program: Name, symbols: usize, length: usize) -> Setting {
    Task { program, symbols: Some(symbols), length: Some(length), beside: Vec::new() }.setting().unwrap()
}

/// What a program should answer at every position, in plain Rust.
fn expected(name: Name, input: &[usize]) -> Vec<Value> {
    let whole = |values: Vec<usize>| values.into_iter().map(Value::from).collect();
    let sorted = || {
        let mut sorted = input.to_vec();
        sorted.sort_unstable();
        sorted
    };
    let bits = input;
    match name {
        Name::Reverse => whole(input.iter().rev().copied().collect()),
        Name::Sort | Name::SortUnique => whole(sorted()),
        Name::Histogram => whole(input.iter().map(|t| input.iter().filter(|other| *other == t).count()).collect()),
        Name::Length => whole(vec![input.len(); input.len()]),
        Name::FracPrevs => {
            let share = |at: usize| input[..=at].iter().filter(|token| **token == 0).count();
            (0..input.len()).map(|at| Value::new(share(at) as i64, at as i64 + 1)).collect()
        }
        Name::And => vec![(bits[0] & bits[1]).into()],
        Name::Or => vec![(bits[0] | bits[1]).into()],
        Name::Xor => vec![(bits[0] ^ bits[1]).into()],
        Name::Adder => vec![(bits[0] + bits[1] + bits[2]).into()],
        Name::Backup => vec![bits[0].into()],
        Name::Gates => vec![((bits[0] & bits[1]) | (bits[2] ^ bits[3])).into()],
    }
}

#[test]
fn programs_say_what_their_names_promise() {
    for name in Name::ALL {
        let setting = match name.bits() {
            Some(bits) => setting(name, 2, bits),
            None if name == Name::SortUnique => setting(name, 5, 4),
            None => setting(name, 3, 5),
        };
        let inputs = setting.inputs(1..=setting.length);
        assert!(inputs.len() >= 4, "{name:?}: {}", inputs.len());
        for input in inputs {
            let answers: Vec<Value> = setting.answers(&input).into_iter().map(|(_, value)| value).collect();
            assert_eq!(answers, expected(name, &input), "{name:?} {input:?}");
        }
    }
}

/// 3 + 9 + 27 texts; of different tokens 5 + 5·4 + 5·4·3.
#[test]
fn inputs_are_all_there_are() {
    assert_eq!(setting(Name::Reverse, 3, 5).inputs(1..=3).len(), 39);
    assert_eq!(setting(Name::SortUnique, 5, 3).inputs(1..=3).len(), 85);
    assert_eq!(setting(Name::Gates, 2, 4).inputs(1..=4).len(), 16);
}

#[test]
fn questions_differ_from_each_other_and_their_inputs_in_the_answer() {
    // texts of one length have one
    for name in Name::ALL.into_iter().filter(|name| *name != Name::Length) {
        let setting = Task { program: name, symbols: None, length: None, beside: Vec::new() }.setting().unwrap();
        let questions = setting.questions(40, 2, 7);
        assert_eq!(questions, setting.questions(40, 2, 7), "{name:?}");
        assert!(questions.len() == 40 || name.bits().is_some(), "{name:?}: {}", questions.len());
        for (place, Question { clean, corrupt, at, right, wrong }) in questions.iter().enumerate() {
            assert!(right != wrong && clean.len() == corrupt.len(), "{name:?}");
            assert!(
                setting.answers(clean).contains(&(*at, *right)) && setting.answers(corrupt).contains(&(*at, *wrong))
            );
            assert!(!questions[..place].contains(&questions[place]));
        }
    }
    // of two bits whose AND differs: 1 · 3 pairs, both ways round
    assert_eq!(setting(Name::And, 2, 2).questions(40, 2, 0).len(), 6);
}

#[test]
fn sizes_that_make_no_sense_are_refused_together() {
    let told = |program, symbols, length| {
        let task = Task { program, symbols, length, beside: Vec::new() };
        task.setting().map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(
        told(Name::Reverse, Some(27), Some(17)),
        "symbols: 27 is not between 2 and 26, the letters\nlength: 17 is not between 2 and 16; longer texts have shares and counts too near each other for f32"
    );
    assert_eq!(
        told(Name::And, Some(3), Some(3)),
        "symbols: 3; And reads bits, so leave it out\nlength: 3; And reads 2 bits, so leave it out"
    );
    assert_eq!(
        told(Name::SortUnique, Some(3), Some(4)),
        "length: 4 different tokens cannot be made of 3 symbols; give more, or take Sort"
    );
}
