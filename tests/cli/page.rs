//! The page in a browser: the interactive circuit answers, and text from the experiment stays text. Needs Chromium; where
//! there is none the tests say so and do nothing.

use super::{Place, failed, golden};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// What Debian, Ubuntu and Google call it.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// Milliseconds of the browser's own clock, which does not wait for a slow machine.
const BUDGET: u32 = 4000;

/// Moves the slider, opens nodes, points at an edge, and leaves what was seen in the page.
const DRIVER: &str = r#"
window.addEventListener("load", () => {
  const figure = document.querySelector("figure.explorer"), svg = figure.querySelector("svg");
  const all = name => [...svg.querySelectorAll(name)];
  const seen = () => all("[data-edge]").filter(line => getComputedStyle(line).visibility === "visible").length;
  const slider = figure.querySelector("input"), panel = figure.querySelector(".panel");
  const move = value => { slider.value = value; slider.dispatchEvent(new Event("input")); return seen(); };
  const most = Number(slider.max);
  const told = { edges: JSON.parse(figure.querySelector("script").textContent).edges.length, most, before: seen() };
  told.three = move(3);
  told.output = figure.querySelector("output").textContent;
  told.orphans = all("[data-node].orphan").length;
  told.again = move(most);
  told.closed = panel.hidden;
  const head = all("[data-node]").find(box => /^a\d/.test(box.dataset.node));
  head.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  told.head = head.dataset.node;
  told.open = !panel.hidden;
  told.panel = panel.textContent;
  told.cells = panel.querySelectorAll(".pattern td[title]").length;
  told.tokens = panel.querySelectorAll("li").length;
  told.views = panel.querySelectorAll("option").length;
  const choice = panel.querySelector("select");
  choice.value = "1";
  choice.dispatchEvent(new Event("change"));
  told.keys = [...panel.querySelectorAll("th[scope=col]")].map(key => key.textContent);
  const hit = svg.querySelector("[data-hit]");
  hit.dispatchEvent(new PointerEvent("pointermove", { clientX: 9, clientY: 9 }));
  told.tip = figure.querySelector(".tip").textContent;
  told.lit = all("[data-edge].lit").map(line => line.dataset.edge);
  hit.dispatchEvent(new PointerEvent("pointerleave"));
  told.unlit = all(".lit").length;
  const box = all("[data-node]")[0];
  box.dispatchEvent(new FocusEvent("focus"));
  told.focused = figure.querySelector(".told").textContent;
  const key = name => box.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
  key("Enter");
  told.entered = panel.querySelector("h3").textContent;
  told.obeyed = window.obeyed === true;
  const answer = document.createElement("pre");
  answer.id = "answer";
  answer.textContent = encodeURIComponent(JSON.stringify(told));
  document.body.append(answer);
});
"#;

/// The browser's name, or a loud word that there is none.
#[allow(clippy::explicit_write)] // the test runner would keep what a print macro says
fn browser() -> Option<&'static str> {
    let found = BROWSERS.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    if found.is_none() {
        writeln!(std::io::stderr(), "SKIPPED: there is no Chromium; install chromium to try the page").unwrap();
    }
    found
}

/// The page after its scripts have run.
fn dom(browser: &str, page: &Path, place: &Place) -> String {
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .arg(format!("--virtual-time-budget={BUDGET}"))
        .arg(format!("--user-data-dir={}", place.path("browser").display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What the driver saw on a run's page.
fn driven(browser: &str, place: &Place) -> Value {
    let page = String::from_utf8(place.read("r/report.html")).unwrap();
    let path = place.path("driven.html");
    fs::write(&path, page.replace("</body>", &format!("<script>{DRIVER}</script></body>"))).unwrap();
    let dom = dom(browser, &path, place);
    let answer = dom.split("<pre id=\"answer\">").nth(1).unwrap_or_else(|| panic!("the driver failed on {dom}"));
    let answer = answer.split("</pre>").next().unwrap();
    let bytes = answer.split('%').enumerate().fold(Vec::new(), |mut bytes: Vec<u8>, (part, text)| {
        let plain = if part == 0 { text } else { &text[2..] };
        bytes.extend((part > 0).then(|| u8::from_str_radix(&text[..2], 16).unwrap()));
        bytes.extend(plain.bytes());
        bytes
    });
    serde_json::from_slice(&bytes).unwrap()
}

/// The built-in model on two sentences, whose tokens would be markup if they were taken for it.
fn on_hostile_prompts() -> Place {
    let data = r#"Templates(
        templates: ["<script>obeyed=true</script> {name} opened the door because"],
        clean: {"name": ["Mary", "Anna"]}, corrupt: {"name": ["John", "Peter"]},
        right: " she", wrong: " he", both_ways: Yes,
    )"#;
    let place = Place::new("Builtin(\"organism\")", data, "Circuit(score: Eap, select: TopN(30))");
    place.good(&["run", "q.ron", "--out", "r"]);
    place
}

#[test]
fn the_circuit_on_the_page_answers() {
    let Some(browser) = browser() else { return };
    let place = on_hostile_prompts();
    let told = driven(browser, &place);
    let count = |name: &str| told[name].as_u64().unwrap_or_else(|| panic!("{name} in {told}"));
    let text = |name: &str| told[name].as_str().unwrap_or_else(|| panic!("{name} in {told}"));
    let all = count("edges");
    assert!(all > 3 && (count("most"), count("before"), count("again")) == (all, all, all), "{told}");
    assert!(count("three") == 3 && count("orphans") > 0, "{told}");
    assert!(text("output").starts_with(&format!("3 of {all} edges")), "{told}");
    assert!(told["closed"] == true && told["open"] == true && text("panel").contains(text("head")), "{told}");
    assert!(count("cells") > 0 && count("tokens") > 0 && count("views") == 4, "{told}");
    assert!(text("tip").contains("interval [") && text("tip").contains("% of draws"), "{told}");
    let lit = told["lit"].as_array().unwrap();
    assert!(lit.len() == 1 && text("tip").starts_with(lit[0].as_str().unwrap()) && count("unlit") == 0, "{told}");
    assert!(text("focused").starts_with("input: writes over") && text("entered") == "input", "{told}");
}

#[test]
fn tokens_that_look_like_markup_are_text() {
    let place = on_hostile_prompts();
    let page = String::from_utf8(place.read("r/report.html")).unwrap();
    assert!(!page.contains("<script>obeyed") && page.contains("\\u003c"));
    let Some(browser) = browser() else { return };
    let told = driven(browser, &place);
    let keys: String = told["keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    assert!(told["obeyed"] == false && keys.contains("script") && keys.contains('<'), "{told}");
}

#[test]
fn the_page_is_drawn_again_with_its_circuit() {
    let place = Place::new(&format!("Path({:?})", golden("gpt2")), super::TOKENS, "Circuit(select: TopN(12))");
    place.good(&["run", "q.ron", "--out", "r"]);
    let (page, nodes) = (place.read("r/report.html"), place.path("r/circuits/01_circuit_nodes.json"));
    place.good(&["report", "r"]);
    assert!(place.read("r/report.html") == page);
    fs::remove_file(&nodes).unwrap();
    place.good(&["report", "r"]);
    let without = String::from_utf8(place.read("r/report.html")).unwrap();
    assert!(without.contains("class=\"explorer\"") && without.contains("\"views\":[]"));
    fs::write(&nodes, "{}").unwrap();
    let told = failed(&place.run(&["report", "r"]));
    assert!(told.contains("circuits/01_circuit_nodes.json:1:2: missing field"), "{told}");
}
