//! One forward pass: what goes in, where it starts, what is kept of earlier positions, what is read out.

use super::parts::position::{Rotary, Sight};
use crate::hook::Record;
use crate::site::Site;
use crate::tensor::{Setting, Tensor, from_ints, on_tape};
use crate::text::Tokens;

/// Where a pass begins.
#[derive(Clone)]
pub enum Start {
    /// With the embeddings of the tokens.
    Tokens,
    /// With residual streams `[rows, pos, d_model]` of the positions worked on, each before its block: in ascending order
    /// of layers, each adds its rows to the batch, so that rows which begin at several layers are one batch from there on.
    /// A stream at the number of layers goes straight to what stands behind the blocks.
    Streams(Vec<(usize, Tensor<3>)>),
}

impl Start {
    /// All rows before block `layer`.
    pub fn at(layer: usize, stream: Tensor<3>) -> Self {
        Start::Streams(vec![(layer, stream)])
    }
}

/// What is read out of a pass; the rest is not unembedded.
#[derive(Clone, Default)]
pub struct Read {
    /// One position a row, counted from the start of its tokens, or equally many for each, row after row; `None` is every
    /// position worked on.
    pub positions: Option<Vec<usize>>,
    /// The same number of token ids for every row, the same at each of its positions; `None` is the whole vocabulary.
    pub tokens: Option<Vec<Vec<u32>>>,
}

/// Keys and values of the positions before those that a pass works on, a layer each.
#[derive(Clone)]
pub struct Past {
    layers: Vec<Option<(Tensor<4>, Tensor<4>)>>,
    /// The row of the recording that each row of the pass goes on from; `None` is row by row.
    rows: Option<Vec<usize>>,
}

impl Past {
    /// The sites a recording needs for [`Past::of`], from `layer` on; keys that have a norm of their own must be rotated,
    /// as no site shows them between the two.
    pub fn sites(layer: usize, layers: usize, rotary: bool) -> Vec<Site> {
        let key = if rotary { Site::RotKey } else { Site::Key };
        (layer..layers).flat_map(|layer| [key(layer), Site::Value(layer)]).collect()
    }

    /// Keys and values from a recording of whole prompts.
    pub fn of(record: &Record, layers: usize) -> Self {
        let layer = |layer| {
            let key = record.at(Site::RotKey(layer)).or(record.at(Site::Key(layer)))?;
            Some((key.clone(), record.at(Site::Value(layer))?.clone()))
        };
        Past { layers: (0..layers).map(layer).collect(), rows: None }
    }

    /// The first `positions` positions only.
    pub fn until(&self, positions: usize) -> Self {
        self.map(|kept| kept.clone().narrow(2, 0, positions))
    }

    /// The same for a pass whose row r goes on from row `rows[r]` of the recording.
    pub fn of_rows(&self, rows: Vec<usize>) -> Self {
        Past { layers: self.layers.clone(), rows: Some(rows) }
    }

    /// Later positions put after these.
    pub fn followed_by(&self, later: &Past) -> Self {
        let join = |a: &Tensor<4>, b: &Tensor<4>| Tensor::cat(vec![a.clone(), b.clone()], 2);
        let pair = |(a, b): (&Option<_>, &Option<_>)| match (a, b) {
            (Some((k1, v1)), Some((k2, v2))) => Some((join(k1, k2), join(v1, v2))),
            _ => None,
        };
        Past { layers: self.layers.iter().zip(&later.layers).map(pair).collect(), rows: None }
    }

    /// The same on a tape, for gradients.
    pub fn on_tape(&self) -> Self {
        self.map(|kept| on_tape(kept.clone()))
    }

    fn map(&self, change: impl Fn(&Tensor<4>) -> Tensor<4>) -> Self {
        let pair = |(key, value): &(Tensor<4>, Tensor<4>)| (change(key), change(value));
        Past { layers: self.layers.iter().map(|kept| kept.as_ref().map(pair)).collect(), rows: self.rows.clone() }
    }

    /// Keys and values of `layer` for the first `rows` rows of a pass.
    fn at(&self, layer: usize, rows: usize) -> Option<(Tensor<4>, Tensor<4>)> {
        let (key, value) = self.layers[layer].clone()?;
        let Some(from) = &self.rows else { return Some((key, value)) };
        let index = from[..rows].iter().map(|row| *row as i32).collect();
        let index = from_ints(index, [rows], &key.device());
        Some((key.select(0, index.clone()), value.select(0, index)))
    }
}

