//! `STATE_TTL('t' = '1 d')`: how long a join keeps the rows of a side.
//!
//! The side goes through a query of nothing but it; its name there says how long. That stays in the plan through all its
//! rewriting, in views as well, and a join looks for it at its sides.

use datafusion::logical_expr::LogicalPlan;

/// What stands between the name and the time. No name of a file has it: a comment can't be in a name that is not in
/// backticks, and in those nobody writes one.
const MARK: &str = " /*+ STATE_TTL ";

/// The name of a side that is kept for a time; 0 is for ever.
pub(crate) fn marked(name: &str, ttl_ms: i64) -> String {
    format!("{name}{MARK}{ttl_ms}")
}

fn ttl_ms(name: &str) -> Option<i64> {
    name.rsplit_once(MARK)?.1.parse().ok()
}

/// The mark of a side of a join, and for how long its rows are kept.
pub(crate) fn of_side(side: &LogicalPlan) -> Option<(String, i64)> {
    let mut plan = side;
    loop {
        plan = match plan {
            LogicalPlan::SubqueryAlias(alias) => match ttl_ms(alias.alias.table()) {
                Some(ttl_ms) => return Some((alias.alias.table().to_owned(), ttl_ms)),
                None => &alias.input,
            },
            LogicalPlan::Projection(projection) => &projection.input,
            LogicalPlan::Filter(filter) => &filter.input,
            _ => return None,
        };
    }
}

/// The marks of a plan, with the names of what they are of.
pub(crate) fn marks(plan: &LogicalPlan) -> Vec<(String, String)> {
    let (mut found, mut left) = (Vec::new(), vec![plan]);
    while let Some(plan) = left.pop() {
        if let LogicalPlan::SubqueryAlias(alias) = plan
            && let Some((name, _)) = alias.alias.table().rsplit_once(MARK)
        {
            found.push((alias.alias.table().to_owned(), name.to_owned()));
        }
        left.extend(plan.inputs());
    }
    found
}
