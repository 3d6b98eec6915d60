//! Kinds of methods: what they tell of, and what hangs on that.

use super::{Concept, Measure, Method, ModelSpec, Neurons};

impl Method {
    /// Whether it tells of circuits, which can be held against those of another experiment.
    pub fn finds_circuits(&self) -> bool {
        use Method::{Acdc, Circuit, EdgePruning, EvaluateCircuit};
        matches!(self, Circuit { .. } | Acdc { .. } | EdgePruning { .. } | EvaluateCircuit { .. })
    }

    /// Whether it looks for features.
    pub fn reads_features(&self) -> bool {
        let probed = match self {
            Method::Localise(_) | Method::Steer(_) => return true,
            Method::Probe(probe) => Some(&probe.of),
            Method::Erase(erase) => Some(&erase.of),
            _ => None,
        };
        self.finds_circuits() || matches!(probed, Some(Concept::Feature(_)))
    }

    /// Whether it tells of what can be held against the same of another experiment.
    pub fn can_be_held(&self) -> bool {
        let wholes = matches!(self, Method::Represent(_) | Method::Measure(_) | Method::Classify(_));
        wholes || self.finds_circuits() || self.tells_of_items()
    }

    /// Whether it tells of every prompt by itself, so that two models which were asked the same can be held against each other.
    pub fn tells_of_items(&self) -> bool {
        use Method::{Ablate, AttributionPatch, Das, DirectLogitAttribution, Erase, Knockout, LogitLens, Mediate};
        use Method::{Patch, Patchscope, PathPatch, Probe, Trace, TunedLens};
        let changes = matches!(self, Patch { .. } | AttributionPatch { .. } | Ablate { .. } | PathPatch { .. });
        let asks = matches!(self, Mediate { .. } | Trace { .. } | Knockout { .. } | Probe(_) | Erase(_) | Das(_));
        let reads = matches!(self, LogitLens { .. } | TunedLens(_) | DirectLogitAttribution | Patchscope { .. });
        changes || asks || reads
    }

    /// Whether it asks the experiment's own prompts.
    pub fn reads_prompts(&self) -> bool {
        match self {
            Method::Measure(spec) => spec.measures.iter().any(Measure::reads_prompts),
            _ => true,
        }
    }

    /// The variant of `against` whose model stands beside the experiment's, where the method needs one.
    pub fn beside(&self) -> Option<&str> {
        match self {
            Method::PatchWeights(patch) => Some(&patch.with),
            Method::PatchModels(patch) => Some(&patch.with),
            _ => None,
        }
    }

    /// Whether variants leave it out: it needs a model beside the experiment's, or tells nothing that is held against theirs.
    pub fn is_left_out(&self) -> bool {
        self.beside().is_some() || matches!(self, Method::Cut(_))
    }

    /// The other model that it works with, where it does.
    pub fn guest_mut(&mut self) -> Option<&mut ModelSpec> {
        match self {
            Method::Stitch(stitch) => Some(&mut stitch.from),
            _ => None,
        }
    }

    /// Whether the nodes of its circuits are chosen by all items.
    pub fn chooses_nodes(&self) -> bool {
        matches!(self, Method::Circuit { neurons: Neurons::Top(_), .. })
    }
}
