//! Checkpoints exported as files, and state made from such files again, in memory and in RocksDB.

#![allow(clippy::unwrap_used, reason = "a test")]

use millstream_state::{
    Adoption, CheckpointMark, Delta, Export, Import, MemoryDisk, RocksSettings, SharedMemory, SnapshotFile,
    StateError, StateIdentity, StoreId, TaskState,
};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

fn identity() -> StateIdentity {
    StateIdentity { cluster: "c".into(), job: "j".into(), incarnation: "1".into(), task: "0-0".into() }
}

/// Where a task's state is: both kinds of base behave alike.
enum Place {
    Memory(MemoryDisk),
    Rocks(PathBuf),
}

impl Place {
    fn open(&self) -> TaskState {
        self.open_as(&identity())
    }

    fn open_as(&self, identity: &StateIdentity) -> TaskState {
        match self {
            Place::Memory(disk) => TaskState::open_memory(disk, identity).unwrap(),
            Place::Rocks(path) => {
                let settings = RocksSettings::new(SharedMemory::new(1 << 20, 1 << 20));
                TaskState::open(path, identity, &settings).unwrap()
            }
        }
    }

    fn import(&self) -> Import {
        match self {
            Place::Memory(disk) => Import::into_memory(disk),
            Place::Rocks(path) => Import::into_directory(path).unwrap(),
        }
    }
}

fn both(test: impl Fn(&Place, &Place, &Path)) {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| Place::Rocks(directory.path().join(name));
    test(&Place::Memory(MemoryDisk::default()), &Place::Memory(MemoryDisk::default()), directory.path());
    test(&at("one"), &at("two"), directory.path());
}

fn write(state: &mut TaskState, number: u64, keys: std::ops::Range<u32>) {
    let mut delta = Delta::default();
    for key in keys {
        delta.block(StoreId(0)).put(&key.to_be_bytes(), &number.to_be_bytes());
    }
    state.absorb(delta);
    let mark = CheckpointMark { number, hash: u128::from(number) * 7, journal_offset: number };
    state.checkpoint_with_note(mark, format!("note {number}").into_bytes()).unwrap();
}

fn bytes_of(export: &Export, index: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    export.open(index).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

fn copy(export: &Export, mut import: Import) {
    for (index, file) in export.files().enumerate() {
        let mut out = import.file(file).unwrap();
        out.write_all(&bytes_of(export, index)).unwrap();
        out.finish().unwrap();
    }
    import.finish().unwrap();
}

#[test]
fn an_exported_checkpoint_is_the_same_state_elsewhere() {
    both(|from, to, _| {
        let mut state = from.open();
        assert!(state.exporter().export().unwrap().is_none(), "nothing was checkpointed");
        write(&mut state, 1, 0..1_000);
        let export = state.exporter().export().unwrap().unwrap();
        // What is written afterwards is not in it, whenever its files are read.
        write(&mut state, 2, 500..2_000);
        assert_eq!((export.mark.number, export.note.as_slice()), (1, &b"note 1"[..]));
        copy(&export, to.import());
        let mut copied = to.open();
        assert_eq!((copied.mark().unwrap().number, copied.note()), (1, &b"note 1"[..]));
        let pairs = copied.dump(1).unwrap();
        assert_eq!(pairs.len(), 1_000);
        assert!(pairs.iter().all(|(_, _, value)| *value == 1u64.to_be_bytes()));
        // And it goes on from there.
        write(&mut copied, 2, 0..10);
        drop(copied);
        assert_eq!(to.open().mark().unwrap().number, 2);
    });
}

#[test]
fn an_import_replaces_what_was_there() {
    both(|from, to, _| {
        write(&mut to.open(), 9, 5_000..6_000);
        let mut state = from.open();
        write(&mut state, 1, 0..10);
        copy(&state.exporter().export().unwrap().unwrap(), to.import());
        assert_eq!(to.open().dump(1).unwrap().len(), 10);
    });
}

#[test]
fn files_that_did_not_change_keep_their_content_names() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = Place::Rocks(directory.path().join("task")).open();
    write(&mut state, 1, 0..20_000);
    let names = |export: &Export| export.files().map(|file| file.content.clone()).collect::<BTreeSet<_>>();
    let first = state.exporter().export().unwrap().unwrap();
    write(&mut state, 2, 100_000..100_010);
    let second = state.exporter().export().unwrap().unwrap();
    let tables = |export: &Export| export.files().filter(|file| file.name.ends_with(".sst")).count();
    assert_eq!((tables(&first), tables(&second)), (1, 2));
    let shared: u64 = {
        let old = names(&first);
        second.files().filter(|file| old.contains(&file.content)).map(|file| file.bytes).sum()
    };
    let all: u64 = second.files().map(|file| file.bytes).sum();
    assert!(shared * 10 > all * 8, "{shared} of {all} bytes are shared");
}

