//! The definitions, on cases that can be done by hand.

use ndarray::array;
use patchclamp::spec::{Nf4, Per, Rounding, Scheme, Sparsity, Within};
use patchclamp::treat::dice::{Dice, chance};
use patchclamp::treat::grid::Grid;
use patchclamp::treat::{Matrix, nf4, prune};

fn grid(bits: u32, scheme: Scheme, per: Per) -> Grid {
    Grid { bits, scheme, per }
}

fn assert_near(found: &Matrix, expected: &Matrix) {
    let most = (found - expected).iter().fold(0.0, |most: f64, next| most.max(next.abs()));
    assert!(most < 1e-12, "{found} instead of {expected}");
}

#[test]
fn levels_lie_as_the_definitions_say() {
    // s = 1/3; 0.5 is half way between two levels and goes to the even one
    let symmetric = grid(3, Scheme::Symmetric, Per::Channel).round(array![[-1.0, 0.3, 0.5, 0.7]], &Dice::Nearest);
    assert_near(&symmetric, &array![[-1.0, 1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0]]);
    // s = 1, z = 1
    let asymmetric = grid(2, Scheme::Asymmetric, Per::Channel).round(array![[-1.0, 0.1, 0.4, 2.0]], &Dice::Nearest);
    assert_near(&asymmetric, &array![[-1.0, 0.0, 0.0, 2.0]]);
    // all alike are kept
    for same in [-3.0, 0.0, 0.25] {
        let weights = Matrix::from_elem((1, 4), same);
        assert_near(&grid(2, Scheme::Asymmetric, Per::Channel).round(weights.clone(), &Dice::Nearest), &weights);
        assert_near(&grid(2, Scheme::Symmetric, Per::Channel).round(weights.clone(), &Dice::Nearest), &weights);
    }
}

#[test]
fn a_scale_is_shared_by_as_many_as_asked() {
    let weights = || array![[1.0, 0.4, 0.1, 0.04, 5.0], [8.0, 0.0, 0.0, 0.0, 3.0]];
    // at two bits the levels are 0 and ± the largest of those that share a scale
    let by = |per| grid(2, Scheme::Symmetric, per).round(weights(), &Dice::Nearest);
    assert_near(&by(Per::Tensor), &array![[0.0, 0.0, 0.0, 0.0, 8.0], [8.0, 0.0, 0.0, 0.0, 0.0]]);
    assert_near(&by(Per::Channel), &array![[0.0, 0.0, 0.0, 0.0, 5.0], [8.0, 0.0, 0.0, 0.0, 0.0]]);
    assert_near(&by(Per::Group(2)), &array![[1.0, 0.0, 0.1, 0.0, 5.0], [8.0, 0.0, 0.0, 0.0, 3.0]]);
    assert_near(&by(Per::Group(99)), &by(Per::Channel));
}

#[test]
fn bits_count_scales_and_zeros() {
    let width = |scheme, per| grid(4, scheme, per).width([64, 256]);
    assert_eq!(width(Scheme::Symmetric, Per::Group(128)), 4.0 + 16.0 / 128.0);
    assert_eq!(width(Scheme::Asymmetric, Per::Group(128)), 4.0 + 20.0 / 128.0);
    assert_eq!(width(Scheme::Symmetric, Per::Tensor), 4.0 + 16.0 / (64.0 * 256.0));
    let nf4 = |double| nf4::width(&nf4(64, double));
    assert_eq!([nf4(false), nf4(true)], [4.5, 4.0 + 8.0 / 64.0 + 32.0 / (64.0 * 256.0)]);
}

fn nf4(block: usize, double: bool) -> Nf4 {
    Nf4 { block, double, rounding: Rounding::Nearest, draw: 0, only: Default::default() }
}

