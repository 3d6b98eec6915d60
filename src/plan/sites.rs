//! Names of sites, resolved in a model.

use super::{Known, Problems};
use crate::site::Site;
use crate::spec::{AllSites, Sites};

/// Groups of sites that a sweep treats alike: a name without layer is one group.
pub(crate) fn site_groups(at: &str, sites: &Sites, known: &Known, problems: &mut Problems) -> Vec<(String, Vec<Site>)> {
    match sites {
        Sites::All(AllSites::All) => {
            let mut groups: Vec<(String, Vec<Site>)> = Vec::new();
            for site in &known.sites {
                match groups.iter_mut().find(|(kind, _)| kind == site.kind()) {
                    Some((_, group)) => group.push(*site),
                    None => groups.push((site.kind().to_string(), vec![*site])),
                }
            }
            groups
        }
        Sites::Named(names) => each(at, names, known, problems),
    }
}

fn each(at: &str, names: &[String], known: &Known, problems: &mut Problems) -> Vec<(String, Vec<Site>)> {
    if names.is_empty() {
        problems.add(at, "is empty; name at least one, for instance [\"hook_resid_pre\"], or write All");
    }
    let mut found: Vec<(String, Vec<Site>)> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let at = format!("{at}[{index}]");
        if found.iter().any(|(known, _)| known == name) {
            problems.add(&at, format!("{name:?} stands twice"));
        }
        found.extend(named(&at, name, known, problems).map(|sites| (name.clone(), sites)));
    }
    found
}

/// The sites that a name stands for in this model.
pub(crate) fn named(at: &str, name: &str, known: &Known, problems: &mut Problems) -> Option<Vec<Site>> {
    let of_kind = Site::of_kind(name, known.dims().layers);
    let sites = if of_kind.is_empty() { name.parse().map(|site| vec![site]).unwrap_or_default() } else { of_kind };
    let sites: Vec<Site> = sites.into_iter().filter(|site| known.sites.contains(site)).collect();
    if sites.is_empty() {
        problems.add(at, format!("{} has no site {name:?}; {}", known.family, hint(name, known)));
        return None;
    }
    Some(sites)
}

/// What may have been meant: the layers there are, or a site with a similar name.
fn hint(name: &str, known: &Known) -> String {
    let kind = name.strip_prefix("blocks.").and_then(|rest| rest.split_once('.')).map_or(name, |(_, kind)| kind);
    if kind != name && known.sites.iter().any(|site| site.kind() == kind && site.layer().is_some()) {
        return format!("its layers are 0 to {}", known.dims().layers - 1);
    }
    let tail = kind.rsplit('.').next().unwrap_or(kind).trim_start_matches("hook_");
    let near = known.sites.iter().find(|site| tail.len() > 1 && site.kind().contains(tail));
    let near = near.map(|site| format!("did you mean {:?}? ", site.kind())).unwrap_or_default();
    format!("{near}`patchclamp sites MODEL` lists them")
}

/// The sites of every name.
pub(crate) fn all_sites(at: &str, sites: &Sites, known: &Known, problems: &mut Problems) -> Vec<Site> {
    site_groups(at, sites, known, problems).into_iter().flat_map(|(_, sites)| sites).collect()
}

/// The streams a lens reads: those named, or the one behind every block.
pub(crate) fn lens_sites(at: &str, sites: Option<&Sites>, known: &Known, problems: &mut Problems) -> Vec<Site> {
    let behind_blocks = || Site::of_kind(known.model.last_stream().kind(), known.dims().layers);
    let sites = sites.map_or_else(behind_blocks, |sites| all_sites(at, sites, known, problems));
    let width = |site: &Site| crate::model::shape(known.dims(), *site, 1, 1);
    if let Some(site) = sites.iter().find(|site| width(site) != [1, 1, known.dims().d_model]) {
        problems
            .add(at, format!("`{site}` is not a stream of width {}, so it cannot be unembedded", known.dims().d_model));
    }
    sites
}
