//! Settings that stand in a file or in the environment.

use crate::command::Place;
use crate::jobs::{COUNTS, produce};

/// The value of a key, and who says it.
fn shown(out: &str, key: &str) -> (String, String) {
    let line = out.lines().find(|line| line.split_whitespace().next() == Some(key));
    let line = line.unwrap_or_else(|| panic!("{key} is missing in\n{out}"));
    let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    match cells[..] {
        [_, value, origin] => (value.to_owned(), origin.to_owned()),
        [_, origin] => (String::new(), origin.to_owned()),
        _ => panic!("{line}"),
    }
}

const FILE: &str = "\
http = '127.0.0.1:9191'
memory = '512 mb'
jobs-max = 7

[millstream]
commit-interval = '1 s'
checkpoint-commits = 9

[client-property]
'sasl.password' = 'hunter2-of-the-file'
'security.protocol' = 'ssl'
";

#[test]
fn every_setting_is_shown_with_who_says_it_and_secrets_are_not() {
    let environment = vec![
        ("MILLSTREAM_MEMORY".to_owned(), "600".to_owned()),
        ("MILLSTREAM_WORKERS".to_owned(), "2".to_owned()),
    ];
    let place = Place::new().with_environment(environment);
    place.write("millstream.toml", FILE);
    place.write("client.properties", "# here\nsasl.username=me\nssl.key.password=hunter2-of-the-client\n");
    let set = "SET 'millstream.late-records' = 'fail';\nSET 'parallelism.default' = '3';\n\
               SET 'execution.checkpointing.interval' = '2 s';\n";
    place.write("job.sql", format!("{set}{COUNTS}"));
    let out =
        place.ok("settings job.sql --rate 50 --bootstrap-servers a:9092 --client-config client.properties");
    for (key, value, origin) in [
        ("http", "127.0.0.1:9191", "millstream.toml:1"),
        ("memory", "600", "MILLSTREAM_MEMORY"),
        ("jobs-max", "7", "millstream.toml:3"),
        ("restarts", "10", "default"),
        ("bootstrap-servers", "a:9092", "--bootstrap-servers"),
        ("parallelism.default", "3", "SET in job.sql:2"),
        ("millstream.commit-interval", "2 s", "SET in job.sql:3"),
        ("millstream.checkpoint-commits", "9", "millstream.toml:7"),
        ("millstream.late-records", "fail", "SET in job.sql:1"),
        ("millstream.records-per-second", "50", "--rate"),
        ("millstream.session-timeout", "10 s", "default"),
        ("client-property.sasl.password", "(not shown)", "millstream.toml:10"),
        ("client-property.security.protocol", "ssl", "millstream.toml:11"),
        ("client-property.sasl.username", "me", "client.properties:2"),
        ("client-property.ssl.key.password", "(not shown)", "client.properties:3"),
    ] {
        assert_eq!(shown(&out, key), (value.to_owned(), origin.to_owned()), "{key}");
    }
    assert!(!out.contains("hunter2"), "{out}");
    let json = place.ok("settings job.sql --output json");
    assert!(!json.contains("hunter2") && json.contains("\"secret\":true"), "{json}");
    assert_eq!(shown(&place.ok("settings"), "parallelism.default").1, "MILLSTREAM_WORKERS");
}

#[test]
fn what_is_wrong_in_the_file_or_the_environment_is_refused_with_its_place() {
    let place = Place::new();
    let refused = |text: &str, command: &str| {
        place.write("millstream.toml", text);
        let done = place.run(command);
        assert_eq!(done.code, 2, "{done:?}");
        done.err
    };
    let unknown = refused("log = 'a'\nmemry = 1\n", "topic list");
    assert_eq!(unknown, "error: millstream.toml:2: there is no setting memry; did you mean memory?\n");
    let value = refused("http = 'here'\n", "serve");
    assert!(value.starts_with("error: millstream.toml:1: http can't be 'here': "), "{value}");
    let value = refused("[parallelism]\ndefault = 'all'\n", "check job.sql");
    assert!(value.starts_with("error: millstream.toml:2: 'parallelism.default' can't be 'all'"), "{value}");
    let syntax = refused("log = \n", "topic list");
    assert!(syntax.starts_with("error: millstream.toml:1: "), "{syntax}");
    let none = place.run("topic list --config-file nowhere.toml");
    assert!(none.code == 2 && none.err.contains("nowhere.toml"), "{none:?}");
    // Help is given whatever stands there.
    place.ok("run --help");
    place.ok("version");
    let place = Place::new().with_environment(vec![("MILLSTREAM_LOGG".to_owned(), "x".to_owned())]);
    assert!(place.run("settings").err.contains("did you mean MILLSTREAM_LOG?"));
}

#[test]
fn a_job_runs_where_the_file_says_and_an_option_says_otherwise() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("etc")).unwrap();
    place.write("etc/m.toml", "log = '../elsewhere'\n[millstream]\ncommit-interval = '50 ms'\n");
    place.write("millstream.toml", "log = 'elsewhere'\n");
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 1");
    produce(&place, 0..10);
    place.ok("run job.sql --exit-when-idle --config-file etc/m.toml");
    assert!(place.path().join("elsewhere/state/job").is_dir());
    assert!(place.path().join("elsewhere/log").is_dir());
    assert!(!place.path().join("millstream-data").exists());
    let here = place.run("topic list --log here");
    assert!(here.code == 4 && here.err.contains("there is no log in here"), "{here:?}");
    let place = place.with_environment(vec![("MILLSTREAM_LOG".to_owned(), "nowhere".to_owned())]);
    let variable = place.run("topic list");
    assert!(variable.code == 4 && variable.err.contains("there is no log in nowhere"), "{variable:?}");
}
