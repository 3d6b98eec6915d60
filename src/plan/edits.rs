//! Edits of a generation, resolved to places and values.

use super::{Known, Problems, named};
use crate::hook::{Change, Edit, Record};
use crate::model::{Pass, run, shape, weights};
use crate::site::{Layout, Place, Site};
use crate::spec::{ChangeSpec, EditSpec};
use crate::tensor::{Tensor, from_floats};
use crate::text::{Padding, Tokens};
use std::path::Path;

/// Every edit, one for each site its name stands for.
pub fn resolve(at: &str, specs: &[EditSpec], known: &Known, problems: &mut Problems) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (index, spec) in specs.iter().enumerate() {
        let at = format!("{at}.edits[{index}]");
        let Some(sites) = named(&format!("{at}.site"), &spec.site, known, problems) else { continue };
        check_indices(&at, spec, sites[0], known, problems);
        for site in sites {
            let change = change(&at, &spec.change, site, known, problems);
            edits.extend(change.map(|change| Edit { place: place(spec, site), change }));
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
    let mut check = |field: &str, indices: &[usize], count: usize| {
        if let Some(index) = indices.iter().find(|index| **index >= count) {
            let last = count.saturating_sub(1);
            problems.add(
                &format!("{at}.{field}"),
                format!("{index} does not exist; `{site}` has {field} 0 to {last} here"),
            );
        }
    };
    check("rows", &spec.rows, known.items.len());
    check("heads", &spec.heads, heads);
    check("positions", &spec.positions, known.dims().context);
    check("neurons", &spec.neurons, *shape.last().unwrap_or(&1));
}

fn change(at: &str, spec: &ChangeSpec, site: Site, known: &Known, problems: &mut Problems) -> Option<Change> {
    match spec {
        ChangeSpec::Zero => Some(Change::Scale(0.0)),
        ChangeSpec::Scale(factor) => Some(Change::Scale(*factor)),
        ChangeSpec::AddContrast(times) => Some(Change::Add(contrast(site, known) * *times)),
        ChangeSpec::Add { file, tensor, times } => match vector(file, tensor, site, known) {
            Ok(value) => Some(Change::Add(value * *times)),
            Err(why) => {
                problems.add(&format!("{at}.change"), why);
                None
            }
        },
    }
}

/// Mean activation at the last position over the clean prompts less that over the corrupted ones, `[1, head, 1, width]`.
fn contrast(site: Site, known: &Known) -> Tensor<4> {
    let mean = |prompts: Vec<Vec<u32>>| {
        let last: Vec<Tensor<4>> = prompts.into_iter().map(|prompt| last_state(site, prompt, known)).collect();
        Tensor::cat(last, 0).mean_dim(0)
    };
    mean(known.items.iter().map(|item| item.clean.clone()).collect())
        - mean(known.items.iter().map(|item| item.corrupt.clone()).collect())
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
    let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let tensors =
        safetensors::SafeTensors::deserialize(&bytes).map_err(|error| format!("{}: {error}", file.display()))?;
    let view = tensors
        .tensor(name)
        .map_err(|_| format!("{} has no tensor {name:?}; it has {}", file.display(), tensors.names().join(", ")))?;
    let values =
        weights::decode(&view).ok_or_else(|| format!("{name:?} is of type {:?}, not a number", view.dtype()))?;
    if values.len() != width {
        return Err(format!("{name:?} has {} numbers, but `{site}` is {width} wide", values.len()));
    }
    Ok(from_floats(values, [1, 1, 1, width], &known.model.device()))
}
