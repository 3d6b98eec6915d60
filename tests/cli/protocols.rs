//! The experiments of published papers: each is understood whole, with a small model in the place of GPT-2.

use super::{PATCH, Place, TOKENS, golden};
use serde_json::{Value, json};
use std::fs;

/// A folder with the built-in model and a tokenizer that has every two digits as one token, in the place of its last words.
fn with_two_digits() -> Place {
    let place = Place::new("Path(\"m\")", TOKENS, PATCH);
    fs::create_dir(place.path("m")).unwrap();
    for file in fs::read_dir(golden("../../assets/organism/planted")).unwrap().map(|entry| entry.unwrap()) {
        fs::copy(file.path(), place.path("m").join(file.file_name())).unwrap();
    }
    let mut tokenizer: Value = serde_json::from_slice(&place.read("m/tokenizer.json")).unwrap();
    let model = tokenizer["model"].as_object_mut().unwrap();
    let vocabulary = model["vocab"].as_object_mut().unwrap();
    let first = vocabulary.len() - 100;
    let gone: Vec<String> = vocabulary
        .iter()
        .filter(|(_, id)| id.as_u64().unwrap() as usize >= first)
        .map(|(token, _)| token.clone())
        .collect();
    vocabulary.retain(|token, _| !gone.contains(token));
    let digits: Vec<String> = (0..100).map(|number| format!("{number:02}")).collect();
    digits
        .iter()
        .enumerate()
        .for_each(|(number, digits)| drop(vocabulary.insert(digits.clone(), json!(first + number))));
    let merges = model["merges"].as_array_mut().unwrap();
    let parts = |merge: &Value| match merge {
        Value::String(parts) => parts.split(' ').map(String::from).collect::<Vec<_>>(),
        parts => parts.as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_string()).collect(),
    };
    merges
        .retain(|merge| !gone.contains(&parts(merge).concat()) && !parts(merge).iter().any(|part| gone.contains(part)));
    merges.extend(digits.iter().map(|digits| json!([&digits[..1], &digits[1..]])));
    place.write("m/tokenizer.json", tokenizer.to_string().as_bytes());
    place
}

fn file(name: &str) -> String {
    golden("../../experiments").join(name).display().to_string()
}

#[test]
fn every_protocol_is_understood_whole() {
    let place = with_two_digits();
    let organism = ["gendered_pronoun.ron", "vig_professions.ron", "vig_winobias.ron", "rome_tracing.ron", "ioi.ron"];
    for name in organism {
        let told = place.good(&["check", &file(name), "--model", "organism"]);
        assert!(told.contains("items") && !told.contains("left out"), "{name}: {told}");
    }
    let told = place.good(&["check", &file("greater_than.ron"), "--model", "m"]);
    assert!(told.contains("items  72") && told.contains("Σ p(right) − Σ p(wrong)"), "{told}");
    place.good(&["run", &file("greater_than.ron"), "--model", "m", "--out", "r"]);
    let run = String::from_utf8(place.read("r/run.ron")).unwrap();
    assert!(run.contains("two_digits_above: \"{year}\"") && run.contains("13 | 14 | 15"), "{run}");
    assert!(String::from_utf8(place.read("r/results.csv")).unwrap().contains("probability_diff"));
}

#[test]
fn a_tokenizer_without_two_digits_is_told_of() {
    let place = Place::new("Path(\"m\")", TOKENS, PATCH);
    let told = place.bad(&["check", &file("greater_than.ron"), "--model", "organism"]);
    assert!(told.contains("data[0].right: two digits are one token each in this set, but \"13\" is 2 (1 3)"), "{told}");
}

#[test]
fn published_files_take_the_place_of_the_own_prompts() {
    let place = with_two_digits();
    place.write("g.csv", b"clean,corrupted,label\nThe war lasted from the year 1352 to the year 13,The war lasted from the year 1301 to the year 13,52\n");
    let data = "data=Csv(path: \"g.csv\", corrupt: \"corrupted\", right: (two_digits_above: \"label\"), wrong: (two_digits_up_to: \"label\"))";
    let told = place.good(&["check", &file("greater_than.ron"), "--model", "m", "--set", data]);
    assert!(told.contains("items  1"), "{told}");
    let told = place.bad(&[
        "check",
        &file("greater_than.ron"),
        "--model",
        "m",
        "--set",
        &data.replace("(two_digits_above: \"label\")", "(two_digits_above: \"year\")"),
    ]);
    assert!(told.contains("g.csv:1: there is no column `year`; the header has clean, corrupted, label"), "{told}");
    place.write("p.json", br#"[["nurse", 0.0, -0.9], ["adjunct_professor", 0.0, 0.5], ["actress", -1.0, 0.0]]"#);
    let professions = ["check", &file("vig_professions.ron"), "--set", "data=Professions(path: \"p.json\")"];
    let told = place.bad(&professions);
    assert!(told.contains("data (p.json:2): the clean prompt has"), "{told}");
    let told = place.good(&[professions.as_slice(), &["--set", "uneven=LeaveOut"]].concat());
    assert!(told.contains("items  17") && told.contains("left out  17 pairs"), "{told}");
    place.write("p.json", br#"[["adjunct_professor", 0.0, 0.5]]"#);
    let told = place.bad(&[professions.as_slice(), &["--set", "uneven=LeaveOut"]].concat());
    assert!(told.contains("data: all 17 pairs have prompts of different numbers of tokens, so none is left"), "{told}");
    place.write(
        "w.txt",
        b"1 [The guard] met the nurse because [he] was lost.\n2 The guard met [the nurse] because [she] was near.\n",
    );
    let winobias =
        ["check", &file("vig_winobias.ron"), "--model", "organism", "--set", "data=WinoBias(path: \"w.txt\")"];
    assert!(place.good(&winobias).contains("items  1"));
}

#[test]
fn sets_that_cannot_be_say_why() {
    let told = |right: &str, wrong: &str, expected: &str| {
        let data = format!(
            "Pairs([(clean: \" Mary ran because\", corrupt: \" John ran because\", right: {right}, wrong: {wrong})])"
        );
        Place::new("Builtin(\"organism\")", &data, PATCH).refuses(expected);
    };
    told("(any_of: [])", "\" he\"", "data[0].right: the set is empty; name at least one answer");
    told("(any_of: [\"\"])", "\" he\"", "data[0].right: an answer in the set is empty");
    told(
        "(any_of: [\" she\", \" she was\"])",
        "\" he\"",
        "data[0].right: \" she was\" is 2 tokens (␣she ␣was), but what stands in a set is one token",
    );
    told("(any_of: [\" she\", \" her\", \" she\"])", "\" he\"", "data[0].right: ␣she stands twice in the set");
    told(
        "(any_of: [\" she\", \" her\"])",
        "(any_of: [\" he\", \" her\"])",
        "data[0]: ␣her is both a right and a wrong answer",
    );
    told("(any_of: [1803])", "\" he\"", "data[0].right: token 1803 does not exist");
    told("(two_digits_above: \"99\")", "\" he\"", "data[0].right: no two digits are above 99");
    told("(two_digits_above: \"1941\")", "\" he\"", "data[0].right: \"1941\" is no number from 0 to 99");
    told("(any: [\" she\"])", "\" he\"", "`any`");
    let data = "Pairs([(clean: \" Mary ran because\", corrupt: \" John ran because\", right: (any_of: [\" she\", \" her\"]), wrong: \" he\")])";
    Place::new("Builtin(\"organism\")", data, "DirectLogitAttribution")
        .refuses("methods[0]: only single logits split into parts, and an answer of the data is a set of tokens");
}
