//! Two plans of a job held against each other, without a job: what a restart with the second would make of the state of
//! the first. The matching is the one that a restart goes by.

use super::JobPlan;
use super::matching::{StateFrom, compared};
use super::record::PlanRecord;
use millstream_operators::{CutError, Topology, cut};
use std::collections::BTreeMap;

/// Partitions that all topics are taken to have: how many they have is not a matter of the plans.
const PARTITIONS: u32 = 4;

/// What becomes of a plan's state under another plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Operators that go on with their state: what they are called now, and what they were called.
    pub kept: Vec<(String, String)>,
    /// Operators of new statements: they begin empty.
    pub empty: Vec<String>,
    /// Why the job would be refused, a change each; none where it would go on.
    pub refused: Vec<String>,
    /// Statements without state, and tables that are read, that were not there.
    pub new: Vec<String>,
    /// Those that are gone.
    pub gone: Vec<String>,
}

impl Comparison {
    /// Whether a restart would go on.
    pub fn goes_on(&self) -> bool {
        self.refused.is_empty()
    }
}

/// What a restart with `now` would make of the state of `before`; or a start from its savepoint, where nothing lies between
/// the tasks.
///
/// # Errors
/// When one of them can't be cut into tasks.
pub fn compare(before: &Topology, now: &Topology, from_savepoint: bool) -> Result<Comparison, CutError> {
    let plan = |topology: &Topology| {
        let cut = cut(topology, &|_| Some(PARTITIONS))?;
        Ok::<JobPlan, CutError>(JobPlan::new("job", None, cut, BTreeMap::new()))
    };
    let (before, now) = (plan(before)?, plan(now)?);
    let from = if from_savepoint { StateFrom::Savepoint } else { StateFrom::Journal };
    let mut comparison = compared(before.record(), now.record(), from);
    let stateful = |record: &PlanRecord, statement: &String| {
        let mut operators = record.parts.iter().flat_map(|part| &part.operators);
        operators.any(|operator| operator.statement() == statement)
    };
    let only = |of: &PlanRecord, other: &PlanRecord| {
        let statements = of.statements.difference(&other.statements);
        statements.filter(|statement| !stateful(of, statement)).cloned().collect()
    };
    comparison.new = only(now.record(), before.record());
    comparison.gone = only(before.record(), now.record());
    Ok(comparison)
}

#[cfg(test)]
mod tests {
    use super::*;
    use millstream_operators::typed::Program;

    fn topology(declare: impl FnOnce(&Program)) -> Topology {
        let program = Program::new();
        declare(&program);
        program.topology().unwrap()
    }

    #[test]
    fn what_a_restart_would_do_is_told_for_each_operator() {
        let count = |program: &Program, to: &str| {
            program.read::<u64>("numbers").key_by(|number| number % 2).count().to(to);
        };
        let one = topology(|program| count(program, "counts"));
        let same = compare(&one, &one, false).unwrap();
        assert!(same.goes_on() && !same.kept.is_empty() && same.empty.is_empty(), "{same:?}");
        let other = topology(|program| {
            program.read::<u64>("numbers").key_by(|number| number.to_string()).count().to("counts");
        });
        let changed = compare(&one, &other, false).unwrap();
        assert!(!changed.goes_on(), "{changed:?}");
        let more = topology(|program| {
            count(program, "counts");
            program.read::<u64>("others").key_by(|number| number % 3).count().to("more");
        });
        let more = compare(&one, &more, false).unwrap();
        assert!(more.goes_on() && !more.empty.is_empty(), "{more:?}");
    }
}
