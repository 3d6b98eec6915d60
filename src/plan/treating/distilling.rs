//! Students: which blocks they have, and what they are trained on, checked; and the model that they will be, as far as its
//! shape goes.

use super::Checking;
use crate::model::load::Loaded;
use crate::spec::{Distil, Experiment, Kept, Source, Treatment};
use crate::treat::{Texts, layers};

/// What tokenizers call the token that stands for a hidden one.
const MASKS: [&str; 2] = ["[MASK]", "<mask>"];

/// A model with as many blocks as the one that methods will ask; none where `treat` takes none away.
pub fn student(experiment: &Experiment, loaded: &Loaded) -> Option<Loaded> {
    let layers = layers(experiment.treat.iter(), loaded.model.dims().layers)?;
    let mut model = loaded.model.parted(&[]); // shares its weights
    model.keep_layers(&layers);
    let (text, family, hash) = (loaded.text.clone(), loaded.family.clone(), loaded.hash.clone());
    Some(Loaded { model, text, family, hash, tied: loaded.tied })
}

impl Checking<'_, '_> {
    /// What is wrong with a student.
    pub(super) fn student(&mut self, distil: &Distil) {
        self.blocks(&distil.layers);
        self.positive("rows", distil.rows);
        for (field, value) in [("weight_decay", distil.weight_decay), ("lambda", distil.lambda), ("mu", distil.mu)] {
            self.at_least_zero(field, value);
        }
        for (field, value) in [("rate", distil.rate), ("temperature", distil.temperature)] {
            if !(value.is_finite() && value > 0.0) {
                self.add(field, format!("{value} is no number above 0"));
            }
        }
        if distil.lambda > 0.0 && !self.known.model.is_causal() && self.mask().is_none() {
            let what =
                "asks for masked tokens, as the model sees both ways, and its tokenizer has no mask; write lambda: 0";
            self.add("lambda", what);
        }
        if distil.calibration.from == Source::Sampled && distil.calibration.length < 2 {
            self.add("calibration.length", "a text of one token has no next one; write 2 or more");
        }
    }

    fn blocks(&mut self, kept: &Kept) {
        let count = self.known.dims().layers;
        match kept {
            Kept::These(layers) => {
                self.layers("layers", layers);
                if layers.windows(2).any(|pair| pair[0] >= pair[1]) {
                    self.add("layers", format!("{layers:?} do not rise; name each layer once, in order"));
                }
            }
            Kept::Spread(wanted) => {
                self.positive("layers", *wanted);
                self.at_most("layers", *wanted, count, "layers");
            }
        }
        let layers = kept.of(count);
        let scale = |layer: usize| self.known.model.block(layer).attention.scale;
        let moved = layers
            .iter()
            .enumerate()
            .any(|(place, layer)| *layer < count && place < count && scale(*layer).to_bits() != scale(place).to_bits());
        if moved {
            let what = "attention of this model is scaled by the number of its layer, so no layer can stand in the place of another; keep the first ones";
            self.add("layers", what);
        }
    }

    /// The texts that serve: those in which something is asked for.
    pub(super) fn lessons(&mut self, treatment: &Treatment, mut texts: Texts) -> Texts {
        let Treatment::Distil(distil) = treatment else { return texts };
        let (before, causal) = (texts.rows.len(), self.known.model.is_causal());
        texts.mask = if causal { None } else { self.mask() };
        texts.begin = if distil.calibration.from == Source::Sampled { self.begin() } else { None };
        texts.rows.retain(|row| row.len() > usize::from(causal));
        if before > 0 && texts.rows.is_empty() && distil.steps > 0 {
            self.add("calibration.from", "no text has two tokens, of which the second could be asked for");
        }
        texts
    }

    /// The token that the tokenizer puts before a text, where it does.
    fn begin(&self) -> Option<u32> {
        let [before, ..] = self.known.loaded.text.as_ref()?.parted("", self.experiment.special_tokens).ok()?;
        before.first().copied()
    }

    fn mask(&self) -> Option<u32> {
        let text = self.known.loaded.text.as_ref()?;
        MASKS.into_iter().find_map(|name| text.id(name))
    }
}
