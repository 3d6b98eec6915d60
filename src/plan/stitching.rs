//! Stitching: the streams of both models, and the prompts that maps are learned from and tried on, in the tokens of each.

use super::das::check_precision;
use super::held_out::{self, Parts};
use super::probing::{INNER, check_counts, check_penalties};
use super::sites::lens_sites;
use super::{Guest, Item, Known, Named, Problems, spots};
use crate::model::load::Loaded;
use crate::site::Site;
use crate::spec::{Experiment, Joined, Role, Spot, Stitch};
use crate::text::SpecialTokens;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Maps to be learned from another model's streams.
pub struct Stitching {
    /// The other model.
    pub guest: Rc<Loaded>,
    /// What it is called.
    pub name: String,
    /// Streams of the other model.
    pub from: Vec<Site>,
    /// Streams of this one.
    pub into: Vec<Site>,
    /// How they are joined.
    pub layers: Joined,
    /// Whether states are put in at all positions.
    pub everywhere: bool,
    /// What is learned from, each prompt once.
    pub fit: Vec<Twofold>,
    /// The clean prompts of the items that are tested on, in their order.
    pub test: Vec<Twofold>,
    /// Penalties to choose from.
    pub penalties: Vec<f64>,
    /// Twins of the other model.
    pub random_models: usize,
    /// Which items are learned from, and which tested on.
    pub parts: Parts,
}

/// A prompt as two models read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Twofold {
    /// This model's tokens.
    pub own: Vec<u32>,
    /// The other's.
    pub theirs: Vec<u32>,
    /// Positions of this model's tokens, and of the other's, that stand for each other.
    pub at: Vec<[usize; 2]>,
    /// What stands on one side of every inner fold.
    pub group: usize,
}

impl Stitching {
    /// The streams of this model that a stream of the other is joined with, by their numbers.
    pub fn joined(&self, from: usize) -> Vec<usize> {
        match self.layers {
            Joined::Each => (0..self.into.len()).collect(),
            Joined::Same => vec![from],
        }
    }
}

/// The maps, or what is wrong with them.
pub(super) fn resolve(
    at: &str,
    asked: &Stitch,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<Stitching> {
    let before = problems.count();
    let field = |name: &str| format!("{at}.{name}");
    check_precision(at, known, problems);
    check_penalties(&field("penalties"), &asked.penalties, problems);
    check_counts(at, &[("random_models", asked.random_models)], problems);
    let named = Named::Model(asked.from.clone());
    let Some(Guest { loaded: guest, .. }) = known.guests.iter().find(|guest| guest.named == named) else {
        problems.add(&field("from"), format!("{:?} was not loaded; plan it as one of the guests", asked.from));
        return None;
    };
    let (model, family) = (guest.model.as_ref(), guest.family.as_str());
    let there = Known { model, family, loaded: guest, sites: guest.model.sites(), ..*known };
    let into = lens_sites(&field("sites"), asked.sites.as_ref(), known, problems);
    let from = lens_sites(&field("sites"), asked.sites.as_ref(), &there, problems);
    check_joined(&field("layers"), asked.layers, [into.len(), from.len()], problems);
    spots::check(&field("at"), &asked.at, known, problems);
    let parts = held_out::resolve(&field("held_out"), &asked.held_out, experiment.seed, known, problems)?;
    if problems.count() > before {
        return None;
    }
    let both = Both { at, asked, known, there: &there, special: experiment.special_tokens };
    let groups = held_out::group_of(known.items, &asked.held_out.apart);
    let (fit, test) = both.prompts(&parts, &groups).map_err(|(name, what)| problems.add(&field(name), what)).ok()?;
    Some(Stitching {
        guest: guest.clone(),
        name: format!("{:?}", asked.from),
        from,
        into,
        layers: asked.layers,
        everywhere: asked.at.is_empty(),
        fit,
        test,
        penalties: asked.penalties.clone(),
        random_models: asked.random_models,
        parts,
    })
}

fn check_joined(at: &str, layers: Joined, [own, theirs]: [usize; 2], problems: &mut Problems) {
    if layers == Joined::Same && own != theirs {
        let what = format!(
            "Same joins stream with stream, but there are {own} here and {theirs} in the other model; write layers: Each"
        );
        problems.add(at, what);
    }
}

/// Two models, and what is asked of them.
struct Both<'a> {
    at: &'a str,
    asked: &'a Stitch,
    known: &'a Known<'a>,
    there: &'a Known<'a>,
    special: SpecialTokens,
}