#[test]
fn files_that_are_not_what_the_manifest_says_are_refused() {
    both(|from, to, _| {
        let mut state = from.open();
        write(&mut state, 1, 0..10);
        let export = state.exporter().export().unwrap().unwrap();
        let file: SnapshotFile = export.files().next().unwrap().clone();
        let bytes = bytes_of(&export, 0);
        let mut flipped = bytes.clone();
        flipped[0] ^= 1;
        let longer = [bytes.as_slice(), b"more"].concat();
        for wrong in [&bytes[1..], &flipped[..], &longer[..], &[]] {
            let mut import = to.import();
            let mut out = import.file(&file).unwrap();
            out.write_all(wrong).unwrap();
            let error = out.finish().unwrap_err();
            assert!(matches!(error, StateError::SnapshotDamaged { .. }), "{error}");
        }
    });
}

#[test]
fn an_import_that_was_not_finished_changes_nothing() {
    both(|from, to, _| {
        write(&mut to.open(), 9, 0..3);
        let mut state = from.open();
        write(&mut state, 1, 0..10);
        let export = state.exporter().export().unwrap().unwrap();
        let mut import = to.import();
        import.file(export.files().next().unwrap()).unwrap().write_all(b"half").unwrap();
        drop(import);
        assert_eq!(to.open().mark().unwrap().number, 9);
    });
}

#[test]
fn exports_leave_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let place = Place::Rocks(directory.path().join("task"));
    let beside = || std::fs::read_dir(directory.path()).unwrap().count();
    let mut state = place.open();
    write(&mut state, 1, 0..10);
    drop(state.exporter().export().unwrap().unwrap());
    assert_eq!(beside(), 1);
    // A process that dies drops nothing; the next to open the state cleans up.
    std::mem::forget(state.exporter().export().unwrap().unwrap());
    assert_eq!(beside(), 2);
    drop(state);
    drop(place.open());
    assert_eq!(beside(), 1);
}

#[test]
fn state_that_is_adopted_belongs_to_another_job_before_it_is_there() {
    both(|from, to, _| {
        let mut state = from.open();
        write(&mut state, 3, 0..100);
        let export = state.exporter().export().unwrap().unwrap();
        let theirs = StateIdentity { job: "k".into(), incarnation: "2".into(), ..identity() };
        let adoption = Adoption {
            from: identity(),
            from_mark: export.mark,
            to: theirs.clone(),
            to_mark: CheckpointMark { number: 3, hash: 99, journal_offset: 0 },
            note: b"theirs".to_vec(),
        };
        let filled = || {
            let mut import = to.import();
            for (index, file) in export.files().enumerate() {
                let mut out = import.file(file).unwrap();
                out.write_all(&bytes_of(&export, index)).unwrap();
                out.finish().unwrap();
            }
            import
        };
        // Other state than was expected is refused, and changes nothing.
        let later = CheckpointMark { number: 4, ..export.mark };
        let nobody = StateIdentity { task: "0-1".into(), ..identity() };
        for wrong in
            [Adoption { from_mark: later, ..adoption.clone() }, Adoption { from: nobody, ..adoption.clone() }]
        {
            let error = filled().finish_adopted(&wrong).unwrap_err();
            assert!(matches!(error, StateError::SnapshotDamaged { .. }), "{error}");
            assert!(to.open().mark().is_none());
        }
        filled().finish_adopted(&adoption).unwrap();
        let mut adopted = to.open_as(&theirs);
        assert_eq!((adopted.mark(), adopted.note()), (Some(adoption.to_mark), &b"theirs"[..]));
        assert_eq!(adopted.dump(1).unwrap().len(), 100);
    });
}

#[test]
fn what_an_import_that_died_left_of_the_state_before_does_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (directory.path().join("one"), directory.path().join("two"));
    let (from, to) = (Place::Rocks(from), Place::Rocks(to));
    let mut state = from.open();
    write(&mut state, 1, 0..10);
    let export = state.exporter().export().unwrap().unwrap();
    write(&mut to.open(), 9, 0..3);
    // It died when it had moved the state away that it replaces, and had removed some of it.
    let (two, replaced) = (directory.path().join("two"), directory.path().join("two.replaced"));
    std::fs::rename(&two, &replaced).unwrap();
    std::fs::remove_file(replaced.join("CURRENT")).unwrap();
    assert!(to.open().mark().is_none());
    assert!(!replaced.exists());
    std::fs::create_dir(&replaced).unwrap();
    copy(&export, to.import());
    assert_eq!(to.open().mark().unwrap().number, 1);
    assert!(!replaced.exists());
}
