//! Whether the measures of two models are of the same things, so that their differences say something.

use super::{Kind, Measuring, Set};

impl Measuring {
    /// Why the figures cannot be held against those of another model; none where they can.
    pub fn apart(&self, other: &Measuring) -> Option<String> {
        let scored = self.sets.iter().find(|set| !matches!(set.kind, Kind::LogOdds { .. } | Kind::Weat { .. }));
        if let Some(set) = scored.filter(|_| self.is_causal != other.is_causal) {
            let name = &set.name;
            return Some(format!(
                "{name}: one of the two models sees both ways and is asked at its mask, the other is not, so their scores are of different kinds; measure each in an experiment of its own"
            ));
        }
        self.sets.iter().zip(&other.sets).find_map(|(own, other)| own.apart(other))
    }
}

impl Set {
    fn apart(&self, other: &Set) -> Option<String> {
        let (name, same) = (&self.name, self.texts().eq(other.texts()));
        match (&self.kind, &other.kind) {
            (Kind::Weat { sites: own, .. }, Kind::Weat { sites: others, .. }) if own != others => Some(format!(
                "{name}: its states are read at other sites than those of the experiment's own model; name `sites` that both models have"
            )),
            (own, others) if own != others => Some(format!(
                "{name}: is told in another way than of the experiment's own model; measure the same with one metric"
            )),
            (Kind::Perplexity, _) if !same => Some(format!(
                "{name}: its windows hold other tokens than those of the experiment's own model; write a `window` that both models have positions for, and measure models with different tokenizers in experiments of their own"
            )),
            _ => None,
        }
    }

    fn texts(&self) -> impl Iterator<Item = &[crate::score::Request]> {
        self.cases.iter().map(|case| case.requests.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;
    use crate::plan::Case;
    use crate::score::Request;
    use crate::spec::Statistics;

    fn measuring(kind: Kind, tokens: &[&[u32]], is_causal: bool) -> Measuring {
        let case = |tokens: &&[u32]| Case { requests: vec![Request::causal(tokens, 1)], ..Case::default() };
        let cases = tokens.iter().map(case).collect();
        let sets = vec![Set { kind, name: "one".into(), cases, facts: Vec::new() }];
        Measuring { sets, is_causal, statistics: Statistics::default(), is_paired: true }
    }

    fn told(own: (Kind, &[&[u32]], bool), other: (Kind, &[&[u32]], bool)) -> String {
        let [own, other] = [own, other].map(|(kind, tokens, causal)| measuring(kind, tokens, causal));
        own.apart(&other).unwrap_or_default()
    }

    #[test]
    fn scores_of_different_kinds_are_not_subtracted() {
        let text: &[&[u32]] = &[&[1, 2, 3], &[4, 5]];
        let apart = told((Kind::Bbq, text, true), (Kind::Bbq, text, false));
        assert!(apart.contains("one: one of the two models sees both ways"), "{apart}");
        let by = |metric| Kind::LogOdds { by: "job".into(), shares: false, metric };
        assert_eq!(told((by(Metric::Logit), text, true), (by(Metric::Logit), text, false)), "");
        let apart = told((by(Metric::Logit), text, true), (by(Metric::LogProb), text, true));
        assert!(apart.contains("one: is told in another way"), "{apart}");
        // items of other tokenizers are items all the same
        assert_eq!(told((Kind::Bbq, text, true), (Kind::Bbq, &[&[9], &[8]], true)), "");
    }

    #[test]
    fn windows_are_of_the_same_tokens() {
        let text: &[&[u32]] = &[&[1, 2, 3], &[4, 5]];
        assert_eq!(told((Kind::Perplexity, text, true), (Kind::Perplexity, text, true)), "");
        let others: [&[&[u32]]; 3] = [&[&[1, 2, 3]], &[&[1, 2, 3], &[4, 6]], &[&[1, 2, 3, 4, 5]]];
        for other in others {
            let apart = told((Kind::Perplexity, text, true), (Kind::Perplexity, other, true));
            assert!(apart.contains("one: its windows hold other tokens") && apart.contains("`window`"), "{apart}");
        }
    }
}
