//! `config.json` of a Hugging Face folder, read field by field with errors that name the field.

use crate::model::parts::function::Function;
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

    /// The first of two names of one count that is written.
    pub fn count_of(&self, [name, other]: [&str; 2]) -> Result<usize, ConfigError> {
        self.count(if self.find(name).is_none() && self.find(other).is_some() { other } else { name })
    }

    /// An index from 0 on, or nothing.
    pub fn index(&self, field: &str) -> Result<Option<usize>, ConfigError> {
        let index = |value: &Value| value.as_u64().filter(|index| *index <= MOST).map(|index| index as usize);
        self.typed(field, &format!("a whole number from 0 to {MOST}"), index)
    }

    /// Which of some names a field says, or nothing.
    pub fn choice(&self, field: &str, names: &[&str]) -> Result<Option<usize>, ConfigError> {
        let choice = |value: &Value| names.iter().position(|name| value == name);
        self.typed(field, &names.join(" or "), choice)
    }

    /// Which of some names a field says for each of `count` layers, or nothing.
    pub fn choices(&self, field: &str, count: usize, names: &[&str]) -> Result<Option<Vec<usize>>, ConfigError> {
        let choice = |value: &Value| names.iter().position(|name| value == name);
        let list = |value: &Value| value.as_array()?.iter().map(choice).collect::<Option<Vec<_>>>();
        let whole = |value: &Value| list(value).filter(|found| found.len() == count);
        self.typed(field, &format!("{} for each of the {count} layers", names.join(" or ")), whole)
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

    /// The first of some fields that is written.
    pub fn first_number(&self, fields: &[&str]) -> Result<Option<f64>, ConfigError> {
        fields.iter().find_map(|field| self.number(field).transpose()).transpose()
    }

    /// A number above 0.
    pub fn needed_number(&self, field: &str) -> Result<f64, ConfigError> {
        let value = self.number(field)?;
        self.needed(field, "a number above 0", value)
    }

    /// A list of numbers above 0.
    pub fn numbers(&self, field: &str) -> Result<Vec<f64>, ConfigError> {
        let number = |value: &Value| value.as_f64().filter(|number| *number > 0.0);
        let list = |value: &Value| value.as_array()?.iter().map(number).collect();
        let value = self.typed(field, "a list of numbers above 0", list)?;
        self.needed(field, "a list of numbers above 0", value)
    }

    /// A number that is `default` where it is not written, and none where it is null.
    pub fn number_unless_null(&self, field: &str, default: f64) -> Result<Option<f64>, ConfigError> {
        Ok(self.number(field)?.or((!self.names(field)).then_some(default)))
    }

    /// A count that is `default` where it is not written, and none where it is null.
    pub fn count_unless_null(&self, field: &str, default: usize) -> Result<Option<usize>, ConfigError> {
        Ok(self.maybe_count(field)?.or((!self.names(field)).then_some(default)))
    }

    /// An error unless a field that changes the architecture is absent, null or false.
    pub fn refuse(&self, field: &str, why: &str) -> Result<(), ConfigError> {
        match self.flag(field, false)? {
            true => Err(self.wrong(field, "true", &format!("false: {why}"))),
            false => Ok(()),
        }
    }
}
