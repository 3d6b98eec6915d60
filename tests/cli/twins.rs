//! Twins of a treatment: measured once each, gone on with where they were left, and what stands beside them is their count.

use super::{Place, contents, real_weights};
use patchclamp::table::Table;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const DATA: &str = r#"Templates(
    templates: ["The {job} opened the door because", "The {job} left the office when"],
    clean: {"job": ["nurse", "secretary", "librarian"]},
    corrupt: {"job": ["plumber", "carpenter", "mechanic"]},
    right: " she", wrong: " he", labels: ["job"])"#;

const TWINS: usize = 7;

fn place(against: &str) -> Place {
    let place = Place::new("Builtin(\"organism\")", DATA, "Measure(measures: [LogOdds(by: \"job\"), Perplexity()])");
    let text = String::from_utf8(place.read("q.ron")).unwrap();
    let end = text.trim_end().strip_suffix(')').unwrap().to_string();
    place.write(
        "q.ron",
        format!("{end}    statistics: (resamples: 50, permutations: 50),\n    {against},\n)").as_bytes(),
    );
    place
}

fn rounded() -> Place {
    place(&format!("against: [(name: \"int3\", treat: [Round(bits: 3)], twins: {TWINS})]"))
}

/// The effect of each group and metric in a table, of rows of one method where it is named.
fn effects(place: &Place, file: &str, method: Option<&str>) -> BTreeMap<(String, String), f64> {
    let bytes = place.read(file);
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_string).collect();
    let column = |name: &str| header.iter().position(|known| known == name).unwrap();
    let (site, metric, effect, of) = (column("site"), column("metric"), column("effect"), column("method"));
    let rows = reader.records().map(Result::unwrap).filter(|row| method.is_none_or(|method| &row[of] == method));
    rows.map(|row| ((row[site].to_string(), row[metric].to_string()), row[effect].parse().unwrap())).collect()
}

