//! `millstream diff`: what a restart with another file would make of a job's state.

use super::Failure;
use super::job_file::JobFile;
use super::output::{print, table};
use super::progress::say;
use clap::Args;
use millstream::topics::{Comparison, compare};

#[derive(Debug, Args)]
#[command(after_help = "\
Example: millstream diff orders.sql orders-new.sql

Exit codes: 0 a restart would go on, 2 wrong command line, 3 wrong SQL, 4 no such file, 6 a restart would be refused")]
pub(crate) struct DiffArgs {
    /// SQL file that the job runs, or ran last
    #[arg(value_name = "OLD")]
    old: String,
    /// SQL file that it would be restarted with
    #[arg(value_name = "NEW")]
    new: String,
    /// Compare for a start from a savepoint (millstream run NEW --from PLACE), where nothing lies between the tasks
    #[arg(long)]
    savepoint: bool,
}

impl DiffArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let [old, new] = [JobFile::at(&self.old).plan()?, JobFile::at(&self.new).plan()?];
        let compared = compare(&old.topology, &new.topology, self.savepoint);
        let compared = compared.map_err(|error| Failure::Job(error.into()))?;
        let rows = rows(&compared);
        if !rows.is_empty() {
            print(&table(&["BECOMES", "WHAT", ""], &[], &rows))?;
        }
        let (old, new) = (&self.old, &self.new);
        if compared.goes_on() {
            say(&format!(
                "a job of {old} would go on with {new}: partitions and ids of topics are looked at when it starts"
            ));
            return Ok(());
        }
        Err(Failure::History(format!(
            "a job of {old} would be refused with {new}, and left as it is: undo the changes, or start {new} under another \
             name (--job), which begins anew"
        )))
    }
}

/// An operator or a statement each.
fn rows(compared: &Comparison) -> Vec<Vec<String>> {
    let row =
        |becomes: &str, what: &str, why: &str| vec![becomes.to_owned(), what.to_owned(), why.to_owned()];
    let kept = compared.kept.iter().map(|(now, was)| match now == was {
        true => row("kept", now, ""),
        false => row("kept", now, &format!("was {was}")),
    });
    let empty = compared
        .empty
        .iter()
        .map(|what| row("empty", what, "is new: it counts what comes from where the job stands"));
    let refused = compared.refused.iter().map(|change| match change.split_once(" has changed: ") {
        Some((what, why)) => row("refused", what, why),
        None => row("refused", change, ""),
    });
    let new = compared.new.iter().map(|what| row("new", what, "has no state"));
    let gone = compared.gone.iter().map(|what| row("gone", what, "had no state"));
    kept.chain(empty).chain(refused).chain(new).chain(gone).collect()
}
