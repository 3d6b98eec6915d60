//! Rotary positions as configurations spell them.

use super::{Config, ConfigError};
use crate::model::parts::position::{Llama3Scaling, Rotary};

/// How frequencies may be changed.
#[derive(Clone, Copy)]
enum Change {
    None,
    Linear,
    Llama3,
    ByLength,
}

/// What most families may write as `rope_type`.
const USUAL: [(&str, Change); 5] = [
    ("default", Change::None),
    ("dynamic", Change::None), // it changes frequencies beyond the context only, where no prompt may go
    ("linear", Change::Linear),
    ("llama3", Change::Llama3),
    ("longrope", Change::ByLength),
];

/// What Phi-3 may write; the last two are older names of one change.
const PHI3: [(&str, Change); 4] =
    [("default", Change::None), ("longrope", Change::ByLength), ("su", Change::ByLength), ("yarn", Change::ByLength)];

/// The context that `transformers` takes a Phi-3 to be trained with where the field is not written.
const PHI3_ORIGINAL: usize = 4096;

/// Rotary positions of `width` of the `d_head` channels of a head.
pub fn usual(config: &Config, d_head: usize, width: usize) -> Result<Rotary, ConfigError> {
    let original = config.maybe_count("original_max_position_embeddings")?;
    Reader { config, at: at(config), kinds: &USUAL, original }.read(d_head, width)
}

/// The same for Phi-3.
pub fn phi3(config: &Config, d_head: usize) -> Result<Rotary, ConfigError> {
    let original = config.maybe_count("original_max_position_embeddings")?.or(Some(PHI3_ORIGINAL));
    let width = (d_head as f64 * share(config, 1.0)?) as usize;
    Reader { config, at: at(config), kinds: &PHI3, original }.read(d_head, width)
}

/// The share of a head's channels that is rotated.
pub fn share(config: &Config, default: f64) -> Result<f64, ConfigError> {
    let within = format!("{}.partial_rotary_factor", at(config));
    match config.first_number(&[&within, "partial_rotary_factor", "rotary_pct"])?.unwrap_or(default) {
        share if share <= 1.0 => Ok(share),
        share => Err(config.wrong("the rotary share of a head", &share.to_string(), "a number above 0 and up to 1")),
    }
}

/// The object that says how to rotate: the older spelling wins where both stand, as in `transformers`.
fn at(config: &Config) -> &'static str {
    let old = config.find("rope_scaling").and_then(|fields| fields.as_object());
    if old.is_some_and(|fields| !fields.is_empty()) { "rope_scaling" } else { "rope_parameters" }
}

struct Reader<'a> {
    config: &'a Config,
    at: &'a str,
    kinds: &'a [(&'a str, Change)],
    original: Option<usize>,
}

impl Reader<'_> {
    fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.at)
    }

    fn number(&self, name: &str) -> Result<f64, ConfigError> {
        self.config.needed_number(&self.field(name))
    }

    fn read(&self, d_head: usize, width: usize) -> Result<Rotary, ConfigError> {
        // an odd width is rounded up to pairs
        if width == 0 || 2 * width.div_ceil(2) > d_head {
            let expected = format!("at least 1 and, in pairs, within the {d_head} of a head");
            return Err(self.config.wrong("the number of rotated channels", &width.to_string(), &expected));
        }
        for kind in ["full_attention", "sliding_attention"].map(|kind| self.field(kind)) {
            if let Some(written) = self.config.find(&kind) {
                let expected = "absent: all layers must be rotated alike";
                return Err(self.config.wrong(&kind, &written.to_string(), expected));
            }
        }
        let theta = self.field("rope_theta");
        let theta = self.config.first_number(&[&theta, "rope_theta", "rotary_emb_base"])?;
        self.changed(Rotary::new(width, theta.unwrap_or(10_000.0)))
    }

    fn changed(&self, plain: Rotary) -> Result<Rotary, ConfigError> {
        match self.change()? {
            Change::None => Ok(plain),
            Change::Linear => Ok(plain.linear(self.number("factor")?)),
            Change::Llama3 => Ok(plain.llama3(Llama3Scaling {
                factor: self.number("factor")?,
                low_freq_factor: self.number("low_freq_factor")?,
                high_freq_factor: self.number("high_freq_factor")?,
                original: match self.config.number(&self.field("original_max_position_embeddings"))? {
                    Some(positions) => positions,
                    None => self.config.count("max_position_embeddings")? as f64,
                },
            })),
            Change::ByLength => self.by_length(plain),
        }
    }

    fn change(&self) -> Result<Change, ConfigError> {
        let fields = [self.field("rope_type"), self.field("type")];
        let Some(field) = fields.into_iter().find(|field| self.config.find(field).is_some()) else {
            return Ok(Change::None);
        };
        let name = self.config.text(&field)?;
        let known = || self.kinds.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let found = self.kinds.iter().find(|(kind, _)| *kind == name);
        found.map(|(_, change)| *change).ok_or_else(|| self.config.wrong(&field, &name, &format!("one of {}", known())))
    }

    /// LongRoPE (Ding et al. 2024), with the magnitude that its paper recommends unless the configuration has its own.
    fn by_length(&self, plain: Rotary) -> Result<Rotary, ConfigError> {
        let context = self.config.count("max_position_embeddings")?;
        let own = self.config.maybe_count(&self.field("original_max_position_embeddings"))?;
        let original = self.original.or(own).unwrap_or(context);
        let factor = self.config.number(&self.field("factor"))?.unwrap_or(context as f64 / original as f64);
        let recommended = if factor <= 1.0 { 1.0 } else { (1.0 + factor.ln() / (original as f64).ln()).sqrt() };
        let magnitude = self.config.number(&self.field("attention_factor"))?.unwrap_or(recommended);
        let pairs = plain.frequencies.len();
        let [short, long] = [self.factors("short_factor", pairs)?, self.factors("long_factor", pairs)?];
        Ok(plain.by_length([&short, &long], original, magnitude))
    }

    /// One number for each rotated pair.
    fn factors(&self, name: &str, pairs: usize) -> Result<Vec<f64>, ConfigError> {
        let field = self.field(name);
        let factors = self.config.numbers(&field)?;
        if factors.len() == pairs {
            return Ok(factors);
        }
        let found = format!("{} numbers", factors.len());
        Err(self.config.wrong(&field, &found, &format!("{pairs}, one for each rotated pair of channels")))
    }
}
