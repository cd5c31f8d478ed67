//! Every command explains itself.

use crate::command::Place;

#[test]
fn commands_explain_themselves() {
    let place = Place::new();
    let commands = [
        "",
        "run",
        "sql",
        "serve",
        "why",
        "doctor",
        "debug-bundle",
        "settings",
        "completions",
        "job",
        "job submit",
        "job list",
        "job status",
        "job pause",
        "job resume",
        "job stop",
        "job restart",
        "job remove",
        "job logs",
        "health",
        "savepoint",
        "check",
        "diff",
        "explain",
        "topic",
        "topic create",
        "topic list",
        "topic describe",
        "topic delete",
        "topic produce",
        "topic consume",
        "state",
        "state inspect",
        "state verify",
        "state export",
        "dead-letter",
        "dead-letter list",
        "dead-letter replay",
        "test",
        "version",
    ];
    for command in commands {
        let name = if command.is_empty() { "millstream".to_owned() } else { command.replace(' ', "_") };
        insta::assert_snapshot!(name, place.ok(&format!("{command} --help")));
    }
}

#[test]
fn every_command_has_its_help_looked_at() {
    let place = Place::new();
    let listed = |help: String| -> Vec<String> {
        let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        let commands = commands.take_while(|line| line.starts_with("  "));
        commands.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
    };
    let commands = [
        "run",
        "sql",
        "serve",
        "job",
        "why",
        "doctor",
        "debug-bundle",
        "settings",
        "completions",
        "health",
        "savepoint",
        "check",
        "diff",
        "explain",
        "topic",
        "state",
        "dead-letter",
        "test",
        "version",
        "help",
    ];
    assert_eq!(listed(place.ok("-h")), commands);
    let job = ["submit", "list", "status", "pause", "resume", "stop", "restart", "remove", "logs", "help"];
    assert_eq!(listed(place.ok("job -h")), job);
    let topic = ["create", "list", "describe", "delete", "produce", "consume", "help"];
    assert_eq!(listed(place.ok("topic -h")), topic);
    assert_eq!(listed(place.ok("state -h")), ["inspect", "verify", "export", "help"]);
    assert_eq!(listed(place.ok("dead-letter -h")), ["list", "replay", "help"]);
}

#[test]
fn the_version_is_the_crates() {
    for line in ["--version", "-V", "version"] {
        assert_eq!(Place::new().ok(line), format!("millstream {}\n", env!("CARGO_PKG_VERSION")), "{line}");
    }
}
