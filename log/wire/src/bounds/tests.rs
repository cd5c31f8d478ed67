//! Answers made by the schemas, with every count in turn made too large; and the decoders, which must read what the
//! schemas say and nothing else.

use super::*;
use crate::connection::decode;
use bytes::Bytes;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Decodable, HeaderVersion, Message, Request};
use millstream_test_support::memory::allocated;
use millstream_test_support::mutation::{Numbers, mutate};

/// What an answer may cost beyond its bytes, and per byte: entries are larger in memory than on the wire.
const FIXED_BYTES: usize = 16 << 10;
const BYTES_PER_BYTE: usize = 400;

/// An answer, and where its counts stand with whether they are varints.
#[derive(Default)]
struct Made {
    bytes: Vec<u8>,
    counts: Vec<(usize, bool)>,
}

impl Made {
    /// An answer with its header.
    fn new<R: Request>(version: i16, numbers: &mut Numbers) -> Self {
        let schema = schema(R::KEY).expect("a schema");
        let mut made = Made { bytes: vec![0, 0, 0, 7], counts: Vec::new() };
        if R::Response::header_version(version) > 0 {
            made.bytes.push(0);
        }
        made.fields(schema.fields, version, version >= schema.flexible, numbers);
        made
    }

    fn fields(&mut self, fields: &'static [Field], version: i16, flexible: bool, numbers: &mut Numbers) {
        for field in fields.iter().filter(|field| field.tag.is_none() && field.is_in(version)) {
            self.shape(field.shape, version, flexible, numbers);
        }
        if !flexible {
            return;
        }
        let tagged: Vec<&Field> =
            fields.iter().filter(|field| field.tag.is_some() && field.is_in(version)).collect();
        self.bytes.push(tagged.len() as u8 + 1);
        for field in tagged {
            let mut inner = Made::default();
            inner.shape(field.shape, version, flexible, numbers);
            self.bytes.push(field.tag.expect("tagged") as u8);
            self.varint(inner.bytes.len() as u32);
            let from = self.bytes.len();
            self.counts.extend(inner.counts.iter().map(|(at, varint)| (at + from, *varint)));
            self.bytes.extend(inner.bytes);
        }
        // One that nobody knows.
        self.bytes.extend([0x55, 2, 1, 2]);
    }

    fn shape(&mut self, shape: Shape, version: i16, flexible: bool, numbers: &mut Numbers) {
        let count = 1 + numbers.below(2);
        match shape {
            Shape::Fixed(width) => self.bytes.extend(vec![0; width]),
            Shape::Text if flexible => self.bytes.extend([3, b'a', b'b']),
            Shape::Text => self.bytes.extend([0, 2, b'a', b'b']),
            Shape::Bytes if flexible => self.bytes.extend([3, 1, 2]),
            Shape::Bytes => self.bytes.extend([0, 0, 0, 2, 1, 2]),
            Shape::Struct(fields) => self.fields(fields, version, flexible, numbers),
            Shape::Array(fields) => {
                self.count(count, flexible);
                (0..count).for_each(|_| self.fields(fields, version, flexible, numbers));
            }
            Shape::Numbers(width) => {
                self.count(count, flexible);
                self.bytes.extend(vec![0; width * count]);
            }
            Shape::Texts => {
                self.count(count, flexible);
                (0..count).for_each(|_| self.shape(Shape::Text, version, flexible, numbers));
            }
        }
    }

    fn count(&mut self, count: usize, flexible: bool) {
        self.counts.push((self.bytes.len(), flexible));
        match flexible {
            true => self.varint(count as u32 + 1),
            false => self.bytes.extend((count as u32).to_be_bytes()),
        }
    }

    fn varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// With another number in the place of a count, which takes one byte as a varint here.
    fn with_count(&self, (at, is_varint): (usize, bool), count: u32) -> Vec<u8> {
        let mut other = Made::default();
        other.bytes.extend(&self.bytes[..at]);
        match is_varint {
            true => other.varint(count),
            false => other.bytes.extend(count.to_be_bytes()),
        }
        other.bytes.extend(&self.bytes[at + if is_varint { 1 } else { 4 }..]);
        other.bytes
    }
}

/// What is tried with every kind of answer in every version.
trait Try {
    fn of<R: Request>(&self, version: i16);
}

