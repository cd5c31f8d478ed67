//! `run` and `check`: what goes wrong before a job runs.

use crate::command::Place;

#[test]
fn wrong_sql_is_shown_with_its_place() {
    let place = Place::new();
    place.write("job.sql", "-- a comment\nSELEC 1;\n");
    for command in ["run", "check"] {
        let done = place.run(&format!("{command} job.sql"));
        assert_eq!((done.code, done.out.as_str()), (3, ""), "{done:?}");
        for part in ["job.sql:2:1", "SELEC 1;", "job.sql: 1 error\n"] {
            assert!(done.err.contains(part), "{part} is missing in\n{}", done.err);
        }
    }
    assert!(!place.path().join("millstream-data").exists(), "a job that can't run makes nothing");
}

#[test]
fn a_file_that_is_not_there_and_names_that_are_none_are_refused() {
    let place = Place::new();
    for command in ["run", "check"] {
        let done = place.run(&format!("{command} none.sql"));
        assert_eq!(done.code, 4, "{done:?}");
        assert!(done.err.contains("none.sql: No such file"), "{}", done.err);
        let done = place.run(command);
        assert_eq!(done.code, 2, "{done:?}");
    }
    let done = place.run("run none.sql --workers 0");
    assert_eq!(done.code, 2, "{done:?}");
}
