//! What names of an experiment are resolved against: the model, its sites, the prompts.

use super::{Feature, Guest, Item};
use crate::model::load::Loaded;
use crate::model::{Dims, Model};
use crate::site::Site;

/// What names are resolved against.
pub(crate) struct Known<'a> {
    pub(crate) model: &'a dyn Model,
    pub(crate) family: &'a str,
    pub(crate) loaded: &'a Loaded,
    pub(crate) sites: Vec<Site>,
    pub(crate) items: &'a [Item],
    pub(crate) features: &'a [Feature],
    /// Other models that methods name.
    pub(crate) guests: &'a [Guest],
    /// Whether these are all items; where some could not be resolved, nothing is said of their number and lengths.
    pub(crate) complete: bool,
}

impl<'a> Known<'a> {
    /// A model without prompts.
    pub(crate) fn of(loaded: &'a Loaded) -> Self {
        let (model, family) = (loaded.model.as_ref(), loaded.family.as_str());
        Known { model, family, loaded, sites: model.sites(), items: &[], features: &[], guests: &[], complete: true }
    }
}

impl Known<'_> {
    pub(crate) fn dims(&self) -> &Dims {
        self.model.dims()
    }

    /// Tokens as text, without the spaces around it.
    pub(crate) fn written(&self, tokens: &[u32]) -> String {
        let text = self.loaded.text.as_ref().map(|text| text.decode(tokens).trim().to_string());
        text.filter(|text| !text.is_empty()).unwrap_or_else(|| {
            tokens
                .iter()
                .map(|id| self.loaded.text.as_ref().map_or(id.to_string(), |text| text.label(*id)))
                .collect::<Vec<_>>()
                .join(" ")
        })
    }

    /// Tokens of which any counts, as text.
    pub(crate) fn any_of(&self, tokens: &[u32]) -> String {
        tokens.iter().map(|token| self.written(&[*token])).collect::<Vec<_>>().join("/")
    }

    /// The length that all prompts have, if they have one.
    pub(crate) fn length(&self) -> Option<usize> {
        let first = self.items.first()?.clean.len();
        self.items.iter().all(|item| item.clean.len() == first).then_some(first)
    }

    /// Whether prompts have several lengths.
    pub(crate) fn is_uneven(&self) -> bool {
        self.complete && self.length().is_none()
    }
}