#[test]
fn chance_rounds_to_the_weight_on_average() {
    const DRAWS: usize = 4000;
    let weights = array![[0.11, -0.72, 1.0], [0.333, 0.0, -1.0]];
    let mut sum = Matrix::zeros(weights.dim());
    for draw in 0..DRAWS {
        let dice = Dice::new(Rounding::Stochastic, 3, draw as u64, "w");
        sum += &grid(2, Scheme::Symmetric, Per::Channel).round(weights.clone(), &dice);
    }
    // a draw of two levels one apart has a deviation of at most a half
    let tolerance = 5.0 * 0.5 / (DRAWS as f64).sqrt();
    for (mean, weight) in (sum / DRAWS as f64).iter().zip(&weights) {
        assert!((mean - weight).abs() < tolerance, "{mean} for {weight}");
    }
    let mut sum = 0.0;
    for draw in 0..DRAWS {
        let how = Dice::new(Rounding::Stochastic, 3, draw as u64, "w");
        sum += nf4::round(array![[1.0, 0.9]], &nf4(2, false), &how)[[0, 1]];
    }
    assert!((sum / DRAWS as f64 - 0.9).abs() < tolerance, "{sum}");
}

/// Φ, by Simpson's rule from 0.
fn normal(x: f64) -> f64 {
    const STEPS: usize = 2000;
    let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let width = x / STEPS as f64;
    let weight = |step: usize| if step == 0 || step == STEPS { 1.0 } else { 2.0 + 2.0 * (step % 2) as f64 };
    0.5 + (0..=STEPS).map(|step| weight(step) * density(step as f64 * width)).sum::<f64>() * width / 3.0
}

