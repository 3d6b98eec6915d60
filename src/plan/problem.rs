//! Everything that is wrong with an experiment, told at once.

use std::fmt;

/// The most problems of single prompts that are told; a file of thousands may go wrong in every line.
const TOLD: usize = 20;

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field: `methods[0].over`.
    pub at: String,
    /// What was found, what was expected, what to do.
    pub what: String,
}

impl Problem {
    fn is_of_a_prompt(&self) -> bool {
        let at = self.at.split_once("].data").filter(|(before, _)| before.starts_with("features[")).map(|(_, at)| at);
        let at = at.or_else(|| self.at.strip_prefix("data")).unwrap_or_default();
        at.starts_with('[') || at.starts_with(" (")
    }
}

fn line(problem: &Problem) -> String {
    format!("{}: {}", problem.at, problem.what)
}

/// Everything that is wrong with an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError(pub Vec<Problem>);

impl fmt::Display for PlanError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_prompts = self.0.iter().filter(|problem| problem.is_of_a_prompt());
        let (mut lines, left) =
            (of_prompts.clone().take(TOLD).map(line).collect::<Vec<_>>(), of_prompts.skip(TOLD).count());
        if left > 0 {
            lines.push(format!("data: {left} problems more of this kind"));
        }
        lines.extend(self.0.iter().filter(|problem| !problem.is_of_a_prompt()).map(line));
        out.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for PlanError {}

/// Collects problems while resolving goes on.
#[derive(Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, at: &str, what: impl Into<String>) {
        let problem = Problem { at: at.to_string(), what: what.into() };
        // one mistake may show in every layer
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn into_result(self) -> Result<(), PlanError> {
        if self.0.is_empty() { Ok(()) } else { Err(PlanError(self.0)) }
    }
}