#[test]
fn a_change_stands_where_its_twins_leave_it() {
    let place = rounded();
    place.good(&["run", "q.ron", "--out", "r"]);
    let own = effects(&place, "r/tables/01_measure.log_odds.csv", None);
    let change = effects(&place, "r/tables/01_measure.log_odds.against.int3.csv", Some("difference"));
    let told = effects(&place, "r/tables/01_measure.log_odds.twins.int3.csv", Some("quantile"));
    let twin = |number: usize| -> serde_json::Value {
        serde_json::from_slice(&place.read(&format!("r/against/int3/twins/{number:04}.json"))).unwrap()
    };
    let twins: Vec<serde_json::Value> = (1..=TWINS).map(twin).collect();
    assert!(told.len() > 3);
    for (figure, quantile) in &told {
        let of = |twin: &serde_json::Value| {
            let rows = twin[0]["rows"].as_array().unwrap();
            let same =
                |row: &&serde_json::Value| row["site"] == figure.0.as_str() && row["metric"] == figure.1.as_str();
            rows.iter().find(same).unwrap()["effect"].as_f64().unwrap() - own[figure]
        };
        let below = twins.iter().filter(|twin| of(twin) < change[figure]).count();
        assert_eq!(*quantile, below as f64 / TWINS as f64, "{figure:?}");
        // twins are rounded by chance: no two are alike
        let first = of(&twins[0]);
        assert!(twins[1..].iter().all(|twin| of(twin) != first), "{figure:?}");
    }
    let bias = String::from_utf8(place.read("r/bias.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(bias.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let header: Vec<&str> = bias.lines().next().unwrap().split(',').collect();
    assert_eq!(header[11..], ["null_quantile", "null_quantile_matched", "n"]);
    let treated = rows.iter().filter(|row| &row[1] == "int3" && row[2].starts_with("log_odds"));
    for row in treated.clone() {
        let metric = row[2].split_once(": ").unwrap().1;
        assert_eq!(
            (&row[0], row[11].parse::<f64>().unwrap()),
            ("organism", told[&(row[3].to_string(), metric.to_string())])
        );
    }
    assert_eq!(treated.clone().count(), told.len());
    // at matched loss, or why not
    let json: serde_json::Value =
        serde_json::from_slice(&place.read("r/tables/01_measure.log_odds.twins.int3.json")).unwrap();
    let matching = json["facts"]["quantile at matched loss"].as_str().unwrap();
    let matched = treated.clone().filter(|row| !row[12].is_empty()).count();
    assert_eq!(matched > 0, matching.starts_with("the same"), "{matching}");
    assert!(matched > 0 || matching.contains("its twins by"), "{matching}");
    assert!(place.read("r/report.html").windows(9).any(|words| words == b"of twins "));
}

#[test]
fn twins_that_are_there_are_not_made_again() {
    let place = rounded();
    place.good(&["run", "q.ron", "--out", "r"]);
    let whole = contents(&place.path("r"));
    let file = |number: usize| place.path(&format!("r/against/int3/twins/{number:04}.json"));
    let begun = fs::metadata(file(2)).unwrap().modified().unwrap();
    // as a run that was killed among its twins leaves its folder
    place.killed_behind_its_variants("r");
    (3..=TWINS).for_each(|number| fs::remove_file(file(number)).unwrap());
    place.good(&["run", "q.ron", "--out", "r"]);
    assert_eq!(fs::metadata(file(2)).unwrap().modified().unwrap(), begun);
    assert!(contents(&place.path("r")) == whole, "the folder differs from that of a run that was not killed");
}

#[test]
fn what_has_no_twins_is_said() {
    let place = place("against: [(name: \"cut\", treat: [Merge(with: Builtin(\"organism-flat\"))], twins: 3)]");
    let told = place.bad(&["run", "q.ron"]);
    assert!(told.contains("against[0].twins: nothing in `treat` can be left to chance"), "{told}");
    let place = self::place("against: [(name: \"flat\", model: Builtin(\"organism-flat\"), twins: 3)]");
    let told = place.bad(&["run", "q.ron"]);
    assert!(told.contains("against[0].twins: nothing in `treat`"), "{told}");
    let told =
        place.bad(&["run", "q.ron", "--set", "methods=[Represent()]", "--set", "against[0].treat=[Round(bits: 4)]"]);
    assert!(told.contains("against[0].twins: tell of measures"), "{told}");
}

/// The experiment on a checkpoint of one's own, with fewer twins and orders: what all maps together do is what rounding does,
/// shares of the maps sum to it, and it stands somewhere among the twins.
#[test]
fn rounding_real_weights_is_told_with_its_null_and_by_map() {
    let Some(model) = real_weights("stories260K") else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(folder.join("experiments/rounding_checkpoint.ron")).unwrap();
    let text = text.replace("twins: 99", "twins: 5").replace("sets: 1400", "sets: 760");
    let text = text.replace("../assets", &folder.join("assets").display().to_string());
    assert!(text.contains("twins: 5") && text.contains("sets: 760"));
    let place = Place::new("", "Nothing", "");
    place.write("q.ron", text.as_bytes());
    let model = fs::canonicalize(model).unwrap();
    place.good(&["run", "q.ron", "--model", model.to_str().unwrap(), "--out", "r"]);
    let held = effects(&place, "r/tables/01_measure.log_odds.against.int4.csv", Some("difference"));
    let change = held[&("all".to_string(), "log-odds".to_string())];
    assert!(change.abs() > 0.1, "{change}");
    let bytes = place.read("r/tables/02_patch_weights.csv");
    let rows = Table::rows_from_csv(std::str::from_utf8(&bytes).unwrap()).unwrap();
    let whole = rows.iter().find(|row| row.site.as_deref() == Some("all parts")).unwrap().effect;
    assert!((whole - change).abs() < 1e-4, "{whole} {change}");
    let shares: Vec<f64> = rows.iter().filter(|row| row.metric.ends_with("share")).map(|row| row.effect).collect();
    // q, k, v, out, gate, up and down of five layers
    assert_eq!(shares.len(), 35);
    assert!((shares.iter().sum::<f64>() - whole).abs() < 1e-9, "{shares:?}");
    let mut reader = csv::Reader::from_reader(fs::File::open(place.path("r/bias.csv")).unwrap());
    let lines: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let of = |line: &&csv::StringRecord| &line[1] == "int4" && &line[2] == "log_odds: log-odds" && &line[3] == "all";
    let quantile: f64 = lines.iter().find(of).unwrap()[11].parse().unwrap();
    assert!((0.0..=1.0).contains(&quantile), "{quantile}");
    // every occupation has its own figure
    assert_eq!(lines.iter().filter(|line| &line[1] == "int4" && &line[2] == "log_odds: log-odds").count(), 21);
}
