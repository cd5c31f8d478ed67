//! With transactions, of the new protocol and of the old.

use crate::world::{World, numbered, place, producer, soon, try_write, write};
use millstream_test_support::kafka::Mischief;
use millstream_wire::produce::{End, GroupMember, Offset, ProduceError, Producer};
use std::time::Duration;

const SETTLED: End = End { needs_new_producer: false };

fn begun(world: &World, id: &str) -> Producer {
    let mut producer = world.producer(Some(id));
    producer.init(soon()).expect("an id");
    producer.begin().expect("a transaction");
    producer
}

/// Each test on a cluster with epochs by transaction, and on one without.
fn on_both(test: &str, body: impl Fn(&World, bool)) {
    let old = format!("{test}-old");
    if let (Some(new), Some(old)) = (World::new(test), World::old(&old)) {
        body(&new, true);
        body(&old, false);
    }
}

#[test]
fn what_is_committed_is_seen_and_what_is_aborted_is_not() {
    on_both("ends", |world, is_new| {
        let (topic, other) = (world.topic("t", 2), world.topic("other", 1));
        let mut producer = world.producer(Some(&world.name("id")));
        producer.init(soon()).expect("an id");
        assert_eq!(producer.bumps_epochs(), is_new);
        let mut expected = Vec::new();
        for round in 0..12 {
            producer.begin().expect("a transaction");
            let values = numbered("v", 100 * round..100 * (round + 1));
            for place in [place(&topic, 0), place(&topic, 1), place(&other, 0)] {
                write(&mut producer, &place, &values);
            }
            if round % 4 == 1 {
                // Half way: some are written, some are not.
                assert_eq!(producer.abort(soon()), Ok(SETTLED));
                continue;
            }
            assert_eq!(producer.flush(soon()).expect("records").len(), 3);
            if round % 4 == 2 {
                assert_eq!(producer.abort(soon()), Ok(SETTLED));
            } else {
                assert_eq!(producer.commit(soon()), Ok(SETTLED));
                expected.extend(values);
            }
        }
        for (topic, partition) in [(&topic, 0), (&topic, 1), (&other, 0)] {
            assert!(
                world.values_by_then(topic, partition, expected.len()) == expected,
                "{topic}/{partition}"
            );
        }
    });
}

#[test]
fn offsets_are_committed_with_the_records_and_not_without() {
    on_both("offsets", |world, _| {
        let (topic, group) = (world.topic("t", 1), world.name("group"));
        let mut producer = world.producer(Some(&world.name("id")));
        producer.init(soon()).expect("an id");
        // A group without members takes offsets of nobody.
        let member =
            GroupMember { group: group.clone(), generation: -1, member: String::new(), instance: None };
        for (number, is_commit) in [(1, true), (2, false), (3, true), (4, false)] {
            producer.begin().expect("a transaction");
            let offset = Offset { offset: number, metadata: format!("number {number}") };
            let offsets = vec![(place(&topic, 0), offset)];
            producer.send_offsets(offsets, member.clone(), soon()).expect("offsets");
            let ended = if is_commit { producer.commit(soon()) } else { producer.abort(soon()) };
            assert_eq!(ended, Ok(SETTLED));
        }
        assert_eq!(world.committed(&group, &topic, 0), (3, "number 3".to_owned()));
    });
}

#[test]
fn a_member_that_the_group_does_not_know_is_fenced() {
    on_both("stranger", |world, _| {
        let topic = world.topic("t", 1);
        let mut producer = begun(world, &world.name("id"));
        let member = GroupMember {
            group: world.name("group"),
            generation: 7,
            member: "nobody".to_owned(),
            instance: None,
        };
        let offsets = vec![(place(&topic, 0), Offset { offset: 1, metadata: String::new() })];
        let fenced = producer.send_offsets(offsets, member, soon());
        assert!(matches!(fenced, Err(ProduceError::Fenced(_))), "{fenced:?}");
    });
}

