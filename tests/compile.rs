//! Compiled programs: every input of a small size is answered as the program answers it, and the true circuit is true.

mod common;

use common::*;
use patchclamp::circuit::exchange;
use patchclamp::compile::{MARGIN, compile};
use patchclamp::hook::{Ablated, Severed};
use patchclamp::model::Model;
use patchclamp::model::load::Loaded;
use patchclamp::node::Edge;
use patchclamp::precision::Precision;
use patchclamp::program::{Name, Setting as Program, Task};
use patchclamp::site::Site;
use patchclamp::tensor::{Setting, to_doubles};
use patchclamp::text::{SpecialTokens, Tokens};
use std::collections::BTreeMap;

/// What sums in f64 leave of an exact computation, of logits of some hundreds.
const IN_F64: f64 = 1e-9;
/// The same in f32, as a share of the largest logit: stairs are differences of numbers a hundred times as large.
const IN_F32: f64 = 1e-4;

fn task(program: Name) -> Task {
    let (symbols, length) = match program {
        _ if program.bits().is_some() => (None, None),
        Name::SortUnique => (Some(5), Some(4)),
        _ => (Some(3), Some(5)),
    };
    Task { program, symbols, length, beside: Vec::new() }
}

fn load_compiled(task: &Task, precision: Precision) -> Loaded {
    compile(task).unwrap().load(&[], Setting { device: device(), precision }).unwrap()
}

/// An input, and its tokens with the boundary before them.
type Asked = (Vec<usize>, Vec<u32>);

/// The inputs that a program answers, by length.
fn rows(program: &Program, loaded: &Loaded) -> BTreeMap<usize, Vec<Asked>> {
    let text = loaded.text.as_ref().unwrap();
    let mut by_length: BTreeMap<usize, Vec<Asked>> = BTreeMap::new();
    for input in program.inputs(1..=program.length) {
        let row = text.encode(&program.text(&input), SpecialTokens::AsTokenizer).unwrap();
        assert_eq!(row.len(), input.len() + 1);
        by_length.entry(input.len()).or_default().push((input, row));
    }
    by_length
}

/// The logits that a model should give where the answer is `value`: of categories [`MARGIN`] for one token and 0 for the
/// others, of numbers what makes the nearest one largest.
fn check(name: Name, precision: Precision, tolerance: f64) {
    let task = task(name);
    let (program, loaded) = (task.setting().unwrap(), load_compiled(&task, precision));
    let text = loaded.text.as_ref().unwrap();
    let vocabulary = loaded.model.dims().vocabulary;
    let mut asked = 0;
    for rows in rows(&program, &loaded).values() {
        let tokens = Tokens::new(rows.iter().map(|(_, row)| row.clone()).collect());
        let logits = to_doubles(&logits(loaded.model.as_ref(), &tokens, &mut ()));
        for (row, (input, ids)) in rows.iter().enumerate() {
            for (at, value) in program.answers(input) {
                let start = (row * ids.len() + at + 1) * vocabulary;
                let logits = &logits[start..start + vocabulary];
                let answer = text.id(&program.answer(value)).unwrap() as usize;
                let most = logits.iter().fold(0.0, |most: f64, logit| most.max(logit.abs()));
                let others = (0..vocabulary).filter(|token| *token != answer).map(|token| logits[token]);
                let next = others.fold(f64::NEG_INFINITY, f64::max);
                let lead = logits[answer] - next;
                assert!(lead >= MARGIN - tolerance * most, "{name:?} {input:?} at {at}: {value} leads by {lead}");
                asked += 1;
            }
        }
    }
    assert!(asked >= 4, "{name:?}");
}

#[test]
fn compiled_models_answer_as_their_programs_on_every_input() {
    for name in Name::ALL {
        check(name, Precision::F64, IN_F64);
        check(name, Precision::F32, IN_F32);
    }
}

/// What a model answers to every input, at the positions where it is asked, with some edges bringing nothing; and its logits.
fn told(program: &Program, loaded: &Loaded, severed: &[Edge]) -> (Vec<usize>, Vec<f64>) {
    let (model, vocabulary) = (loaded.model.as_ref(), loaded.model.dims().vocabulary);
    let (mut answers, mut all) = (Vec::new(), Vec::new());
    for rows in rows(program, loaded).values() {
        let tokens = Tokens::new(rows.iter().map(|(_, row)| row.clone()).collect());
        let ablated = nothing(model, &tokens);
        let logits = to_doubles(&logits(model, &tokens, &mut Severed::new(&ablated, severed.iter().copied())));
        for (row, (input, ids)) in rows.iter().enumerate() {
            for (at, _) in program.answers(input) {
                let start = (row * ids.len() + at + 1) * vocabulary;
                let logits = &logits[start..start + vocabulary];
                let largest = |best: usize, next: usize| if logits[next] > logits[best] { next } else { best };
                answers.push((0..vocabulary).fold(0, largest));
                all.extend_from_slice(logits);
            }
        }
    }
    (answers, all)
}

