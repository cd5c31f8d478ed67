//! `millstream explain`: what an error means, and what a file's plan is.

use super::Failure;
use super::job_file::JobFile;
use super::output::print;
use clap::Args;
use millstream::sql::error::code;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples: millstream explain MS0501, millstream explain job.sql\n\nExit codes: 0 fine, 2 no such code, 3 wrong SQL, 4 no such file"
)]
pub(crate) struct ExplainArgs {
    /// Code of an error, as MS0501; codes, for a list of them; or a SQL file, for the plan of its job
    #[arg(value_name = "CODE|FILE")]
    what: String,
}

impl ExplainArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let what = self.what;
        if what == "codes" {
            return print(&index());
        }
        if let Some(page) = code::page(&what) {
            return print(page);
        }
        if is_code(&what) {
            return Err(Failure::Usage(format!(
                "there is no error {what}; millstream explain codes lists all"
            )));
        }
        let job = JobFile::at(&what).plan()?;
        JobFile::print_answers(&job)?;
        print(&job.explain)
    }
}

fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix("MS").or_else(|| text.strip_prefix("ms"));
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The codes with the first lines of their pages.
fn index() -> String {
    let title =
        |page: &str| page.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned() + "\n";
    code::PAGES.iter().map(|(_, page)| title(page)).collect()
}
