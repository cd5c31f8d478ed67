//! `millstream test`: the tests that stand in SQL files.

mod compare;
mod junit;
mod parse;
mod play;

use super::Failure;
use super::output::print;
use super::settings::defaults;
use clap::Args;
use junit::{Case, Suite};
use std::path::PathBuf;
use std::time::Instant;

/// How a test is written: part of the help.
const HELP: &str = "\
A test is a run of comments:

  -- @test visits are counted by page
  -- PARTITIONS visits 2                        default: 1
  -- INPUT visits AT '2026-01-01 10:00:00'      records, one a line: the timestamp may be left out
  --   {\"page\": \"home\"}
  --   a key => {\"page\": \"home\"}
  --   a key => null                            a record without a value
  -- ADVANCE TO '2026-01-01 11:00:00'           the watermark of every table that has one
  -- ADVANCE 5 MINUTES                          the clock
  -- CRASH                                      the process is killed, and started again
  -- EXPECT counts                              all that was written since the last EXPECT of this table
  --   {\"page\":\"home\",\"n\":1}
  -- EXPECT TABLE counts                        the last value of each key, of all that was written
  --   {\"page\":\"home\"} => {\"page\":\"home\",\"n\":1}

Tables are those of the file. Records are written and compared as they stand in the topic, JSON by what it means; keys are
compared where they are given, the order of records where the topic has one partition. Times are UTC, or milliseconds.

Exit codes: 0 all tests passed, 1 one failed, 2 wrong command line or a line that is no test, \
3 wrong SQL, 4 no such file";

#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct TestArgs {
    /// SQL files with tests
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Run only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Also write the results to this file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

impl TestArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut suites = Vec::new();
        for file in &self.files {
            suites.push(self.suite(&file.display().to_string())?);
        }
        if let Some(path) = &self.junit {
            std::fs::write(path, junit::xml(&suites))
                .map_err(|error| Failure::Io(format!("{}: {error}", path.display())))?;
        }
        let cases = || suites.iter().flat_map(|suite| &suite.cases);
        let failed = cases().filter(|case| case.failure.is_some()).count();
        print(&format!("{} passed, {failed} failed\n", cases().count() - failed))?;
        if failed > 0 {
            return Err(Failure::Tests(format!("{failed} of {} tests failed", cases().count())));
        }
        Ok(())
    }

    fn suite(&self, name: &str) -> Result<Suite, Failure> {
        let text = std::fs::read_to_string(name).map_err(|error| Failure::Io(format!("{name}: {error}")))?;
        let planned = defaults().plan(name, &text)?;
        let tests = parse::tests(&text)
            .map_err(|(line, message)| Failure::Usage(format!("{name}:{line}: {message}")))?;
        let wanted =
            |test: &&parse::Test| self.filter.as_ref().is_none_or(|filter| test.name.contains(filter));
        let mut cases = Vec::new();
        for test in tests.iter().filter(wanted) {
            let start = Instant::now();
            let failure = play::play(&planned.topology, test).err();
            match &failure {
                None => print(&format!("ok      {name}:{} {}\n", test.line, test.name))?,
                Some(failure) => print(&format!("FAILED  {name}:{} {}\n{failure}\n", test.line, test.name))?,
            }
            cases.push(Case { name: test.name.clone(), seconds: start.elapsed().as_secs_f64(), failure });
        }
        if cases.is_empty() {
            super::progress::say(&format!("{name}: no test was run; a test begins with: -- @test NAME"));
        }
        Ok(Suite { name: name.to_owned(), cases })
    }
}
