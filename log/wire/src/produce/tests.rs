//! The way to one partition, against a model of what brokers and networks do.

use super::Place;
use super::error::Verdict;
use super::track::{NUMBERED_MAX, Next, Open, Track};
use crate::batch::{BatchEncoder, Compression, Stamp};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

fn place() -> Place {
    Place { topic: "t".into(), partition: 0 }
}

fn batch(number: u64, records: usize) -> Open {
    let mut encoder = BatchEncoder::default();
    for _ in 0..records {
        encoder.push(0, None, Some(&number.to_be_bytes()), std::iter::empty()).expect("small");
    }
    Open { encoder, largest_record: 8, since: Instant::now() }
}

/// What a leader keeps of one producer: the last numbers, and the log. Knowing nothing, it takes any number.
#[derive(Debug, Default)]
struct Leader {
    last: VecDeque<(i32, i32, i64)>,
    log: Vec<i32>,
}

impl Leader {
    fn append(&mut self, sequence: i32, records: i32) -> Verdict {
        if let Some((.., base)) =
            self.last.iter().find(|(first, count, _)| (*first, *count) == (sequence, records))
        {
            return Verdict::Written(*base);
        }
        let expected = self.last.back().map(|(first, count, _)| first + count);
        match expected {
            Some(expected) if sequence < expected => return Verdict::Written(-1),
            Some(expected) if sequence > expected => return Verdict::OutOfOrder,
            _ => {}
        }
        let base = self.log.len() as i64;
        self.log.extend(sequence..sequence + records);
        self.last.push_back((sequence, records, base));
        if self.last.len() > NUMBERED_MAX {
            self.last.pop_front();
        }
        Verdict::Written(base)
    }
}

/// One batch on its way.
#[derive(Debug, Clone, Copy)]
struct Sent {
    serial: u64,
    sequence: i32,
    records: i32,
}

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Something is sent if it may be.
    Send,
    /// The leader takes the next request, and this becomes of it.
    Arrives(Fate),
    /// An answer comes, any of those under way.
    Answer(usize),
    /// The connection is cut: of what is under way the leader gets so many more, and nothing is answered.
    Cut(usize),
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Taken,
    /// By somebody who does not lead.
    TurnedAway,
    /// Taken, and nobody knows: the replicas were late.
    TakenInDoubt,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Send),
        4 => Just(Step::Arrives(Fate::Taken)),
        1 => Just(Step::Arrives(Fate::TurnedAway)),
        1 => Just(Step::Arrives(Fate::TakenInDoubt)),
        4 => (0usize..5).prop_map(Step::Answer),
        1 => (0usize..5).prop_map(Step::Cut),
    ]
}

#[derive(Debug)]
struct World {
    track: Track,
    leader: Leader,
    sequences: std::collections::HashMap<u64, (i32, i32)>,
    on_the_way: VecDeque<Sent>,
    answers: Vec<(u64, Verdict)>,
    now: Instant,
}

impl World {
    fn send(&mut self) {
        self.now += Duration::from_secs(1);
        if self.track.due(Duration::ZERO).is_none_or(|due| due > self.now) {
            return;
        }
        let Some(next) = self.track.next() else { return };
        let serial = match next {
            Next::New { serial, sequence, open } => {
                let records = open.encoder.len() as i32;
                let sealed = open.encoder.seal(Compression::None).expect("nothing to do");
                let bytes = sealed.stamp(&Stamp { base_sequence: sequence, ..Stamp::default() });
                self.track.compressed(serial, &bytes);
                self.sequences.insert(serial, (sequence, records));
                serial
            }
            Next::Again { serial, bytes } => {
                assert!(!bytes.is_empty());
                serial
            }
        };
        let (sequence, records) = self.sequences[&serial];
        self.on_the_way.push_back(Sent { serial, sequence, records });
        assert!(self.on_the_way.len() + self.answers.len() <= NUMBERED_MAX);
    }

    fn arrive(&mut self, fate: Fate) {
        let Some(sent) = self.on_the_way.pop_front() else { return };
        let verdict = match fate {
            Fate::Taken => self.leader.append(sent.sequence, sent.records),
            Fate::TurnedAway => Verdict::Again { moved: true },
            Fate::TakenInDoubt => match self.leader.append(sent.sequence, sent.records) {
                Verdict::Written(_) => Verdict::Unknown,
                other => other,
            },
        };
        self.answers.push((sent.serial, verdict));
    }

    fn answer(&mut self, at: usize) {
        if at < self.answers.len() {
            let (serial, verdict) = self.answers.remove(at);
            let settled = self.track.answered(serial, verdict, self.now);
            assert_eq!(settled.failed, None);
        }
    }

    fn cut(&mut self, arrive: usize) {
        for _ in 0..arrive {
            self.arrive(Fate::Taken);
        }
        let lost = self.on_the_way.drain(..).map(|sent| (sent.serial, Verdict::Unknown));
        let unread = self.answers.drain(..).map(|(serial, _)| (serial, Verdict::Unknown));
        for (serial, verdict) in unread.chain(lost).collect::<Vec<_>>() {
            let settled = self.track.answered(serial, verdict, self.now);
            assert_eq!(settled.failed, None);
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Send => self.send(),
            Step::Arrives(fate) => self.arrive(fate),
            Step::Answer(at) => self.answer(at),
            Step::Cut(arrive) => self.cut(arrive),
        }
    }
}