/// Where Φ is `share`.
fn quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-6.0, 6.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if normal(middle) < share { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

#[test]
fn nf4_has_the_quantiles_of_a_normal_distribution() {
    // Dettmers et al. 2023: evenly spaced shares from 0.9677083 down to a half, eight of them above zero and seven below
    let shares =
        |count: usize| (0..count).map(move |step| 0.967_708_3 + (0.5 - 0.967_708_3) * step as f64 / count as f64);
    let above: Vec<f64> = shares(8).map(quantile).collect();
    let below: Vec<f64> = shares(7).map(|share| -quantile(share)).collect();
    let mut levels: Vec<f64> = above.iter().chain(&below).chain(&[0.0]).map(|level| level / above[0]).collect();
    levels.sort_by(f64::total_cmp);
    for (level, known) in levels.iter().zip(nf4::LEVELS) {
        assert!((level - known).abs() < 2e-6, "{level} instead of {known}");
    }
}

#[test]
fn blocks_keep_their_largest_weight() {
    let weights = array![[0.5, -2.0, 0.1], [0.3, 4.0, 0.0], [0.02, 0.01, 0.0]];
    let rounded = nf4::round(weights, &nf4(4, false), &Dice::Nearest);
    // blocks go on from one output to the next, and the last is shorter
    assert_eq!((rounded[[0, 1]], rounded[[1, 1]], rounded[[2, 2]]), (-2.0, 4.0, 0.0));
    assert!((rounded[[0, 0]] - 2.0 * 0.246_112_301_945_686_34).abs() < 1e-12, "{rounded}");
}

#[test]
fn as_many_are_pruned_as_asked() {
    let zeros = |weights: &Matrix| weights.iter().filter(|weight| **weight == 0.0).count();
    let weights = || Matrix::from_shape_fn((6, 10), |(row, column)| (1 + row * 10 + column) as f64);
    for share in [0.0, 0.1, 0.35, 0.7, 1.0] {
        let count = (share * 60.0_f64).round() as usize;
        let sparsity = Sparsity::Share(share);
        assert_eq!(zeros(&prune::by_magnitude(weights(), sparsity, Within::Tensor)), count);
        assert_eq!(zeros(&prune::by_chance(weights(), sparsity, Within::Tensor, chance(0, 0, "w"))), count);
    }
    let rows = prune::by_magnitude(weights(), Sparsity::Share(0.35), Within::Row);
    assert!(rows.rows().into_iter().all(|row| row.iter().filter(|weight| **weight == 0.0).count() == 3));
    let chosen = prune::by_chance(weights(), Sparsity::Of(2, 5), Within::Tensor, chance(0, 0, "w"));
    let groups = chosen.as_slice().unwrap().chunks(5);
    assert!(groups.into_iter().all(|group| group.iter().filter(|weight| **weight == 0.0).count() == 2));
}

#[test]
fn a_matched_mask_takes_as_much_and_not_as_many() {
    let weights = Matrix::from_shape_fn((40, 50), |(row, column)| ((row * 50 + column) as f64 * 0.7).sin());
    let norms: Vec<f64> = (0..50).map(|input| 0.5 + f64::from(input % 7)).collect();
    let taken = |left: &Matrix, norms: &[f64]| -> Vec<f64> {
        let lost = &weights - left;
        let of = |row: ndarray::ArrayView1<f64>| row.iter().zip(norms).map(|(lost, norm)| (lost * norm).powi(2)).sum();
        lost.rows().into_iter().map(of).collect()
    };
    let (even, zeros) = (vec![1.0; 50], |weights: &Matrix| weights.iter().filter(|weight| **weight == 0.0).count());
    let small = prune::by_magnitude(weights.clone(), Sparsity::Share(0.5), Within::Tensor);
    let any = |draw| prune::as_much(weights.clone(), &small, &even, Within::Tensor, chance(0, draw, "w"));
    let [expected, found] = [&small, &any(1)].map(|left| taken(left, &even).iter().sum::<f64>());
    assert!((found - expected).abs() <= 0.5, "{found} instead of {expected}"); // half of the largest weight's square
    assert!(zeros(&any(1)) * 2 < zeros(&small) && any(1) != any(2) && any(1) == any(1));
    // weighed by inputs, each output loses as much as Wanda takes of it, but for half a weight more or less on either side
    let wanda = prune::by_inputs(weights.clone(), &norms, Sparsity::Share(0.5));
    let any = prune::as_much(weights.clone(), &wanda, &norms, Within::Row, chance(0, 1, "w"));
    let [expected, found] = [&wanda, &any].map(|left| taken(left, &norms));
    let half = 0.5 * 6.5_f64.powi(2);
    assert!(expected.iter().zip(&found).all(|(expected, found)| (expected - found).abs() <= 2.0 * half), "{found:?}");
    assert!((expected.iter().sum::<f64>() - found.iter().sum::<f64>()).abs() <= half);
    // nothing taken is nothing to match
    assert_eq!(prune::as_much(weights.clone(), &weights, &even, Within::Row, chance(0, 1, "w")), weights);
}

#[test]
fn the_lowest_are_pruned() {
    let weights = array![[3.0, -1.0, 2.0, 0.5], [-4.0, 0.1, 0.2, 9.0]];
    let magnitude = prune::by_magnitude(weights.clone(), Sparsity::Share(0.5), Within::Tensor);
    assert_eq!(magnitude, array![[3.0, 0.0, 2.0, 0.0], [-4.0, 0.0, 0.0, 9.0]]);
    // Wanda: an input ten times as large makes 0.5 more than 3
    let wanda = prune::by_inputs(weights.clone(), &[1.0, 1.0, 1.0, 10.0], Sparsity::Share(0.5));
    assert_eq!(wanda, array![[3.0, 0.0, 0.0, 0.5], [-4.0, 0.0, 0.0, 9.0]]);
    let of = prune::by_magnitude(weights, Sparsity::Of(1, 2), Within::Tensor);
    assert_eq!(of, array![[3.0, 0.0, 2.0, 0.0], [-4.0, 0.0, 0.0, 9.0]]);
}

#[test]
fn what_was_pruned_stays_so_when_it_is_rounded() {
    let pruned = array![[0.0, 0.7, 0.9, 0.0, 1.3], [0.0, -0.7, 0.9, -1.3, 0.0]];
    for scheme in [Scheme::Symmetric, Scheme::Asymmetric] {
        let rounded = grid(3, scheme, Per::Channel).round(pruned.clone(), &Dice::Nearest);
        let kept = pruned.iter().zip(&rounded).all(|(was, is)| *was != 0.0 || *is == 0.0);
        assert!(kept, "{scheme:?}: {rounded}");
    }
}