/// Zero in the place of everything that is written.
fn nothing(model: &dyn Model, tokens: &Tokens) -> Ablated {
    let written = |site: &Site| matches!(site, Site::ResidPre(0) | Site::Mix(_) | Site::MlpOut(_));
    let record = recorded(model, tokens, model.sites().into_iter().filter(written));
    let states = record.into_kept().into_iter().map(|(site, state)| (site, state.zeros_like())).collect();
    let outs = (0..model.dims().layers).map(|layer| model.block(layer).attention.out.weight.clone()).collect();
    let neurons = vec![Vec::new(); model.dims().layers];
    Ablated { states, outs, neurons, last: model.last_stream() }
}

/// A change of a logit that is no rounding: the answer's is [`MARGIN`] above the others'.
const CLEAR: f64 = MARGIN / 4.0;

/// The programs as they are, and some in one model with others that nobody reads.
fn tasks() -> Vec<Task> {
    let alone = Name::ALL.map(task);
    let beside = |program, beside: &[Name]| Task { beside: beside.to_vec(), ..task(program) };
    let together = [
        beside(Name::Reverse, &[Name::Histogram, Name::SortUnique]),
        beside(Name::FracPrevs, &[Name::Reverse, Name::Length]),
        beside(Name::Or, &[Name::And, Name::Xor]),
    ];
    alone.into_iter().chain(together).collect()
}

#[test]
fn nothing_but_the_true_circuit_changes_anything() {
    for task in tasks() {
        let task = Task { length: task.length.map(|length| length.min(4)), ..task };
        let (program, compiled) = (task.setting().unwrap(), compile(&task).unwrap());
        let loaded = load_compiled(&task, Precision::F32);
        let (answers, logits) = told(&program, &loaded, &[]);
        let outside: Vec<Edge> = compiled.truth.links().filter(|link| !link.in_circuit).map(|link| link.edge).collect();
        assert!(told(&program, &loaded, &outside).1 == logits, "{task:?}: the rest of the edges does something");
        for edge in outside {
            assert!(told(&program, &loaded, &[edge]).1 == logits, "{task:?}: {edge} does something");
        }
        let inside: Vec<Edge> = compiled.truth.edges().map(|link| link.edge).collect();
        assert!(told(&program, &loaded, &inside).0 != answers, "{task:?}");
        // of Backup each of two ways is enough
        for edge in inside.iter().filter(|_| task.program != Name::Backup) {
            let without = told(&program, &loaded, &[*edge]).1;
            let most = without.iter().zip(&logits).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()));
            assert!(most > CLEAR, "{task:?}: without {edge} logits change by no more than {most}");
        }
    }
}

#[test]
fn either_way_of_a_backup_is_enough_and_one_is_needed() {
    let task = task(Name::Backup);
    let (program, compiled) = (task.setting().unwrap(), compile(&task).unwrap());
    let loaded = load_compiled(&task, Precision::F32);
    let (answers, _) = told(&program, &loaded, &[]);
    let edges = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<Edge>>();
    let ways = [edges(&["m0->a1.h0<v>", "a1.h0->m1"]), edges(&["m0->a1.h1<v>", "a1.h1->m1"])];
    for way in &ways {
        assert!(way.iter().all(|edge| compiled.truth.contains(*edge)));
        assert!(told(&program, &loaded, way).0 == answers);
    }
    assert!(told(&program, &loaded, &ways.concat()).0 != answers);
}

/// By hand: the programs of Tracr's authors need these edges and no others.
#[test]
fn the_circuits_of_frac_prevs_and_reverse_are_those_of_their_programs() {
    let truth = |name| {
        let compiled = compile(&task(name)).unwrap();
        let names: Vec<String> = compiled.truth.edges().map(|link| link.edge.to_string()).collect();
        (names.join(" "), compiled.truth.links().len())
    };
    // layers of one head: 2 sources at each layer's ports and those of the input
    assert_eq!(
        truth(Name::FracPrevs),
        ("input->m0 input->a1.h0<q> input->a1.h0<k> m0->a1.h0<v> a1.h0->logits".into(), 23)
    );
    assert_eq!(
        truth(Name::Reverse),
        (
            "input->a0.h0<v> input->m1 input->a2.h0<k> input->a2.h0<v> a0.h0->m0 m0->m1 m1->a2.h0<q> a2.h0->logits"
                .into(),
            46
        )
    );
}

#[test]
fn programs_beside_are_in_the_model_and_not_in_the_circuit() {
    let task = Task { beside: vec![Name::Histogram, Name::Sort], ..task(Name::Reverse) };
    let (with, alone) = (compile(&task).unwrap().truth, compile(&Task { beside: Vec::new(), ..task }).unwrap().truth);
    assert!(with.blocks().heads > alone.blocks().heads);
    assert_eq!(with.size(), alone.size());
}

#[test]
fn a_true_circuit_is_written_and_read_again() {
    let truth = compile(&task(Name::Sort)).unwrap().truth;
    let text = exchange::write(&truth, &Default::default());
    let read = exchange::read("circuit.json", &text).unwrap().circuit;
    assert!(read.links().eq(truth.links()) && read.blocks() == truth.blocks());
}
