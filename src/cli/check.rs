//! `millstream check`: whether a job could run.

use super::Failure;
use super::job_file::JobFile;
use super::output::print;
use super::progress::say;
use clap::Args;
use millstream::log::TopicSpec;
use millstream::topics::examine;

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 fine, 2 wrong command line, 3 wrong SQL or topics that do not fit, 4 no such file or log"
)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    file: JobFile,
}

impl CheckArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let job = self.file.plan()?;
        let name = self.file.name(&job)?;
        print(&job.explain)?;
        if !self.file.log.is_given() || job.only_explain {
            say(&format!("{}: fine", self.file.describe()));
            return Ok(());
        }
        let log = self.file.log.choose(Some(&job))?.open_for_topics(false)?;
        let examined = examine(&job.topology, &name, job.group.as_deref(), &mut *log.admin()?)?;
        let tasks = examined.plan.tasks().count();
        let info = log.info();
        say(&format!(
            "{}: fine on the {} log at {}; {tasks} tasks",
            self.file.describe(),
            info.kind,
            info.location
        ));
        tell_missing("would create", &examined.missing);
        tell_missing("would create for itself", &examined.missing_internal);
        Ok(())
    }
}

fn tell_missing(what: &str, topics: &[TopicSpec]) {
    for TopicSpec { name, partitions, .. } in topics {
        say(&format!("{what}: {name}, partitions: {partitions}"));
    }
}