#[test]
fn a_newer_producer_of_the_same_id_fences_the_one_before_wherever_it_stands() {
    on_both("fencing", |world, _| {
        let topic = world.topic("t", 1);
        let to = place(&topic, 0);
        for (at, step) in ["write", "commit", "abort", "offsets"].into_iter().enumerate() {
            let id = world.name(step);
            let mut old = begun(world, &id);
            write(&mut old, &to, &["old".to_owned()]);
            old.flush(soon()).expect("a record");
            let mut new = begun(world, &id);
            let fenced = match step {
                "write" => {
                    let written = try_write(&mut old, &to, &["late".to_owned()]);
                    written.and_then(|()| old.flush(soon()).map(drop))
                }
                "commit" => old.commit(soon()).map(drop),
                "abort" => old.abort(soon()).map(drop),
                _ => {
                    let offsets = vec![(to.clone(), Offset { offset: 1, metadata: String::new() })];
                    let (group, member) = (world.name("group"), String::new());
                    let member = GroupMember { group, generation: -1, member, instance: None };
                    let sent = old.send_offsets(offsets, member, soon());
                    // The group's coordinator may not have heard of the new epoch; the end of the transaction tells.
                    sent.and_then(|()| old.commit(soon()).map(drop))
                }
            };
            assert!(matches!(fenced, Err(ProduceError::Fenced(_))), "{step}: {fenced:?}");
            write(&mut new, &to, &["new".to_owned()]);
            assert_eq!(new.commit(soon()), Ok(SETTLED));
            assert_eq!(world.values_by_then(&topic, 0, at + 1), vec!["new"; at + 1], "{step}");
        }
    });
}

#[test]
fn a_refused_record_aborts_the_transaction_and_the_next_one_goes_well() {
    on_both("refusal", |world, is_new| {
        let (small, large) =
            (world.topic_with("small", 1, &[("max.message.bytes", "500")]), world.topic("large", 1));
        let id = world.name("id");
        let mut producer = begun(world, &id);
        let value = (0..4_000u32)
            .fold(String::new(), |text, at| text + &(at.wrapping_mul(2_654_435_761) % 997).to_string());
        write(&mut producer, &place(&large, 0), &["aborted".to_owned()]);
        write(&mut producer, &place(&small, 0), &[value]);
        let refused = producer.flush(soon());
        assert!(
            matches!(&refused, Err(ProduceError::Refused { place, .. }) if *place.topic == *small),
            "{refused:?}"
        );
        let ended = producer.abort(soon()).expect("an abort");
        // A number was given away that the broker never saw: only a new epoch begins anew.
        assert_eq!(ended, End { needs_new_producer: !is_new });
        let mut producer = if ended.needs_new_producer {
            begun(world, &id)
        } else {
            producer.begin().expect("a transaction");
            producer
        };
        for topic in [&large, &small] {
            write(&mut producer, &place(topic, 0), &["committed".to_owned()]);
        }
        producer.flush(soon()).expect("records");
        assert_eq!(producer.commit(soon()), Ok(SETTLED));
        for topic in [&large, &small] {
            assert_eq!(world.values_by_then(topic, 0, 1), ["committed"]);
        }
    });
}

/// Every answer may be the one that is lost; whatever was asked is asked again, and done once.
#[test]
fn transactions_over_connections_that_are_cut_are_whole() {
    on_both("torn", |world, is_new| {
        let (topic, group) = (world.topic("t", 2), world.name("group"));
        let id = world.name("id");
        let name = world.name("client");
        let (io, cluster) = world.proxied(&name, &[("batch.size", "4000"), ("linger.ms", "0")]);
        let mut of_round = producer(&cluster, &io, Some(&id));
        of_round.init(soon()).expect("an id");
        let member =
            GroupMember { group: group.clone(), generation: -1, member: String::new(), instance: None };
        let (mut expected, mut replaced) = (Vec::new(), 0);
        for round in 0..24 {
            of_round.begin().expect("a transaction");
            let values = numbered("v", 1_000 * round..1_000 * (round + 1));
            world.broker.proxy().cut(&name, round as u32 % 7);
            for partition in 0..2 {
                write(&mut of_round, &place(&topic, partition), &values);
            }
            of_round.flush(soon()).expect("records");
            world.broker.proxy().cut(&name, round as u32 % 3);
            let offsets = vec![(place(&topic, 0), Offset { offset: round as i64, metadata: String::new() })];
            of_round.send_offsets(offsets, member.clone(), soon()).expect("offsets");
            world.broker.proxy().cut(&name, 0);
            let is_commit = round % 3 != 1;
            let ended = if is_commit { of_round.commit(soon()) } else { of_round.abort(soon()) };
            let ended = ended.expect("an end");
            if is_commit {
                expected.extend(values);
            }
            if ended.needs_new_producer {
                replaced += 1;
                of_round = producer(&cluster, &io, Some(&id));
                of_round.init(soon()).expect("an id");
            }
        }
        assert_eq!(replaced == 0, is_new, "{replaced}");
        for partition in 0..2 {
            assert!(
                world.values_by_then(&topic, partition, expected.len()) == expected,
                "partition {partition}"
            );
        }
        assert_eq!(world.committed(&group, &topic, 0).0, 23);
    });
}

