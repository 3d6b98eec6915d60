//! Scores of edges where what stands in is the same whatever the other prompt is: nothing, or means.

use super::*;

/// What stands in whatever the other prompt is.
const CONSTANT: [Stand; 3] = [Stand::Zero, Stand::Mean, Stand::MeanPerPosition];

#[test]
fn an_exact_score_is_what_the_circuit_loses_that_lacks_one_edge() {
    let data = random_pairs(&[5, 5, 5], None);
    for (case, stand) in ["gpt2", "llama", "pythia-parallel"].into_iter().flat_map(|case| CONSTANT.map(|s| (case, s))) {
        let loaded = load(case);
        let (model, plan) = (loaded.model.ungrouped(), plan(&data, &loaded));
        let bench = bench(model.as_ref(), &plan, 64);
        let edges = order(model.as_ref()).edges();
        let found = scored_by(&bench, Score::Exact, stand);
        let some: Vec<usize> = (0..edges.len()).step_by(7).collect();
        let outside: Vec<_> = [Vec::new()].into_iter().chain(some.iter().map(|edge| vec![edges[*edge]])).collect();
        let values = Evaluation::new(&bench, stand).unwrap().values(&[0, 1, 2], &outside).unwrap();
        for (edge, without) in some.iter().zip(&values[1..]) {
            for (item, (without, whole)) in without.iter().zip(&values[0]).enumerate() {
                let (score, lost) = (f64::from(found[item][*edge]), without - whole);
                assert!((score - lost).abs() < 2e-5, "{case} {stand:?} {}: {score} {lost}", edges[*edge]);
            }
        }
        assert!(found.iter().flatten().any(|score| score.abs() > 1e-2), "{case} {stand:?}");
    }
}

#[test]
fn scores_out_of_an_input_that_is_taken_away_tend_to_what_is_lost_by_it() {
    let data = random_pairs(&[5, 5, 5], None);
    // not from zeros: near them a norm divides by next to nothing, and no step is small enough
    let stands = [Stand::Mean, Stand::MeanPerPosition];
    for (case, stand) in ["gpt2", "gemma", "pythia-parallel"].into_iter().flat_map(|case| stands.map(|s| (case, s))) {
        let loaded = load_in(case, Precision::F64);
        let (model, plan) = (loaded.model.ungrouped(), plan(&data, &loaded));
        let bench = bench(model.as_ref(), &plan, 64);
        let order = order(model.as_ref());
        let input = order.edges_of(0).map(|edge| order.edges()[edge]).collect();
        let values = Evaluation::new(&bench, stand).unwrap().values(&[0, 1, 2], &[Vec::new(), input]).unwrap();
        let lost: Vec<f64> = values[1].iter().zip(&values[0]).map(|(without, whole)| without - whole).collect();
        let most = lost.iter().fold(0.0, |most: f64, lost| most.max(lost.abs()));
        let errors = |steps: usize| -> Vec<f64> {
            let found = scored_by(&bench, Score::EapIg { steps }, stand);
            let sum = |item: &Vec<f32>| order.edges_of(0).map(|edge| f64::from(item[edge])).sum::<f64>();
            found.iter().zip(&lost).map(|(item, lost)| sum(item) - lost).collect()
        };
        for (few, many) in errors(128).iter().zip(&errors(256)) {
            // a sum over m steps is off by a term in 1/m, which two of them cancel, and then by one in 1/m²
            let left = 0.1 * few.abs() + 1e-3 * most;
            assert!((2.0 * many - few).abs() < left, "{case} {stand:?}: {few} {many} of {most}");
        }
    }
}
