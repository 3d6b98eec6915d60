//! Rounding and pruning beside plain numpy (`tests/golden/treat.py`).

use super::common::golden;
use patchclamp::spec::{Nf4, Per, Rounding, Scheme, Sparsity};
use patchclamp::treat::dice::Dice;
use patchclamp::treat::gptq::{Making, gptq};
use patchclamp::treat::grid::Grid;
use patchclamp::treat::hessian::Moments;
use patchclamp::treat::{Matrix, awq, fair, nf4, prune, sparse_gpt};
use serde_json::Value;

/// Both compute in f64; errors are made up for some twenty times over.
const TOLERANCE: f64 = 1e-9;

fn file() -> Value {
    serde_json::from_slice(&std::fs::read(golden("treat.json")).unwrap()).unwrap()
}

fn matrix(file: &Value, name: &str) -> Matrix {
    let rows: Vec<Vec<f64>> = serde_json::from_value(file[name].clone()).unwrap_or_else(|_| panic!("{name}"));
    Matrix::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

fn moments(file: &Value) -> Moments {
    let (x, apart) = (matrix(file, "X"), matrix(file, "A") - matrix(file, "B"));
    let sizes = x.columns().into_iter().map(|column| column.iter().map(|value| value.abs()).sum()).collect();
    let (gram, count, pairs) = (x.t().dot(&x), x.nrows(), apart.nrows());
    Moments { count, gram, sizes, pairs, apart: apart.t().dot(&apart) }
}

/// Every case whose name begins so: the words behind it, and what is expected.
fn cases(file: &Value, kind: &str) -> Vec<(Vec<String>, Matrix)> {
    let names = file.as_object().unwrap().keys().filter(|name| name.split(' ').next() == Some(kind));
    let found: Vec<_> =
        names.map(|name| (name.split(' ').skip(1).map(String::from).collect(), matrix(file, name))).collect();
    assert!(!found.is_empty(), "no case of {kind}");
    found
}

fn assert_near(found: &Matrix, expected: &Matrix, what: &[String]) {
    let most = (found - expected).iter().fold(0.0, |most: f64, next| most.max(next.abs()));
    assert!(most < TOLERANCE, "{what:?}: differs by {most}");
}

fn grid(words: &[String]) -> Grid {
    let scheme = if words[1] == "1" { Scheme::Symmetric } else { Scheme::Asymmetric };
    Grid { bits: words[0].parse().unwrap(), scheme, per: Per::Group(words[2].parse().unwrap()) }
}

#[test]
fn rounding_is_as_in_numpy() {
    let file = file();
    for (words, expected) in cases(&file, "round") {
        assert_near(&grid(&words).round(matrix(&file, "W"), &Dice::Nearest), &expected, &words);
    }
    for (words, expected) in cases(&file, "nf4") {
        let (block, double) = (words[0].parse().unwrap(), words[1] == "1");
        let how = Nf4 { block, double, rounding: Rounding::Nearest, draw: 0, only: Default::default() };
        assert_near(&nf4::round(matrix(&file, "W"), &how, &Dice::Nearest), &expected, &words);
    }
}

#[test]
fn errors_are_made_up_for_as_in_numpy() {
    let file = file();
    for (words, expected) in cases(&file, "gptq") {
        let how = Making { grid: grid(&words), act_order: words[3] == "1", damping: 0.01 };
        assert_near(&gptq(matrix(&file, "W"), moments(&file).hessian(), &how, &Dice::Nearest), &expected, &words);
    }
    for (words, expected) in cases(&file, "fair") {
        let how = Making { grid: grid(&words), act_order: false, damping: 0.01 };
        let alpha = words[3].parse().unwrap();
        let found = fair::fair_gptq(matrix(&file, "W"), &moments(&file), alpha, &how, &Dice::Nearest);
        assert_near(&found, &expected, &words);
    }
}

#[test]
fn large_inputs_get_room_as_in_numpy() {
    let file = file();
    for (words, expected) in cases(&file, "awq") {
        let maps = vec![(matrix(&file, "W"), Dice::Nearest)];
        assert_near(&awq::awq(maps, &moments(&file), &grid(&words))[0], &expected, &words);
    }
}

fn sparsity(word: &str) -> Sparsity {
    match word.split_once(':') {
        Some((zeros, of)) => Sparsity::Of(zeros.parse().unwrap(), of.parse().unwrap()),
        None => Sparsity::Share(word.parse().unwrap()),
    }
}

#[test]
fn pruning_is_as_in_numpy() {
    let file = file();
    for (words, expected) in cases(&file, "wanda") {
        let found = prune::by_inputs(matrix(&file, "W"), &moments(&file).norms(), sparsity(&words[0]));
        assert_near(&found, &expected, &words);
    }
    for (words, expected) in cases(&file, "sparse") {
        let (how, block) = (sparsity(&words[0]), words[1].parse().unwrap());
        let found = sparse_gpt::sparse_gpt(matrix(&file, "W"), moments(&file).hessian(), how, 0.01, block);
        assert_near(&found, &expected, &words);
        // what went is exactly zero
        assert!(found.iter().zip(&expected).all(|(found, expected)| (*found == 0.0) == (*expected == 0.0)));
    }
}
