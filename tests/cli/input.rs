//! Prompts, files of prompts, and the command line itself.

use super::{PATCH, Place, failed};
use std::fs;

const WORDS: &str =
    "Pairs([(clean: \" Mary ran because\", corrupt: \" John ran because\", right: \" she\", wrong: \" he\")])";

#[test]
fn words_that_do_not_fit_are_told() {
    let told = |data: &str, expected: &str| Place::new("Builtin(\"organism\")", data, PATCH).refuses(expected);
    told(
        &WORDS.replace("\" she\"", "\" she was\""),
        "data[0].right: the answer is 2 tokens (␣she ␣was), but the metric reads one",
    );
    told(&WORDS.replace("\" she\"", "\"\""), "data[0].right: the answer is empty");
    told(&WORDS.replace("John ran", "John"), "the clean prompt has 4 tokens and the corrupted one 3");
    told(&WORDS.replace(" Mary ran because", ""), "data[0].clean: the prompt is empty");
    told(
        &WORDS.replace(" Mary ran because", &" the".repeat(99)),
        "the prompt has 100 tokens; the model has 64 positions",
    );
    told(
        "Templates(templates: [\" {nane} ran\"], clean: {\"name\": [\"Mary\"]}, corrupt: {\"name\": [\"John\"]}, right: \" she\", wrong: \" he\")",
        "nothing fills the slot {nane}",
    );
    Place::new("Builtin(\"organsim\")", WORDS, PATCH)
        .refuses("there is no built-in model \"organsim\"; there are organism, organism-flat");
}

#[test]
fn files_of_prompts_are_read_row_by_row() {
    let told = |kind: &str, text: &[u8], expected: &str| {
        let place = Place::new("Builtin(\"organism\")", &format!("{kind}(path: \"d\")"), PATCH);
        place.write("d", text);
        place.refuses(expected);
    };
    told(
        "Csv",
        b"clean,corrupt,right\na,b,c\n",
        "data: d:1: there is no column `wrong`; the header has clean, corrupt, right",
    );
    told("Csv", b"clean,corrupt,right,wrong\na,b,c,d\na,b\n", "data: d:3: has 2 columns, but the header has 4");
    told("Csv", b"clean,corrupt,right,wrong\n\xff,b,c,d\n", "data: d:2: is not UTF-8");
    told(
        "Csv",
        b"clean,corrupt,right,wrong\n\" Mary, ran\",\" John, ran\",\" she was\",\" he\"\n",
        "data (d:2).right: the answer is 2 tokens",
    );
    told("Csv", b"", "data: d: is empty; its first line must name the columns");
    told("Csv", b"clean,corrupt,right,wrong\n", "data: d has no row, so there is no prompt");
    told("Jsonl", b"{\"clean\": \n", "data: d:1: no JSON object: EOF while parsing a value (column 10)");
    told("Jsonl", b"\n[1]\n", "data: d:2: no JSON object: invalid type: sequence, expected a map");
    told("Jsonl", b"{\"clean\": \"x\"}\n", "data: d:1: there is no key `corrupt`; the object has clean");
    told(
        "Jsonl",
        b"{\"clean\": null, \"corrupt\": 1}\n",
        "data: d:1: `clean`: invalid type: null, expected a text in quotes or a list of token ids",
    );
    told("Jsonl", b"", "data: d has no row");
    for kind in ["Csv", "Jsonl"] {
        let place = Place::new("Builtin(\"organism\")", &format!("{kind}(path: \"d\")"), PATCH);
        place.refuses("data: d: No such file or directory");
        fs::create_dir(place.path("d")).unwrap();
        place.refuses("data: d: Is a directory");
    }
}

#[test]
fn the_command_line_changes_a_file() {
    let place = Place::with_model("gpt2");
    let told = place.good(&["check", "q.ron", "--set", "seed=7", "--model", "organism", "--device", "cpu"]);
    assert!(told.contains("seed  7") && told.contains("Builtin(\"organism\")"), "{told}");
    let told = place.bad(&["check", "q.ron", "--set", "methods[0].over=[Layr]"]);
    assert!(
        told.contains("q.ron:5:52: `Layr` is no `Axis`")
            && told.ends_with("These lines are the file's after methods[0].over=[Layr] was written into it.\n"),
        "{told}"
    );
    assert!(place.bad(&["check", "q.ron", "--set", "seed"]).contains("--set seed: write path=value"));
    assert!(place.bad(&["check", "q.ron", "--model", "nowhere"]).contains("model nowhere: no such folder"));
    assert!(place.bad(&["check", "nowhere.ron"]).contains("nowhere.ron: No such file"));
    assert!(place.bad(&["check", "m"]).contains("m: Is a directory"));
    assert!(place.bad(&["report", "m"]).contains("not a run folder: m has no run.ron"));
}

#[test]
fn a_memory_budget_stands_in_the_experiment() {
    let place = Place::with_model("gpt2");
    let told = place.good(&["check", "q.ron", "--memory", "1GiB"]);
    assert!(told.contains("1. patch, 6 places, 2 items, 64 rows at once, about "), "{told}");
    let told = place.bad(&["run", "q.ron", "--memory", "1MiB"]);
    assert!(told.contains("memory: 1MiB is too little: one row at a time needs about "), "{told}");
    place.good(&["run", "q.ron", "--memory", "1.5GiB", "--out", "r"]);
    assert!(String::from_utf8(place.read("r/run.ron")).unwrap().contains("memory: \"1536MiB\""));
    let told = place.bad(&["check", "q.ron", "--set", "memory=\"lots\""]);
    assert!(
        told.contains("\"lots\" is no amount of memory; write a number and B, kB, MB, GB, KiB, MiB or GiB: 4GiB"),
        "{told}"
    );
    assert_eq!(place.run(&["check", "q.ron", "--memory", "4"]).status.code(), Some(2));
}

#[test]
fn a_device_that_is_not_there_is_an_error() {
    let place = Place::with_model("gpt2");
    for device in ["webgpu", "vulkan", "cuda:99"] {
        // built in or not, this machine may lack it; what must not happen is a panic or a silent CPU
        let output = place.run(&["check", "q.ron", "--device", device]);
        if output.status.success() {
            assert!(String::from_utf8_lossy(&output.stdout).contains(&format!("device  {device}")));
        } else {
            assert!(failed(&output).contains("--device cpu") || failed(&output).contains("patchclamp devices"));
        }
    }
    assert_eq!(place.run(&["check", "q.ron", "--device", "gpu"]).status.code(), Some(2));
}
