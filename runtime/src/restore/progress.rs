//! How far a take-over is.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// How far a take-over is: what is done never gets less, and never exceeds what there is to do.
#[derive(Debug, Default)]
pub struct RestoreProgress(Mutex<Progress>);

/// A look at a [`RestoreProgress`]: done, and to do altogether.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Offsets of the journal. Twice where it has to be searched for a snapshot first.
    pub read: (u64, u64),
    /// Bytes of snapshots.
    pub fetched: (u64, u64),
}

impl RestoreProgress {
    /// How far it is.
    pub fn now(&self) -> Progress {
        *self.lock()
    }

    /// There is more to read.
    pub(crate) fn expect_read(&self, offsets: u64) {
        self.lock().read.1 += offsets;
    }

    pub(crate) fn read(&self, offsets: u64) {
        let (done, total) = &mut self.lock().read;
        *done += offsets;
        // What is read beyond what was known to be there.
        *total = (*total).max(*done);
    }

    /// Some of what was to be read is not needed.
    pub(crate) fn spare_read(&self, offsets: u64) {
        let (done, total) = &mut self.lock().read;
        *total = total.saturating_sub(offsets).max(*done);
    }

    /// A snapshot of this size is about to be fetched.
    pub(crate) fn expect_fetch(&self, bytes: u64) {
        self.lock().fetched.1 += bytes;
    }

    pub(crate) fn fetched(&self, bytes: u64) {
        let (done, total) = &mut self.lock().fetched;
        *done += bytes;
        *total = (*total).max(*done);
    }

    /// What was not fetched yet of a snapshot will not be.
    pub(crate) fn give_up_fetch(&self) {
        let (done, total) = &mut self.lock().fetched;
        *total = *done;
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_never_gets_less_and_never_exceeds_what_there_is() {
        let progress = RestoreProgress::default();
        let mut last = Progress::default();
        let acts: [fn(&RestoreProgress); 9] = [
            |progress| progress.expect_read(20),
            |progress| progress.read(10),
            |progress| progress.expect_fetch(100),
            |progress| progress.fetched(60),
            |progress| progress.give_up_fetch(),
            |progress| progress.expect_fetch(50),
            |progress| progress.fetched(50),
            |progress| progress.spare_read(7),
            |progress| progress.read(3),
        ];
        for act in acts {
            act(&progress);
            let now = progress.now();
            assert!(now.read.0 >= last.read.0 && now.fetched.0 >= last.fetched.0, "{now:?} after {last:?}");
            assert!(now.read.0 <= now.read.1 && now.fetched.0 <= now.fetched.1, "{now:?}");
            last = now;
        }
        assert_eq!(last, Progress { read: (13, 13), fetched: (110, 110) });
    }
}
