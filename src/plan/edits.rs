//! Edits of a generation, resolved to places and values.

use super::sites::named;
use super::{Known, Problems};
use crate::hook::{Change, Edit, Record};
use crate::model::{Pass, run, shape, weights};
use crate::site::{Layout, Place, Site};
use crate::spec::{ChangeSpec, EditSpec};
use crate::tensor::{Tensor, from_doubles, precision, to_doubles};
use crate::text::{Padding, Tokens};
use safetensors::SafeTensors;
use std::path::Path;

/// Every edit, one for each site its name stands for.
pub fn resolve(at: &str, specs: &[EditSpec], known: &Known, problems: &mut Problems) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (index, spec) in specs.iter().enumerate() {
        let at = format!("{at}.edits[{index}]");
        let Some(sites) = named(&format!("{at}.site"), &spec.site, known, problems) else { continue };
        check_indices(&at, spec, sites[0], known, problems);
        for site in sites {
            let place = place(spec, site);
            let change = change(&at, &spec.change, &place, known, problems);
            edits.extend(change.map(|change| Edit { place, change }));
        }
    }
    edits
}

fn place(spec: &EditSpec, site: Site) -> Place {
    let some = |indices: &[usize]| (!indices.is_empty()).then(|| indices.to_vec());
    Place {
        site,
        rows: some(&spec.rows),
        heads: some(&spec.heads),
        positions: some(&spec.positions),
        neurons: some(&spec.neurons),
    }
}

fn check_indices(at: &str, spec: &EditSpec, site: Site, known: &Known, problems: &mut Problems) {
    let shape = shape(known.dims(), site, known.items.len(), known.dims().context);
    let heads = match site.layout() {
        Layout::Stream => 1,
        Layout::Heads => shape[2],
        Layout::Pattern => shape[1],
    };
    let mut check = |field: &str, whose: &str, indices: &[usize], count: usize| {
        if let Some(index) = indices.iter().find(|index| **index >= count) {
            let last = count.saturating_sub(1);
            problems.add(&format!("{at}.{field}"), format!("{index} does not exist; {whose} has {field} 0 to {last}"));
        }
    };
    let kind = format!("`{}`", site.kind());
    if known.complete {
        check("rows", "the data", &spec.rows, known.items.len());
    }
    check("heads", &kind, &spec.heads, heads);
    check("positions", "the model", &spec.positions, known.dims().context);
    check("neurons", &kind, &spec.neurons, *shape.last().unwrap_or(&1));
}

fn change(at: &str, spec: &ChangeSpec, place: &Place, known: &Known, problems: &mut Problems) -> Option<Change> {
    let site = place.site;
    let found =
        match spec {
            ChangeSpec::Zero => Ok(Change::Scale(0.0)),
            ChangeSpec::Scale(factor) => finite(*factor).map(Change::Scale),
            ChangeSpec::AddContrast(times) => finite(*times)
                .and_then(|times| Ok(Change::Add(part_of_contrast(&contrast(site, known)?, place)? * times))),
            ChangeSpec::Add { file, tensor, times } => finite(*times)
                .and_then(|times| Ok(Change::Add(place.part_of(&vector(file, tensor, site, known)?) * times))),
        };
    found.map_err(|why| problems.add(&format!("{at}.change"), why)).ok()
}

fn finite(factor: f64) -> Result<f64, String> {
    if factor.is_finite() { Ok(factor) } else { Err(format!("the factor {factor} is not finite")) }
}

/// Mean activation at the last position over the clean prompts less that over the corrupted ones, `[1, head, 1, width]`.
fn contrast(site: Site, known: &Known) -> Result<Tensor<4>, String> {
    if site.layout() == Layout::Pattern {
        return Err(format!("`{}` is as wide as the prompt is long, so it has no contrast over prompts", site.kind()));
    }
    if known.items.iter().any(|item| item.answers.is_none()) {
        return Err("a contrast needs prompts in pairs".into());
    }
    if known.items.is_empty() {
        return Err("there is no item to take the contrast from".into());
    }
    let mean = |prompts: Vec<Vec<u32>>| {
        let last: Vec<Tensor<4>> = prompts.into_iter().map(|prompt| last_state(site, prompt, known)).collect();
        Tensor::cat(last, 0).mean_dim(0)
    };
    let clean = mean(known.items.iter().map(|item| item.clean.clone()).collect());
    Ok(clean - mean(known.items.iter().map(|item| item.corrupt.clone()).collect()))
}

/// The part of a contrast that a place picks, unless nothing is left of it.
fn part_of_contrast(whole: &Tensor<4>, place: &Place) -> Result<Tensor<4>, String> {
    // pairs that stand both ways round have one mean on both sides, up to the order of additions
    const ROUNDINGS: f64 = 170.0; // 1e-5 in f32
    let part = place.part_of(whole);
    let nothing = ROUNDINGS * precision(&part).roundoff();
    match to_doubles(&part).iter().any(|value| value.abs() > nothing) {
        true => Ok(part),
        false => {
            Err("clean and corrupted prompts have the same mean here; with `both_ways: Yes` they always have".into())
        }
    }
}

fn last_state(site: Site, prompt: Vec<u32>, known: &Known) -> Tensor<4> {
    let tokens = Tokens::padded(vec![prompt], Padding::Right, 0);
    let mut record = Record::of([site]);
    run(known.model, &Pass::whole(&tokens), &mut record).expect("the site was found in the model");
    let state = record.at(site).expect("it was recorded").clone();
    state.narrow(2, tokens.width() - 1, 1)
}

/// A vector of the site's width from a file, `[1, 1, 1, width]`.
fn vector(file: &Path, name: &str, site: Site, known: &Known) -> Result<Tensor<4>, String> {
    let width = *shape(known.dims(), site, 1, 1).last().expect("a site has a shape");
    let refused = |why: String| format!("{}: {why}", file.display());
    let bytes = std::fs::read(file).map_err(|error| refused(error.to_string()))?;
    let tensors =
        SafeTensors::deserialize(&bytes).map_err(|error| refused(format!("not a whole safetensors file ({error})")))?;
    let view =
        tensors.tensor(name).map_err(|_| refused(format!("has no tensor {name:?}; it has {}", held(&tensors))))?;
    let values = weights::decode(&view)
        .ok_or_else(|| refused(format!("{name:?} is of type {:?}, not a number", view.dtype())))?;
    if values.len() != width {
        return Err(refused(format!("{name:?} has {} numbers, but `{}` is {width} wide", values.len(), site.kind())));
    }
    if values.iter().any(|value| !value.is_finite()) {
        return Err(refused(format!("{name:?} holds NaN or infinity")));
    }
    let values = values.into_iter().map(f64::from).collect();
    Ok(from_doubles(values, [1, 1, 1, width], &known.model.setting()))
}

/// The first names in a file.
fn held(tensors: &SafeTensors) -> String {
    const SHOWN: usize = 8;
    let mut names = tensors.names();
    names.sort_unstable();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    if more > 0 { format!("{} and {more} more", names.join(", ")) } else { names.join(", ") }
}
