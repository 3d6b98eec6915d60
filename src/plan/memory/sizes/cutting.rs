//! What cutting holds.

use super::{Sizes, TABLE_ROW};
use crate::plan::{CutKind, Cutting};
use crate::score::LOGITS;
use crate::spec::Stand;

/// Rows of a cut in its table.
const ROWS: u64 = 16;

impl Sizes<'_> {
    /// The same for the longest of both tasks' prompts.
    fn for_tasks(&self, plan: &Cutting) -> Self {
        let items = || plan.tasks.iter().flat_map(|task| &task.items);
        let longest = items().map(|item| item.clean.len() as u64).max().unwrap_or(0);
        Sizes { length: self.length.max(longest), items: items().count() as u64, ..*self }
    }

    /// Edges scored and severed, states that teach, weights that are changed, and texts that are scored.
    pub(super) fn cutting(&self, plan: &Cutting, rows: u64) -> u64 {
        let own = self.for_tasks(plan);
        let width = self.dims().d_model as u64;
        let way = |kind: &CutKind| match kind {
            // the means stand in, and every edge has a score in f32 of each item, and sums of both tasks
            CutKind::Strongest(_, strongest, blocks) => {
                let scores = (own.items + 8) * blocks.count() as u64;
                let chance = strongest.counts.iter().max().map_or(0, |count| (*count * (1 + plan.random)) as u64);
                own.evaluated(Stand::Mean, rows, blocks) + own.written() + scores + 2 * chance * width
            }
            CutKind::Erased { sites, spots, .. } => {
                let states = 2 * spots.iter().map(|spots| spots.len() as u64).sum::<u64>() * width;
                // a map for each stream and draw, and what is needed to find one
                let maps = (sites.len() * (1 + plan.random)) as u64 * (width * width + 2 * width);
                2 * states + maps + 8 * width * width + rows * own.pass(sites)
            }
        };
        // what all parts have chosen in every way is held until the end, while texts are scored too
        plan.folds as u64 * plan.ways.iter().map(|way_| way(&way_.kind)).sum::<u64>() + self.lost(plan, rows)
    }

    fn lost(&self, plan: &Cutting, rows: u64) -> u64 {
        let Some(windows) = &plan.windows else { return 0 };
        let longest = windows.texts.iter().map(|text| text.ids.len() as u64).max().unwrap_or(1);
        let texts = Sizes { length: longest.max(1), ..*self };
        let logits = (LOGITS as u64).min(rows * longest * texts.vocabulary()).max(texts.vocabulary());
        // under a hook on every edge each reader has what was lost before it
        let heads = 3 * super::AT_A_HOOK * texts.site(crate::site::Site::HeadOut(0));
        let nodes = texts.layers() * (self.dims().heads as u64 + 1) + 1;
        rows * (2 * texts.stream() + texts.block() + heads + 2 * nodes * texts.stream()) + 2 * logits
    }

    /// Bytes of what every model says, and of its rows.
    pub(super) fn cuts(&self, plan: &Cutting) -> u64 {
        let items: u64 = plan.tasks.iter().map(|task| task.items.len() as u64).sum();
        let texts = plan.windows.as_ref().map_or(0, |windows| windows.texts.len() as u64);
        let points: u64 = plan.ways.iter().map(|way| way.kind.points() as u64).sum();
        let said = plan.conditions() as u64 * (16 * items + 8 * texts);
        let tokens: u64 =
            plan.windows.iter().flat_map(|windows| &windows.texts).map(|text| 3 * text.ids.len() as u64).sum();
        let ranked = |kind: &CutKind| match kind {
            CutKind::Strongest(_, _, blocks) => plan.folds as u64 * blocks.count() as u64 * (32 + 64),
            CutKind::Erased { .. } => 0,
        };
        let ranked: u64 = plan.ways.iter().map(|way| ranked(&way.kind)).sum();
        said + 8 * tokens + ranked + (1 + points) * (ROWS + items) * TABLE_ROW
    }
}