#[test]
fn a_transaction_of_nothing_ends_at_once() {
    on_both("nothing", |world, _| {
        let mut producer = begun(world, &world.name("id"));
        assert_eq!(producer.commit(soon()), Ok(SETTLED));
        producer.begin().expect("a transaction");
        assert_eq!(producer.abort(soon()), Ok(SETTLED));
    });
}

#[test]
fn a_transaction_that_took_too_long_can_not_be_committed() {
    on_both("late", |world, is_new| {
        use millstream_wire::produce::ProducerOptions;
        let topic = world.topic("t", 1);
        let options = ProducerOptions {
            transactional: Some((world.name("id"), Duration::from_millis(1_000))),
            held_bytes_max: 1 << 20,
            delivery_timeout: Duration::from_secs(20),
            request_timeout: Duration::from_secs(3),
        };
        let mut producer = Producer::new(&world.cluster, &world.io, options);
        producer.init(soon()).expect("an id");
        producer.begin().expect("a transaction");
        write(&mut producer, &place(&topic, 0), &["late".to_owned()]);
        producer.flush(soon()).expect("a record");
        // The coordinator looks once a second.
        std::thread::sleep(Duration::from_millis(3_500));
        let late = producer.commit(soon());
        assert!(matches!(late, Err(ProduceError::Fenced(_))), "{late:?}");
        assert_eq!(world.values(&topic, 0), Vec::<String>::new());
        // Where epochs follow each other the coordinator remembers whose transaction it has ended.
        if is_new {
            assert_eq!(producer.abort(soon()), Ok(SETTLED));
            producer.begin().expect("a transaction");
            write(&mut producer, &place(&topic, 0), &["in time".to_owned()]);
            assert_eq!(producer.commit(soon()), Ok(SETTLED));
            assert_eq!(world.values_by_then(&topic, 0, 1), ["in time"]);
        }
    });
}

/// The answer to the end of a transaction is cut at each of its bytes, comes twice, or late.
#[test]
fn ends_whose_answers_are_cut_anywhere_are_settled_by_asking_again() {
    on_both("settled", |world, is_new| {
        let topic = world.topic("t", 1);
        let (id, name) = (world.name("id"), world.name("client"));
        let (io, cluster) = world.proxied(&name, &[("linger.ms", "0")]);
        let new = || {
            let mut new = producer(&cluster, &io, Some(&id));
            new.init(soon()).expect("an id");
            new
        };
        let (mut current, mut expected) = (new(), Vec::new());
        let cuts = (0..40).map(Mischief::CutAfter);
        for (round, mischief) in cuts.chain([Mischief::Twice, Mischief::Late]).enumerate() {
            current.begin().expect("a transaction");
            let values = numbered("v", round..round + 1);
            write(&mut current, &place(&topic, 0), &values);
            current.flush(soon()).expect("a record");
            world.broker.proxy().play(&name, mischief);
            let is_commit = round % 4 != 3;
            let ended = if is_commit { current.commit(soon()) } else { current.abort(soon()) };
            let ended = ended.unwrap_or_else(|error| panic!("{mischief:?}: {error}"));
            assert!(!world.broker.proxy().is_waiting_to_play(&name), "{mischief:?} never took place");
            if is_commit {
                expected.extend(values);
            }
            assert!(!(is_new && ended.needs_new_producer), "{mischief:?}");
            if ended.needs_new_producer {
                current = new();
            }
        }
        assert!(world.values_by_then(&topic, 0, expected.len()) == expected);
    });
}
