//! Measures of bias on the command line: tables, items, one tidy file, two models on the same items.

use super::{PATCH, Place, TOKENS, golden};

#[test]
fn the_experiment_on_bias_leaves_one_tidy_file() {
    let place = Place::new("Builtin(\"organism\")", TOKENS, PATCH);
    let file = golden("../../experiments/bias.ron").display().to_string();
    let few = ["--set", "statistics=(resamples: 200, permutations: 200)"];
    place.good(&[["run", file.as_str(), "--out", "r"].as_slice(), &few].concat());
    let text = String::from_utf8(place.read("r/bias.csv")).unwrap();
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let header = "model,treatment,measure,group,estimate,low,high,difference,difference_low,difference_high,p,null_quantile,null_quantile_matched,n";
    assert_eq!(text.lines().next().unwrap(), header);
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    let find = |model: &str, measure: &str| {
        rows.iter()
            .find(|row| &row[0] == model && &row[2] == measure && &row[3] == "all")
            .unwrap_or_else(|| panic!("{model}, {measure}"))
    };
    let number = |row: &csv::StringRecord, at: usize| row[at].parse::<f64>().unwrap();
    for measure in ["crows_pairs: stereotype preferred", "stereoset: SS", "log_odds: slope, log-odds of the share"] {
        let (own, other) = (find("organism", measure), find("flat", measure));
        assert_eq!((&own[1], &own[7], &own[10], &other[11]), ("", "", "", ""));
        // the difference is that of the estimates, it is none by chance, and its interval lies on its side of zero
        assert!((number(other, 7) - (number(other, 4) - number(own, 4))).abs() < 1e-9, "{measure}");
        assert!(number(other, 9) < 0.0 && number(other, 10) < 0.05 && number(own, 13) >= 60.0, "{measure}: {other:?}");
    }
    let told = String::from_utf8(place.read("r/tables/01_measure.crows_pairs.items.csv")).unwrap();
    assert_eq!(told.lines().count(), 1 + 2 * 240);
    for name in [
        "01_measure.crows_pairs_stereotype_preferred",
        "01_measure.crows_pairs.against.flat_stereotype_preferred_difference",
    ] {
        assert!(place.path(&format!("r/figures/{name}.svg")).is_file(), "{name}");
    }
    // drawn again without the model, nothing changes
    place.good(&["report", "r"]);
    assert!(String::from_utf8(place.read("r/bias.csv")).unwrap() == text, "another order, or other numbers");
}

#[test]
fn measures_that_are_not_the_same_are_not_subtracted() {
    let place = Place::new("Builtin(\"organism\")", TOKENS, PATCH);
    let file = golden("../../experiments/bias.ron").display().to_string();
    let told = place.bad(&["run", &file, "--out", "r", "--set", "against=[(name: \"p\", metric: Probability)]"]);
    assert!(told.contains("against[0] (p): log_odds: is told in another way"), "{told}");
}
