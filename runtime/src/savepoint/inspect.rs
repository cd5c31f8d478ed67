//! Looking whether all of a savepoint is there.

use super::OpenSavepoint;
use crate::snapshot::upload::read_manifest;
use crate::snapshot::{StoreError, check_object, prefix_of};
use std::collections::BTreeMap;

impl OpenSavepoint {
    /// What is wrong with the state of its tasks, by task. Files are looked for; with `read_all` they are read and held
    /// against their content names.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn inspect(&self, read_all: bool) -> Result<Vec<(String, String)>, StoreError> {
        let mut wrong = Vec::new();
        for task in &self.savepoint.tasks {
            let found = match task.snapshot(&self.location) {
                Some(snapshot) => read_manifest(&*self.store, &snapshot).map_err(|error| error.to_string()),
                None => Err("its hash is none".to_owned()),
            };
            let manifest = match found {
                Ok(manifest) => manifest,
                Err(why) => {
                    wrong.push((task.task.clone(), why));
                    continue;
                }
            };
            let prefix = prefix_of(&self.savepoint.job, &self.savepoint.control.incarnation, &task.task);
            let listed = self.store.list(&prefix)?;
            let sizes: BTreeMap<&str, u64> =
                listed.iter().map(|object| (object.name.as_str(), object.bytes)).collect();
            for file in &manifest.files {
                let size = sizes.get(file.object.as_str()).copied();
                if let Err(why) = check_object(&*self.store, file, size, read_all) {
                    wrong.push((task.task.clone(), why));
                }
            }
        }
        Ok(wrong)
    }
}
