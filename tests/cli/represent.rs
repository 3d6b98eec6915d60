//! Spaces of two models, held against each other through their run folders.

use super::{Place, golden};

/// Ten prompts of three tokens with labels, two of each word.
fn data() -> String {
    let pair = |item: usize| {
        let (word, kind) = (5 + item / 2, ["a", "b"][item / 2 % 2]);
        format!(
            "(clean: [1, {}, {word}], corrupt: [1, {}, {word}], right: 5, wrong: 6, labels: {{\"word\": \"w{word}\", \"kind\": \"{kind}\"}})",
            20 + item % 2,
            30 + item
        )
    };
    format!("Pairs([{}])", (0..10).map(pair).collect::<Vec<_>>().join(", "))
}

fn place(against: &str) -> Place {
    let method = r#"Represent(conditions: "word", models: ["kind"])"#;
    let place = Place::new(&format!("Path({:?})", golden("gpt2")), &data(), method);
    let text = String::from_utf8(place.read("q.ron")).unwrap();
    let more = format!("    statistics: (resamples: 50, permutations: 50),\n    against: [{against}],\n)");
    place.write("q.ron", (text.trim_end().trim_end_matches(')').to_string() + &more).as_bytes());
    place
}

#[test]
fn spaces_of_two_models_are_held_against_each_other() {
    let other = golden("half");
    let place = place(&format!("(name: \"half\", model: Path({other:?}))"));
    place.good(&["run", "q.ron", "--out", "r"]);
    let table = String::from_utf8(place.read("r/tables/01_represent.against.half.csv")).unwrap();
    let rows: Vec<&str> = table.lines().skip(1).collect();
    let layers = |folder: &str| {
        let table = String::from_utf8(place.read(&format!("{folder}/tables/01_represent.dimension.csv"))).unwrap();
        table.lines().filter(|line| line.contains("\"dimension, participation ratio\"")).count()
    };
    // alignment and agreement of every layer here with every layer there
    assert_eq!(rows.len(), 2 * layers("r") * layers("r/against/half"), "{table}");
    assert!(rows.iter().all(|row| row.contains("layer ") && row.contains(" ~ ")), "{table}");
    for figure in ["alignment", "agreement"] {
        assert!(place.path(&format!("r/figures/01_represent.against.half_{figure}.svg")).is_file());
    }
    for figure in ["01_represent.geometry_agreement.svg", "01_represent.alignment_alignment.svg"] {
        assert!(place.path(&format!("r/figures/{figure}")).is_file(), "{:?}", super::contents(&place.path("r")).keys());
    }
    assert!(place.path("r/tensors/01_represent.safetensors").is_file());
}

#[test]
fn spaces_of_other_prompts_are_not_held_against_these() {
    let told = place("(name: \"v\", seed: 5)").bad(&["check", "q.ron"]);
    assert!(
        told.contains(
            "against[0]: has prompts of its own, but spaces and measures are held against each other on the same"
        ),
        "{told}"
    );
}
