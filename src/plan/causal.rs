//! Causal mediation and tracing: which cells they have, and what they need of the prompts.

use super::cells::{self, Cell, Sweep};
use super::sites::site_groups;
use super::{Known, Problems};
use crate::site::{Layout, Site};
use crate::spec::{Axis, Facts, Mediators, Noise, Only, Sites};

/// A causal tracing with every name resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracing {
    /// What is restored at once, at one position after another; the layer is the middle of its window.
    pub cells: Vec<Cell>,
    /// Layers of a window.
    pub window: usize,
    /// Noised copies of a prompt.
    pub copies: usize,
    /// How strong the noise is.
    pub noise: Noise,
    /// Which facts are kept.
    pub facts: Facts,
}

/// The cells of a mediation; neurons get their positions from each item's subject.
pub(super) fn mediation(
    at: &str,
    mediators: &Mediators,
    only: &Only,
    known: &Known,
    problems: &mut Problems,
) -> Option<Sweep> {
    if !only.positions.is_empty() {
        problems.add(&format!("{at}.only.positions"), "a mediator has its positions from the prompts; leave them out");
    }
    let pattern = "attn.hook_pattern".to_string();
    let (site, over) = match mediators {
        Mediators::Heads => (pattern, vec![Axis::Layer, Axis::Head]),
        Mediators::Layers => (pattern, vec![Axis::Layer]),
        Mediators::Model => (pattern, Vec::new()),
        Mediators::Neurons { site, over, top } => {
            subjects(at, known, problems);
            neurons(at, over, *top, problems);
            (site.clone(), over.clone())
        }
    };
    let sweep = cells::resolve(at, &Sites::Named(vec![site]), &over, only, known, problems)?;
    let of_pattern = |cell: &Cell| cell.sites.iter().any(|site| site.layout() == Layout::Pattern);
    if matches!(mediators, Mediators::Neurons { .. }) && sweep.cells.iter().any(of_pattern) {
        problems.add(&format!("{at}.mediators.site"), "a pattern has no neurons; write Heads, Layers or Model");
    }
    Some(sweep)
}

fn neurons(at: &str, over: &[Axis], top: f64, problems: &mut Problems) {
    if over.contains(&Axis::Position) {
        problems
            .add(&format!("{at}.mediators.over"), "neurons are taken at all tokens of the subject; leave Position out");
    }
    if !(top > 0.0 && top <= 1.0) {
        problems.add(&format!("{at}.mediators.top"), format!("{top} is no share above 0 and up to 1"));
    }
}

/// Every item must say where its subject stands.
fn subjects(at: &str, known: &Known, problems: &mut Problems) {
    if known.items.iter().any(|item| item.subject.is_none()) {
        let how = "write `subject` in each pair, the slot's name in Templates, the column's in Csv and Jsonl, or data as Facts";
        problems.add(at, format!("needs to know which words a prompt is about; {how}"));
    }
}

/// What a trace needs of its numbers and of the prompts.
pub(super) fn checks(
    at: &str,
    counts: [(&str, usize); 2],
    noise: Noise,
    facts: Facts,
    known: &Known,
    problems: &mut Problems,
) {
    if !known.model.is_causal() {
        problems.add(at, "reads what follows the prompt, which an encoder does not foretell");
    }
    subjects(at, known, problems);
    for (name, count) in counts {
        if count == 0 {
            problems.add(&format!("{at}.{name}"), "0 is too few; write 1 or more");
        }
    }
    let (Noise::Subjects(strength) | Noise::Sigma(strength)) = noise;
    if !(strength >= 0.0 && strength.is_finite()) {
        problems.add(&format!("{at}.noise"), format!("{strength} is not 0 or above"));
    }
    if facts == Facts::Known && known.items.iter().any(|item| item.expected.is_empty()) {
        problems.add(&format!("{at}.facts"), "Known needs an `attribute` in each fact, or pairs with answers");
    }
}

/// A cell for every site of a name, with the window of layers around it.
pub(super) fn traced(at: &str, sites: &Sites, window: usize, known: &Known, problems: &mut Problems) -> Vec<Cell> {
    let at = format!("{at}.sites");
    let groups = site_groups(&at, sites, known, problems);
    for (name, sites) in &groups {
        if sites[0].layout() != Layout::Stream {
            problems.add(&at, format!("`{name}` is split by heads; a trace restores for instance hook_attn_out"));
        }
    }
    let cells = groups.iter().flat_map(|(name, sites)| sites.iter().map(move |site| (name, *site)));
    let layers = known.dims().layers;
    cells.map(|(name, site)| Cell::whole(name, windowed(site, window, layers), site.layer())).collect()
}

/// The layers `[l − window/2, l + window/2)` of a site, rounded up behind `l`, as far as there are any. The stream stands
/// alone: a later one would take the place of an earlier.
fn windowed(site: Site, window: usize, layers: usize) -> Vec<Site> {
    match site {
        Site::ResidPre(_) | Site::ResidMid(_) | Site::ResidPost(_) => vec![site],
        _ => match site.layer() {
            None => vec![site],
            Some(layer) => {
                let around = layer.saturating_sub(window / 2)..(layer + window.div_ceil(2)).min(layers);
                Site::of_kind(site.kind(), layers)[around].to_vec()
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_of_ten_reaches_from_five_below_to_four_above_and_ends_with_the_model() {
        let layers = |site: Site, window| {
            let sites = windowed(site, window, 12);
            (sites[0].layer().unwrap(), sites[sites.len() - 1].layer().unwrap())
        };
        assert_eq!(layers(Site::MlpOut(6), 10), (1, 10));
        assert_eq!(layers(Site::AttnOut(1), 10), (0, 5));
        assert_eq!(layers(Site::AttnOut(11), 3), (10, 11));
        assert_eq!(layers(Site::ResidPost(6), 10), (6, 6));
        assert_eq!(windowed(Site::Embed, 10, 12), [Site::Embed]);
    }
}
