//! A process that is stopped between the offsets of its transaction and the end, longer than its session and shorter than
//! its transaction, and then goes on: the moment at which two owners of a task come nearest to each other.
//!
//! Each test has a control run without the rules it tests, in which words come out twice.

use crate::world::{Process, TASKS, World};

/// Two processes that share the tasks; the first is the one to stop: it has a task that reads lines.
fn two(world: &World, without: &[&str]) -> (Process, Process) {
    let start = |name: &str| {
        world.start(name, |spec| {
            spec.session_timeout_ms = 6_000;
            spec.transaction_timeout_ms = 60_000;
            spec.without = without.iter().map(|rule| (*rule).to_owned()).collect();
        })
    };
    let (mut a, mut b) = (start("a"), start("b"));
    world.say(40);
    world.until_all_run(&mut [&mut a, &mut b]);
    world.until_all_is_out(&mut [&mut a, &mut b]);
    let reads = |process: &Process| process.status().running.iter().any(|task| task.starts_with("0-"));
    if reads(&a) { (a, b) } else { (b, a) }
}

/// Stops the first process in a commit, and waits until all its tasks have been given to the second.
fn stop(world: &World, a: &mut Process, b: &mut Process) {
    a.stop_in_next_commit();
    world.say(40);
    world.until("a stop", &mut [a, b], |processes| processes[0].has_stopped().then_some(()));
    world.until("the end of the session", &mut [a, b], |processes| {
        let status = processes[1].status();
        (status.running.len() + status.taken_over.len() == TASKS).then_some(())
    });
}

/// Tasks of a process that wait for something of which `part` is a part.
fn waiting(process: &Process, part: &str) -> usize {
    process.status().taken_over.iter().filter(|(_, reason)| reason.contains(part)).count()
}

/// Waits until a word has come out more often than it was said.
fn until_doubled(world: &World, a: &mut Process, b: &mut Process) {
    let model = world.model();
    // The processes may notice what they have done and end.
    world.until_or_dead("doubled words", &mut [a, b], |_| {
        world.words().iter().any(|(word, count)| *count > model[word]).then_some(())
    });
}

pub(crate) fn a_commit_that_lands_after_its_session_is_waited_for(world: &World) {
    let (mut a, mut b) = two(world, &[]);
    stop(world, &mut a, &mut b);
    world.until("waiting", &mut [&mut a, &mut b], |processes| {
        (waiting(processes[1], "holds the committed offset") > 0).then_some(())
    });
    assert!(a.has_stopped());
    a.go_on();
    world.until_whole(a, b);
}

pub(crate) fn without_waiting_for_pending_offsets_words_are_doubled(world: &World) {
    let rules = ["wait_for_pending", "read_to_true_end", "compare_with_group"];
    let (mut a, mut b) = two(world, &rules);
    stop(world, &mut a, &mut b);
    world.until("a take-over", &mut [&mut a, &mut b], |processes| {
        (processes[1].status().running.len() == TASKS).then_some(())
    });
    a.go_on();
    until_doubled(world, &mut a, &mut b);
}

pub(crate) fn a_commit_behind_an_open_transaction_is_waited_for(world: &World) {
    let (mut a, mut b) = two(world, &[]);
    let mut third = world.open_third_transaction();
    stop(world, &mut a, &mut b);
    world.until("waiting", &mut [&mut a, &mut b], |processes| {
        (waiting(processes[1], "holds the committed offset") > 0).then_some(())
    });
    let commits = a.status().commits;
    a.go_on();
    // The commit lands, and its entry is hidden behind the third transaction.
    world.until("the commit", &mut [&mut a, &mut b], |processes| {
        (processes[0].status().commits > commits).then_some(())
    });
    world.until("waiting", &mut [&mut a, &mut b], |processes| {
        processes.iter().any(|process| waiting(process, "an open transaction holds") > 0).then_some(())
    });
    third.abort().expect("an abort");
    world.until_whole(a, b);
}

pub(crate) fn without_reading_to_the_true_end_words_are_doubled(world: &World) {
    let (mut a, mut b) = two(world, &["read_to_true_end", "compare_with_group"]);
    let mut third = world.open_third_transaction();
    stop(world, &mut a, &mut b);
    a.go_on();
    until_doubled(world, &mut a, &mut b);
    third.abort().expect("an abort");
}
