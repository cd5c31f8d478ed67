//! A word count whose processes are killed, lose their disks and their connections.

use crate::world::{Process, World};

/// Waits until at least so many of the words are out.
fn until_some_are_out(world: &World, processes: &mut [&mut Process], words: usize) {
    world.until("progress", processes, |_| (world.words().len() >= words).then_some(()));
}

pub(crate) fn words_are_counted_once_by_processes_that_are_killed(world: &World) {
    let two = |spec: &mut crate::process::Spec| spec.workers = 2;
    let (mut a, mut b) = (world.start("a", two), world.start("b", two));
    world.say(40);
    world.until_all_run(&mut [&mut a, &mut b]);
    // Each time in the middle of the work.
    for (lose_of_a, lose_of_b) in [(true, false), (false, true), (true, true)] {
        world.say(200);
        until_some_are_out(world, &mut [&mut a, &mut b], world.model().len() - 190);
        a.kill_and_restart(lose_of_a);
        world.say(200);
        until_some_are_out(world, &mut [&mut a, &mut b], world.model().len() - 300);
        b.kill_and_restart(lose_of_b);
    }
    world.until_whole(a, b);
}

pub(crate) fn words_are_counted_once_by_processes_that_are_cut_off(world: &World) {
    let (mut a, mut b) = (world.start("a", |_| {}), world.start("b", |_| {}));
    world.say(40);
    world.until_all_run(&mut [&mut a, &mut b]);
    // Until the answer that was lost is that of the end of a transaction: it is sent again, or in doubt. By wire it is sent
    // again, and that is all.
    let is_hit = |process: &Process| {
        let status = process.status();
        process.spec.kafka_client == "wire" || status.in_doubt + status.writers_replaced > 0
    };
    let mut cuts = 0;
    while cuts < 24 || !(is_hit(&a) || is_hit(&b)) {
        assert!(cuts < 100, "no end was ever lost: {:?} {:?}", a.status(), b.status());
        let before = world.words().len();
        world.say(20);
        // A transaction takes some three or four answers of its coordinator.
        world.broker.proxy().cut(&a.spec.client, cuts % 6);
        world.broker.proxy().cut(&b.spec.client, (cuts + 3) % 6);
        cuts += 1;
        until_some_are_out(world, &mut [&mut a, &mut b], before + 1);
    }
    println!("{cuts} cuts: {:?} {:?}", a.status(), b.status());
    // Silence beyond the session and the transaction.
    world.say(40);
    world.broker.proxy().pause(&a.spec.client, true);
    world.say(40);
    world.until("succession", &mut [&mut b], |processes| {
        (processes[0].status().running.len() == crate::world::TASKS).then_some(())
    });
    world.broker.proxy().pause(&a.spec.client, false);
    world.say(40);
    world.until_whole(a, b);
}