proptest! {
    /// Whatever is turned away, cut or answered late and in whatever order: each record is there once, in order.
    #[test]
    fn every_record_is_there_once_and_in_order(
        batches in prop::collection::vec(1usize..4, 1..12), steps in prop::collection::vec(step(), 0..200),
    ) {
        let mut track = Track::new(place());
        let records: usize = batches.iter().sum();
        for (number, records) in batches.iter().enumerate() {
            track.put_full(batch(number as u64, *records));
        }
        let mut world = World {
            track, leader: Leader::default(), sequences: Default::default(),
            on_the_way: VecDeque::new(), answers: Vec::new(), now: Instant::now(),
        };
        steps.into_iter().for_each(|step| world.step(step));
        // Then all goes well.
        for _ in 0..20 * batches.len() + 20 {
            [Step::Send, Step::Arrives(Fate::Taken), Step::Answer(0)].into_iter().for_each(|step| world.step(step));
        }
        prop_assert_eq!(world.track.unsettled(), 0);
        prop_assert!(world.track.is_idle());
        prop_assert_eq!(world.track.end(), Some(records as i64));
        prop_assert_eq!(world.leader.log, (0..records as i32).collect::<Vec<_>>());
    }
}

#[test]
fn records_that_the_partition_lost_are_an_error_and_not_sent_again() {
    let mut track = Track::new(place());
    track.put_full(batch(0, 1));
    let Some(Next::New { serial, .. }) = track.next() else { panic!("a batch to send") };
    let settled = track.answered(serial, Verdict::OutOfOrder, Instant::now());
    assert!(settled.failed.is_some_and(|error| error.to_string().contains("has lost records")));
}

#[test]
fn a_partition_that_is_missing_for_long_is_refused() {
    let mut track = Track::new(place());
    track.put_full(batch(0, 1));
    let mut now = Instant::now();
    let mut asked = 0;
    let failed = loop {
        let serial = match track.next() {
            Some(Next::New { serial, .. } | Next::Again { serial, .. }) => serial,
            None => panic!("something to send"),
        };
        asked += 1;
        if let Some(failed) = track.answered(serial, Verdict::NoSuchPartition, now).failed {
            break failed;
        }
        now = track.not_before.expect("a pause").max(now + Duration::from_millis(1));
    };
    assert!(asked > 3, "{asked}");
    assert_eq!(failed.to_string(), "t/0: the topic or the partition does not exist");
}

/// What comes of an answer, by its code.
#[test]
fn codes_mean_what_the_protocol_says() {
    use super::error::{ProduceError, verdict};
    use kafka_protocol::error::ResponseError as E;
    let of = |error: E| verdict(&place(), error.code(), 7, None, 11);
    assert_eq!(verdict(&place(), 0, 7, None, 11), Verdict::Written(7));
    assert_eq!(of(E::DuplicateSequenceNumber), Verdict::Written(-1));
    for moved in [E::NotLeaderOrFollower, E::FencedLeaderEpoch, E::KafkaStorageError] {
        assert_eq!(of(moved), Verdict::Again { moved: true }, "{moved:?}");
    }
    // The markers of the transaction before take their time when a leader dies.
    for passing in
        [E::ConcurrentTransactions, E::NotEnoughReplicas, E::CoordinatorNotAvailable, E::CorruptMessage]
    {
        assert_eq!(of(passing), Verdict::Again { moved: false }, "{passing:?}");
    }
    for in_doubt in [E::RequestTimedOut, E::NotEnoughReplicasAfterAppend] {
        assert_eq!(of(in_doubt), Verdict::Unknown, "{in_doubt:?}");
    }
    assert!(matches!(of(E::InvalidProducerEpoch), Verdict::Failed(ProduceError::Fenced(_))));
    assert!(matches!(of(E::TransactionAbortable), Verdict::Failed(ProduceError::Abortable(_))));
    assert!(matches!(of(E::InvalidProducerIdMapping), Verdict::Failed(ProduceError::Fatal(_))));
    assert!(matches!(of(E::MessageTooLarge), Verdict::Failed(ProduceError::Refused { .. })));
}

#[test]
fn numbers_begin_again_after_the_last_one() {
    let mut track = Track::new(place());
    let mut sequences = Vec::new();
    for number in 0..3 {
        track.put_full(batch(number, 2));
        let Some(Next::New { serial, sequence, .. }) = track.next() else { panic!("a batch to send") };
        sequences.push(sequence);
        track.answered(serial, Verdict::Written(0), Instant::now());
    }
    track.renumber(false);
    track.put_full(batch(9, 1));
    let Some(Next::New { sequence, .. }) = track.next() else { panic!("a batch to send") };
    sequences.push(sequence);
    assert_eq!(sequences, [0, 2, 4, 0]);
    assert_eq!(super::track::following(i32::MAX, 1), 0);
    assert_eq!(super::track::following(i32::MAX - 1, 5), 3);
}