/// A forward pass, whole or resumed.
#[derive(Clone)]
pub struct Pass<'a> {
    /// All tokens, those before `first` included.
    pub tokens: &'a Tokens,
    /// Where it begins.
    pub start: Start,
    /// The first position worked on; those before it are in `past`.
    pub first: usize,
    /// Keys and values of the positions before `first`.
    pub past: Option<&'a Past>,
    /// What is read out.
    pub read: Read,
}

impl<'a> Pass<'a> {
    /// The whole pass: every layer, position and logit.
    pub fn whole(tokens: &'a Tokens) -> Self {
        Pass { tokens, start: Start::Tokens, first: 0, past: None, read: Read::default() }
    }

    /// The same with less read out.
    pub fn reading(self, read: Read) -> Self {
        Pass { read, ..self }
    }

    /// The layer this pass starts at.
    pub fn layer(&self) -> usize {
        match &self.start {
            Start::Tokens => 0,
            Start::Streams(streams) => streams.first().map_or(0, |(layer, _)| *layer),
        }
    }

    /// The batch before block `layer`: what comes from below and the rows that enter here.
    pub fn entering(&self, layer: usize, below: Option<Tensor<3>>) -> Option<Tensor<3>> {
        let Start::Streams(streams) = &self.start else { return below };
        let here = streams.iter().filter(|(at, _)| *at == layer).map(|(_, stream)| stream.clone());
        let parts: Vec<Tensor<3>> = below.into_iter().chain(here).collect();
        if parts.len() > 1 { Some(Tensor::cat(parts, 0)) } else { parts.into_iter().next() }
    }

    /// Whether a site that the model has comes by in this pass.
    pub fn reaches(&self, site: Site) -> bool {
        match (&self.start, site.layer()) {
            (Start::Tokens, _) => true,
            (Start::Streams(_), Some(layer)) => layer >= self.layer(),
            (Start::Streams(_), None) => {
                matches!(site, Site::FinalScale | Site::FinalNormalized | Site::Logits)
            }
        }
    }
}

/// What every block of a pass shares: masks, rotations, kept keys and values.
pub struct Context<'a> {
    past: Option<&'a Past>,
    masks: Vec<(Sight, Tensor<4>)>,
    sights: &'a [Sight],
    angles: Option<(Tensor<4>, Tensor<4>)>,
}

impl<'a> Context<'a> {
    /// For this pass, where each layer sees as `sights` say.
    pub fn new(pass: &Pass<'a>, sights: &'a [Sight], rotary: Option<&Rotary>, setting: &Setting) -> Self {
        let mut masks: Vec<(Sight, Tensor<4>)> = Vec::new();
        for sight in sights {
            if masks.iter().all(|(known, _)| known != sight) {
                masks.push((*sight, sight.mask(pass.tokens, pass.first, setting)));
            }
        }
        let mut positions = pass.tokens.positions(pass.first);
        if !pass.tokens.is_padded() {
            positions.truncate(1); // the same for every row
        }
        let angles = rotary.map(|rotary| rotary.angles(&positions, setting));
        Context { past: pass.past, masks, sights, angles }
    }

    /// What is added to the scores of `layer` in a batch of `rows`, `[rows or 1, 1, query, key]`.
    pub fn mask(&self, layer: usize, rows: usize) -> Tensor<4> {
        let known = self.masks.iter().find(|(sight, _)| *sight == self.sights[layer]);
        first_rows(&known.expect("a mask for every sight was made above").1, rows)
    }

    /// Cosines and sines of the positions worked on, `[rows or 1, 1, pos, rotary_width / 2]`.
    pub fn angles(&self, rows: usize) -> Option<(Tensor<4>, Tensor<4>)> {
        self.angles.as_ref().map(|(cos, sin)| (first_rows(cos, rows), first_rows(sin, rows)))
    }

    /// Keys and values of `rows` rows before the positions worked on.
    pub fn past(&self, layer: usize, rows: usize) -> Option<(Tensor<4>, Tensor<4>)> {
        self.past.and_then(|past| past.at(layer, rows))
    }
}

/// The rows that are in the batch so far, where there is one for each.
fn first_rows(x: &Tensor<4>, rows: usize) -> Tensor<4> {
    if x.dims()[0] > rows { x.clone().narrow(0, 0, rows) } else { x.clone() }
}