/// The field that is at fault, and why.
type Fault = (&'static str, String);

impl Both<'_> {
    /// The prompts that are learned from, and those that are tested on.
    fn prompts(&self, parts: &Parts, groups: &[usize]) -> Result<(Vec<Twofold>, Vec<Twofold>), Fault> {
        let of = |item: &usize| {
            let own = &self.known.items[*item];
            self.twofold(own, &own.clean, groups[*item])
        };
        let test: Vec<Twofold> = parts.test.iter().map(of).collect::<Result<_, _>>()?;
        let fit = self.learned(parts, groups, &test)?;
        let count = fit.iter().map(|prompt| prompt.group).collect::<BTreeSet<_>>().len();
        if self.asked.penalties.len() > 1 && count < INNER {
            return Err((
                "penalties",
                "there are too few groups to choose a penalty within what is learned from; write one, for instance penalties: [1]".into(),
            ));
        }
        Ok((fit, test))
    }

    /// Both prompts of every item that is learned from, each once, without those that are tested on.
    fn learned(&self, parts: &Parts, groups: &[usize], test: &[Twofold]) -> Result<Vec<Twofold>, Fault> {
        let tested: BTreeSet<&Vec<u32>> = test.iter().map(|prompt| &prompt.own).collect();
        let mut found: BTreeMap<&Vec<u32>, Twofold> = BTreeMap::new();
        for item in &parts.fit {
            let own = &self.known.items[*item];
            for tokens in [&own.clean, &own.corrupt].into_iter().filter(|tokens| !tested.contains(tokens)) {
                let made = self.twofold(own, tokens, groups[*item])?;
                let places = &mut found.entry(tokens).or_insert_with(|| made.clone()).at;
                places.extend(made.at);
                places.sort_unstable();
                places.dedup();
            }
        }
        match found.len() {
            0 | 1 => {
                Err(("held_out", "leaves no two prompts to learn a map from that are not tested on; add items".into()))
            }
            _ => Ok(found.into_values().collect()),
        }
    }

    /// A prompt of an item as both models read it.
    fn twofold(&self, item: &Item, tokens: &[u32], group: usize) -> Result<Twofold, Fault> {
        let own = tokens.to_vec();
        let places: Vec<usize> = match self.asked.at.is_empty() {
            true => (0..own.len()).collect(),
            false => spots::all(&self.asked.at, item),
        };
        let apart = self.apart(tokens);
        let (theirs, at) = match &apart {
            None => (own.clone(), places.iter().map(|place| [*place; 2]).collect()),
            Some(why) => {
                let theirs = self.reread(item, tokens, why)?;
                let last = self.last_word(tokens, &theirs)?;
                let at = places.iter().map(|place| [*place, last]).collect();
                (theirs, at)
            }
        };
        let context = self.there.dims().context;
        if theirs.len() > context {
            let what = format!("a prompt has {} tokens there, and that model has {context} positions", theirs.len());
            return Err(("from", what));
        }
        Ok(Twofold { own, theirs, at, group })
    }

    /// Why a prompt's tokens are others in the other model, where they are.
    fn apart(&self, tokens: &[u32]) -> Option<String> {
        let vocabulary = self.there.dims().vocabulary;
        let texts = self.known.loaded.text.as_ref().zip(self.there.loaded.text.as_ref());
        let differs = |token: &&u32| match texts {
            Some((own, theirs)) => own.label(**token) != theirs.label(**token),
            None => **token as usize >= vocabulary,
        };
        let token = tokens.iter().find(differs)?;
        Some(match texts {
            Some((own, theirs)) => {
                format!("token {token} is {:?} here and {:?} there", own.label(*token), theirs.label(*token))
            }
            None => format!("token {token} does not exist there; its vocabulary has 0 to {}", vocabulary - 1),
        })
    }

    /// The same text in the other model's tokens, of which only the last surely stands for the last here.
    fn reread(&self, item: &Item, tokens: &[u32], why: &str) -> Result<Vec<u32>, Fault> {
        let last = |spot: &Spot| spots::positions(*spot, item) == [tokens.len() - 1];
        let by_role = |spot: &Spot| matches!(spot, Spot::Role(Role::Last | Role::Answer));
        if self.asked.at.is_empty() || !self.asked.at.iter().all(|spot| by_role(spot) && last(spot)) {
            let what = format!(
                "the two models have different tokens ({why}), so that only last positions stand for each other; write at: [Last], or choose a model with the same tokenizer"
            );
            return Err(("from", what));
        }
        let (Some(own), Some(theirs)) = (&self.known.loaded.text, &self.there.loaded.text) else {
            return Err(("from", format!("{why}, and prompts of raw tokens cannot be read again")));
        };
        let text = own.decode(tokens);
        let found = theirs.encode(&text, self.special).map_err(|error| ("from", format!("{}: {error}", self.at)))?;
        match found.is_empty() {
            true => Err(("from", format!("{text:?} is no token there"))),
            false => Ok(found),
        }
    }

    /// Where the last token of a prompt's own text stands there, before any that the other tokenizer puts behind texts.
    fn last_word(&self, tokens: &[u32], theirs: &[u32]) -> Result<usize, Fault> {
        let (Some(own), Some(there)) = (&self.known.loaded.text, &self.there.loaded.text) else {
            return Ok(theirs.len() - 1);
        };
        let text = own.decode(tokens);
        let plain =
            there.encode(&text, SpecialTokens::Never).map_err(|error| ("from", format!("{}: {error}", self.at)))?;
        let last = plain.last().and_then(|last| theirs.iter().rposition(|token| token == last));
        last.ok_or_else(|| ("from", format!("{text:?} has no last token there")))
    }
}
