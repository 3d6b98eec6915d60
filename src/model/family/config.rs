//! `config.json` of a Hugging Face folder, read field by field with errors that name the field.

use crate::model::parts::function::Function;
use crate::model::parts::position::{Llama3Scaling, Rotary};
use serde_json::Value;
use std::path::Path;

/// What is wrong with a configuration.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConfigError {
    /// Not there, or not JSON.
    #[error("{path}: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// A field with a value that cannot be used.
    #[error("{path}: `{field}` is {found}; expected {expected}")]
    Field {
        /// The file.
        path: String,
        /// The field.
        field: String,
        /// What it says.
        found: String,
        /// What it may say.
        expected: String,
    },
}

/// No size of a model comes near it; a larger one would be asked of the memory before any tensor is compared with it.
const MOST: u64 = 1 << 24;

/// A configuration.
#[derive(Clone, Debug)]
pub struct Config {
    path: String,
    fields: Value,
}

impl Config {
    /// From a file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let unreadable = |why: String| ConfigError::Unreadable { path: shown.clone(), why };
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        Config::parse(&shown, &text)
    }

    /// From text; `path` is what errors call it.
    pub fn parse(path: &str, text: &str) -> Result<Self, ConfigError> {
        let unreadable = |why: String| ConfigError::Unreadable { path: path.to_string(), why };
        let fields = serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
        Ok(Config { path: path.to_string(), fields })
    }

    /// An error about a field.
    pub fn wrong(&self, field: &str, found: &str, expected: &str) -> ConfigError {
        let (path, field) = (self.path.clone(), field.to_string());
        ConfigError::Field { path, field, found: found.to_string(), expected: expected.to_string() }
    }

    /// A field that may be missing or null; `a.b` is field b of object a.
    pub fn find(&self, field: &str) -> Option<&Value> {
        let value = field.split('.').try_fold(&self.fields, |value, key| value.get(key))?;
        (!value.is_null()).then_some(value)
    }

    /// Whether a field is written at all, if only as null.
    pub fn names(&self, field: &str) -> bool {
        self.fields.get(field).is_some()
    }

    fn typed<T>(
        &self,
        field: &str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.find(field) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.wrong(field, &value.to_string(), expected))
    }

    fn needed<T>(&self, field: &str, expected: &str, value: Option<T>) -> Result<T, ConfigError> {
        value.ok_or_else(|| self.wrong(field, "missing", expected))
    }

    /// A count of at least one.
    pub fn count(&self, field: &str) -> Result<usize, ConfigError> {
        let value = self.maybe_count(field)?;
        self.needed(field, "a whole number above 0", value)
    }

    /// A count of at least one, or nothing.
    pub fn maybe_count(&self, field: &str) -> Result<Option<usize>, ConfigError> {
        let count =
            |value: &Value| value.as_u64().filter(|count| (1..=MOST).contains(count)).map(|count| count as usize);
        self.typed(field, &format!("a whole number from 1 to {MOST}"), count)
    }

    /// A number above 0, or nothing: no number of a configuration may be negative.
    pub fn number(&self, field: &str) -> Result<Option<f64>, ConfigError> {
        self.typed(field, "a number above 0", |value| value.as_f64().filter(|number| *number > 0.0))
    }

    /// True or false; `default` where it is missing.
    pub fn flag(&self, field: &str, default: bool) -> Result<bool, ConfigError> {
        Ok(self.typed(field, "true or false", Value::as_bool)?.unwrap_or(default))
    }

    /// A text.
    pub fn text(&self, field: &str) -> Result<String, ConfigError> {
        let value = self.typed(field, "a text", |value| value.as_str().map(String::from))?;
        self.needed(field, "a text", value)
    }

    /// The non-linearity that a field names.
    pub fn function(&self, field: &str, default: &str) -> Result<Function, ConfigError> {
        let name = match self.find(field) {
            Some(_) => self.text(field)?,
            None => default.to_string(),
        };
        let known = "gelu, gelu_new, gelu_pytorch_tanh, quick_gelu, silu, relu, relu2 or tanh";
        Function::named(&name).ok_or_else(|| self.wrong(field, &name, known))
    }

    /// `whole / parts`, which must come out even.
    pub fn share(&self, whole: (&str, usize), parts: (&str, usize)) -> Result<usize, ConfigError> {
        if whole.1.is_multiple_of(parts.1) {
            return Ok(whole.1 / parts.1);
        }
        Err(self.wrong(whole.0, &whole.1.to_string(), &format!("a multiple of `{}`, which is {}", parts.0, parts.1)))
    }

    /// The share of a head's channels that is rotated.
    pub fn rotary_share(&self, default: f64) -> Result<f64, ConfigError> {
        let fields = ["rope_parameters.partial_rotary_factor", "partial_rotary_factor", "rotary_pct"];
        match self.first_number(&fields)?.unwrap_or(default) {
            share if share <= 1.0 => Ok(share),
            share => Err(self.wrong("the rotary share of a head", &share.to_string(), "a number above 0 and up to 1")),
        }
    }

    fn first_number(&self, fields: &[&str]) -> Result<Option<f64>, ConfigError> {
        fields.iter().find_map(|field| self.number(field).transpose()).transpose()
    }

    /// Rotary positions of `width` channels, in the older spelling (`rope_theta`, `rope_scaling`), which wins where both
    /// stand as in `transformers`, or in the newer (`rope_parameters`).
    pub fn rotary(&self, width: usize) -> Result<Rotary, ConfigError> {
        let fields = ["rope_scaling.rope_theta", "rope_parameters.rope_theta", "rope_theta", "rotary_emb_base"];
        let plain = Rotary::new(width, self.first_number(&fields)?.unwrap_or(10_000.0));
        self.scaled(plain, if self.find("rope_scaling").is_some() { "rope_scaling" } else { "rope_parameters" })
    }

    fn scaled(&self, plain: Rotary, at: &str) -> Result<Rotary, ConfigError> {
        let field =
            [format!("{at}.rope_type"), format!("{at}.type")].into_iter().find(|field| self.find(field).is_some());
        let Some(field) = field else { return Ok(plain) };
        let number = |name: &str| {
            let field = format!("{at}.{name}");
            let value = self.number(&field)?;
            self.needed(&field, "a number", value)
        };
        match self.text(&field)?.as_str() {
            "default" => Ok(plain),
            "linear" => Ok(plain.linear(number("factor")?)),
            "llama3" => Ok(plain.llama3(Llama3Scaling {
                factor: number("factor")?,
                low_freq_factor: number("low_freq_factor")?,
                high_freq_factor: number("high_freq_factor")?,
                original: match self.number(&format!("{at}.original_max_position_embeddings"))? {
                    Some(positions) => positions,
                    None => self.count("max_position_embeddings")? as f64,
                },
            })),
            other => Err(self.wrong(&field, other, "default, linear or llama3")),
        }
    }
}