/// Every API that answers are decoded of.
fn every(attempt: &impl Try) {
    fn versions<R: Request>(attempt: &impl Try) {
        let range = R::Response::VERSIONS;
        (range.min..=range.max).for_each(|version| attempt.of::<R>(version));
    }
    versions::<ProduceRequest>(attempt);
    versions::<FetchRequest>(attempt);
    versions::<ListOffsetsRequest>(attempt);
    versions::<MetadataRequest>(attempt);
    versions::<OffsetFetchRequest>(attempt);
    versions::<FindCoordinatorRequest>(attempt);
    versions::<SaslHandshakeRequest>(attempt);
    versions::<SaslAuthenticateRequest>(attempt);
    versions::<ApiVersionsRequest>(attempt);
    versions::<CreateTopicsRequest>(attempt);
    versions::<DeleteTopicsRequest>(attempt);
    versions::<DeleteRecordsRequest>(attempt);
    versions::<InitProducerIdRequest>(attempt);
    versions::<OffsetForLeaderEpochRequest>(attempt);
    versions::<AddPartitionsToTxnRequest>(attempt);
    versions::<AddOffsetsToTxnRequest>(attempt);
    versions::<EndTxnRequest>(attempt);
    versions::<TxnOffsetCommitRequest>(attempt);
    versions::<AlterClientQuotasRequest>(attempt);
}

/// Decodes, and holds what that costs against what is there.
fn decode_within<R: Request>(bytes: &[u8], version: i16, case: &str) -> Result<(), String> {
    let body = Bytes::copy_from_slice(bytes);
    let (decoded, cost) = allocated(|| decode::<R>(body, version).map(drop));
    let most = FIXED_BYTES + BYTES_PER_BYTE * bytes.len();
    assert!(
        cost.total <= most,
        "{case}: {cost:?} for {} bytes of API {}, version {version}",
        bytes.len(),
        R::KEY
    );
    decoded
}

#[test]
fn schemas_say_what_the_decoders_read() {
    struct Sound;
    impl Try for Sound {
        fn of<R: Request>(&self, version: i16) {
            for seed in 0..8 {
                let made = Made::new::<R>(version, &mut Numbers::new(seed));
                let decoded = decode_within::<R>(&made.bytes, version, "sound");
                assert_eq!(decoded, Ok(()), "API {}, version {version}", R::KEY);
            }
        }
    }
    every(&Sound);
}

#[test]
fn a_count_that_is_larger_than_what_is_there_is_refused_for_every_answer() {
    struct Large;
    impl Try for Large {
        fn of<R: Request>(&self, version: i16) {
            let made = Made::new::<R>(version, &mut Numbers::new(1));
            for count in &made.counts {
                for large in
                    [made.bytes.len() as u32 + 1, 1_000_000, 0x0fff_ffff, i32::MAX as u32, u32::MAX - 1]
                {
                    let changed = made.with_count(*count, large);
                    let refused = decode_within::<R>(&changed, version, "a large count");
                    assert!(refused.is_err(), "{large} at {} of API {}, version {version}", count.0, R::KEY);
                }
            }
        }
    }
    every(&Large);
}

#[test]
fn damaged_answers_never_panic_and_ask_for_no_more_than_a_multiple_of_their_bytes() {
    struct Damaged;
    impl Try for Damaged {
        fn of<R: Request>(&self, version: i16) {
            for seed in 0..100 {
                let mut numbers = Numbers::new(seed << 8 | version as u64);
                let mut made = Made::new::<R>(version, &mut numbers).bytes;
                mutate(&mut made, &mut numbers);
                let _ = decode_within::<R>(&made, version, "damaged");
            }
        }
    }
    every(&Damaged);
}

/// Why there is a walk: when this fails the decoders bound their counts themselves.
#[test]
fn without_the_walk_eight_bytes_ask_for_as_much_as_they_say() {
    let eight = [0, 0, 0, 0, 0, 0x0f, 0x42, 0x40];
    let (_, cost) =
        allocated(|| ListOffsetsResponse::decode(&mut Bytes::copy_from_slice(&eight), 2).map(drop));
    assert!(cost.largest > 10_000_000, "{cost:?}");
    assert!(check(ApiKey::ListOffsets as i16, 2, &eight).is_err());
}

#[test]
fn an_answer_that_nobody_decodes_here_is_refused() {
    assert!(check(ApiKey::DescribeLogDirs as i16, 1, &[]).is_err());
    assert!(check(-1, 0, &[]).is_err());
}
