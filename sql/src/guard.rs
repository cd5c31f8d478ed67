//! That the planner ends, whatever text it is given, and ends nothing else.
//!
//! Plans and expressions are trees, and whoever walks one calls itself. How deep they may be is bounded where they are
//! read; here is the stack that these bounds are for. What is a defect all the same is caught, and becomes an error with
//! the place of its statement.

use crate::error::{Span, SqlError, code};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The name of the thread that files are planned on: whoever prints panics can tell those that are caught.
pub const PLANNER: &str = "millstream-planner";

/// Its stack. Memory is used as far as the stack is: for nearly all files that is less than a hundredth. The deepest text
/// that is allowed needs a quarter of it when nothing is optimised.
const STACK_BYTES: usize = 256 << 20;

/// Runs on a thread with a stack for all that the bounds allow. What can't be caught closer to its statement is caught here.
pub(crate) fn on_own_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, SqlError> {
    let planner = std::thread::Builder::new().name(PLANNER.to_owned()).stack_size(STACK_BYTES);
    std::thread::scope(|scope| {
        let started = planner.spawn_scoped(scope, work);
        let thread = started.map_err(|error| {
            let message = format!("there is no thread to plan on: {error}");
            let help = "the process has reached a limit of memory or threads; raise it (ulimit)";
            SqlError::new(code::DEFECT, Span::default(), message).help(help)
        })?;
        thread.join().map_err(|panic| defect(Span::default(), panic.as_ref()))
    })
}

/// Runs a part of planning that is for one statement. A panic becomes its error.
pub(crate) fn caught<T>(statement: Span, work: impl FnOnce() -> T) -> Result<T, SqlError> {
    // What it leaves half done belongs to the statement that is refused.
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| defect(statement, panic.as_ref()))
}

fn defect(statement: Span, panic: &(dyn Any + Send)) -> SqlError {
    let said = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    let said: String = said.lines().next().unwrap_or_default().chars().take(200).collect();
    SqlError::new(code::DEFECT, statement, "the planner failed at this statement")
        .label("here")
        .help(format!("this is a defect of millstream, please report it with the statement and this: {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_planner_is_an_error_with_the_place_of_its_statement() {
        let statement = Span { start: 3, end: 9 };
        let error = caught(statement, || -> u32 { panic!("index {} out of bounds", 7) }).unwrap_err();
        assert_eq!((error.code, error.span), (code::DEFECT, statement));
        assert!(error.help.is_some_and(|help| help.ends_with("index 7 out of bounds")));
        let error = on_own_stack(|| -> u32 { panic!("far away") }).unwrap_err();
        assert_eq!(error.code, code::DEFECT);
    }
}
