//! Total, direct and indirect effects from the ratios of four runs: the mathematics of causal mediation.

/// y = p(wrong answer) / p(right answer) in four runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Odds {
    /// After the clean prompt, y(x).
    pub clean: f64,
    /// After the corrupted prompt, y(x').
    pub corrupt: f64,
    /// After the clean prompt with the mediator as the corrupted one has it.
    pub carried: f64,
    /// After the corrupted prompt with the mediator as the clean one has it.
    pub held: f64,
}

/// What the corrupted prompt changes of y, as a share of y(x).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effects {
    /// By every road.
    pub total: f64,
    /// Through the mediator alone (NIE).
    pub indirect: f64,
    /// By every road but the mediator (NDE).
    pub direct: f64,
}

/// The change from y(x) to another y, over y(x): 0 is none, 1 is twice as much (Vig et al. 2020, eq. 2).
pub fn relative(changed: f64, clean: f64) -> f64 {
    (changed - clean) / clean
}

impl Effects {
    /// Of one item.
    pub fn of(odds: Odds) -> Self {
        Effects {
            total: relative(odds.corrupt, odds.clean),
            indirect: relative(odds.carried, odds.clean),
            direct: relative(odds.held, odds.clean),
        }
    }

    /// The mean over items, effect by effect.
    pub fn mean(items: &[Effects]) -> Self {
        let mean = |effect: fn(&Effects) -> f64| items.iter().map(effect).sum::<f64>() / items.len() as f64;
        Effects {
            total: mean(|item| item.total),
            indirect: mean(|item| item.indirect),
            direct: mean(|item| item.direct),
        }
    }

    /// What is left of the total effect: zero where the mediator and the other roads do not interact.
    pub fn gap(&self) -> f64 {
        self.total - (self.indirect + self.direct)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_through_the_mediator_and_what_does_not_add_up_where_they_do_not_interact() {
        let additive = |mediator: f64, rest: f64| 2.0 + mediator + rest;
        let odds = Odds {
            clean: additive(0.0, 0.0),
            corrupt: additive(3.0, 1.0),
            carried: additive(3.0, 0.0),
            held: additive(0.0, 1.0),
        };
        let effects = Effects::of(odds);
        assert_eq!((effects.total, effects.indirect, effects.direct, effects.gap()), (2.0, 1.5, 0.5, 0.0));
        let product = Odds { clean: 1.0, corrupt: 6.0, carried: 3.0, held: 2.0 };
        assert_eq!(Effects::of(product).gap(), 2.0);
    }
}
