//! State of a job's operators as rows, for people: read from the checkpoints on disk, changed by nobody.
//!
//! A checkpoint of each task is as of a commit of its own: those of several tasks are of moments that are near, and not the
//! same. The job may run meanwhile.

use crate::plan::{JobPlan, TaskId};
use millstream_operators::{CutNode, EachRows, OperatorError, Work};
use millstream_state::{CheckpointMark, StateError, TaskState};
use std::path::{Path, PathBuf};

/// Why state can't be shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// It can't be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// It is not what the operator keeps.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// It is of another job.
    #[error("{path}: this is state of job \"{found}\", and not of \"{wanted}\"", path = path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: String,
    },
}

/// An operator with state, and the part of the plan that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeper {
    /// Its name in the plan.
    pub name: String,
    /// What it does.
    pub detail: String,
    part: usize,
    node: usize,
}

/// The operators of a plan that keep state.
pub fn keepers(plan: &JobPlan) -> Vec<Keeper> {
    let mut keepers = Vec::new();
    for (part, of_part) in plan.cut().parts.iter().enumerate() {
        for (node, of_node) in of_part.nodes.iter().enumerate().filter(|(_, node)| is_keeper(node)) {
            let described = of_node.describe();
            let detail = format!("{}: {}", described.name, described.detail);
            keepers.push(Keeper { name: of_node.name.clone(), detail, part, node });
        }
    }
    keepers
}

/// Whether it is an operator with state. What exchanges keep says how far they are.
fn is_keeper(node: &CutNode) -> bool {
    matches!(node.work, Work::Operator(_)) && !node.stores().is_empty()
}

/// What was shown of an operator's state in one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// There is no state of the task here.
    Nowhere,
    /// The rows as of this commit; none where there was no checkpoint yet.
    Rows(Option<CheckpointMark>),
    /// The operator's state can't be shown as rows.
    NoRows,
}

/// Gives the rows of an operator's state in every task below `directory` to `each`, task by task.
///
/// # Errors
/// [`ShowError`]; rows that came before it are right.
pub fn show_state(
    plan: &JobPlan,
    directory: &Path,
    keeper: &Keeper,
    each: EachRows<'_>,
) -> Result<Vec<(TaskId, Shown)>, ShowError> {
    let mut shown = Vec::new();
    let part = plan.cut().parts.get(keeper.part);
    let node = part.and_then(|part| part.nodes.get(keeper.node));
    let (Some(part), Some(node)) = (part, node) else { return Ok(shown) };
    let mut goes_on = true;
    for task in plan.tasks().filter(|task| task.sub_topology == part.index) {
        let path = directory.join(format!("task-{task}"));
        if !path.join("CURRENT").is_file() {
            shown.push((task, Shown::Nowhere));
            continue;
        }
        let mut state = TaskState::open_read_only(&path)?;
        if state.identity().job != plan.job() {
            let (found, wanted) = (state.identity().job.clone(), plan.job().to_owned());
            return Err(ShowError::Foreign { path, found, wanted });
        }
        let mark = state.mark();
        let is_shown = node.show_state(&mut state, &mut |rows| {
            let more = each(rows);
            goes_on = more.is_continue();
            more
        })?;
        shown.push((task, if is_shown { Shown::Rows(mark) } else { Shown::NoRows }));
        if !goes_on {
            break;
        }
    }
    Ok(shown)
}
