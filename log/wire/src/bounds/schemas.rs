//! The answers that are decoded, field by field as the wire has them: what Kafka's message definitions say, without the
//! names. A message that is asked for in a new version, or for the first time, needs its fields here; the test of
//! [`super`] says so when they are missing or not those of the decoders.

use super::{Field, Schema, Shape};
use kafka_protocol::messages::ApiKey;

const I8: Field = field(Shape::Fixed(1));
const I16: Field = field(Shape::Fixed(2));
const I32: Field = field(Shape::Fixed(4));
const I64: Field = field(Shape::Fixed(8));
const UUID: Field = field(Shape::Fixed(16));
const TEXT: Field = field(Shape::Text);
const BYTES: Field = field(Shape::Bytes);
/// A version after all others.
const NEVER: i16 = i16::MAX;

/// The schema of an API's answers, if they are known here.
pub(crate) fn schema(api: i16) -> Option<&'static Schema> {
    Some(match ApiKey::try_from(api).ok()? {
        ApiKey::Produce => &PRODUCE,
        ApiKey::Fetch => &FETCH,
        ApiKey::ListOffsets => &LIST_OFFSETS,
        ApiKey::Metadata => &METADATA,
        ApiKey::OffsetFetch => &OFFSET_FETCH,
        ApiKey::FindCoordinator => &FIND_COORDINATOR,
        ApiKey::SaslHandshake => &SASL_HANDSHAKE,
        ApiKey::ApiVersions => &API_VERSIONS,
        ApiKey::CreateTopics => &CREATE_TOPICS,
        ApiKey::DeleteTopics => &DELETE_TOPICS,
        ApiKey::DeleteRecords => &DELETE_RECORDS,
        ApiKey::InitProducerId => &INIT_PRODUCER_ID,
        ApiKey::OffsetForLeaderEpoch => &OFFSET_FOR_LEADER_EPOCH,
        ApiKey::AddPartitionsToTxn => &ADD_PARTITIONS_TO_TXN,
        ApiKey::AddOffsetsToTxn => &ADD_OFFSETS_TO_TXN,
        ApiKey::EndTxn => &END_TXN,
        ApiKey::TxnOffsetCommit => &TXN_OFFSET_COMMIT,
        ApiKey::SaslAuthenticate => &SASL_AUTHENTICATE,
        ApiKey::AlterClientQuotas => &ALTER_CLIENT_QUOTAS,
        _ => return None,
    })
}

const fn field(shape: Shape) -> Field {
    Field { shape, since: 0, until: NEVER, tag: None }
}

const fn array(entry: &'static [Field]) -> Field {
    field(Shape::Array(entry))
}

const fn since(version: i16, field: Field) -> Field {
    Field { since: version, ..field }
}

const fn until(version: i16, field: Field) -> Field {
    Field { until: version, ..field }
}

const fn tagged(tag: u32, field: Field) -> Field {
    Field { tag: Some(tag), ..field }
}

const NODE: &[Field] = &[I32, TEXT, I32, TEXT];
const LEADER: &[Field] = &[I32, I32];
const PARTITION_CODE: &[Field] = &[I32, I16];
const TOPIC_CODES: &[Field] = &[TEXT, array(PARTITION_CODE)];

static PRODUCE: Schema =
    Schema { flexible: 9, fields: &[array(PRODUCE_TOPIC), I32, tagged(0, since(10, array(NODE)))] };
const PRODUCE_TOPIC: &[Field] = &[until(12, TEXT), since(13, UUID), array(PRODUCE_PARTITION)];
const PRODUCE_PARTITION: &[Field] = &[
    I32,
    I16,
    I64,
    I64,
    since(5, I64),
    since(8, array(&[I32, TEXT])),
    since(8, TEXT),
    tagged(0, since(10, field(Shape::Struct(LEADER)))),
];

static FETCH: Schema = Schema {
    flexible: 12,
    fields: &[I32, since(7, I16), since(7, I32), array(FETCH_TOPIC), tagged(0, since(16, array(NODE)))],
};
const FETCH_TOPIC: &[Field] = &[until(12, TEXT), since(13, UUID), array(FETCH_PARTITION)];
const FETCH_PARTITION: &[Field] = &[
    I32,
    I16,
    I64,
    I64,
    since(5, I64),
    array(&[I64, I64]),
    since(11, I32),
    BYTES,
    tagged(0, field(Shape::Struct(&[I32, I64]))),
    tagged(1, field(Shape::Struct(LEADER))),
    tagged(2, field(Shape::Struct(&[I64, I32]))),
];

static LIST_OFFSETS: Schema = Schema {
    flexible: 6,
    fields: &[since(2, I32), array(&[TEXT, array(&[I32, I16, I64, I64, since(4, I32)])])],
};

static METADATA: Schema = Schema {
    flexible: 9,
    fields: &[
        since(3, I32),
        array(&[I32, TEXT, I32, since(1, TEXT)]),
        since(2, TEXT),
        since(1, I32),
        array(METADATA_TOPIC),
        since(8, until(10, I32)),
        since(13, I16),
    ],
};
const METADATA_TOPIC: &[Field] =
    &[I16, TEXT, since(10, UUID), since(1, I8), array(METADATA_PARTITION), since(8, I32)];
const METADATA_PARTITION: &[Field] = &[
    I16,
    I32,
    I32,
    since(7, I32),
    field(Shape::Numbers(4)),
    field(Shape::Numbers(4)),
    since(5, field(Shape::Numbers(4))),
];

static OFFSET_FETCH: Schema = Schema {
    flexible: 6,
    fields: &[
        since(3, I32),
        until(7, array(&[TEXT, array(OFFSET_FETCH_PARTITION)])),
        since(2, until(7, I16)),
        since(8, array(OFFSET_FETCH_GROUP)),
    ],
};
const OFFSET_FETCH_GROUP: &[Field] =
    &[TEXT, array(&[until(9, TEXT), since(10, UUID), array(OFFSET_FETCH_PARTITION)]), I16];
const OFFSET_FETCH_PARTITION: &[Field] = &[I32, I64, since(5, I32), TEXT, I16];

static FIND_COORDINATOR: Schema = Schema {
    flexible: 3,
    fields: &[
        since(1, I32),
        until(3, I16),
        since(1, until(3, TEXT)),
        until(3, I32),
        until(3, TEXT),
        until(3, I32),
        since(4, array(&[TEXT, I32, TEXT, I32, I16, TEXT])),
    ],
};

static SASL_HANDSHAKE: Schema = Schema { flexible: NEVER, fields: &[I16, field(Shape::Texts)] };

static SASL_AUTHENTICATE: Schema = Schema { flexible: 2, fields: &[I16, TEXT, BYTES, since(1, I64)] };

static API_VERSIONS: Schema = Schema {
    flexible: 3,
    fields: &[
        I16,
        array(&[I16, I16, I16]),
        since(1, I32),
        tagged(0, array(&[TEXT, I16, I16])),
        tagged(1, I64),
        tagged(2, array(&[TEXT, I16, I16])),
        tagged(3, I8),
    ],
};

static CREATE_TOPICS: Schema = Schema { flexible: 5, fields: &[I32, array(CREATED_TOPIC)] };
const CREATED_TOPIC: &[Field] = &[
    TEXT,
    since(7, UUID),
    I16,
    TEXT,
    since(5, I32),
    since(5, I16),
    since(5, array(&[TEXT, TEXT, I8, I8, I8])),
    tagged(0, since(5, I16)),
];

static DELETE_TOPICS: Schema =
    Schema { flexible: 4, fields: &[I32, array(&[TEXT, since(6, UUID), I16, since(5, TEXT)])] };

static DELETE_RECORDS: Schema =
    Schema { flexible: 2, fields: &[I32, array(&[TEXT, array(&[I32, I64, I16])])] };

static INIT_PRODUCER_ID: Schema =
    Schema { flexible: 2, fields: &[I32, I16, I64, I16, since(6, I64), since(6, I16)] };

static OFFSET_FOR_LEADER_EPOCH: Schema =
    Schema { flexible: 4, fields: &[I32, array(&[TEXT, array(&[I16, I32, I32, I64])])] };

static ADD_PARTITIONS_TO_TXN: Schema = Schema {
    flexible: 3,
    fields: &[I32, since(4, I16), since(4, array(&[TEXT, array(TOPIC_CODES)])), until(3, array(TOPIC_CODES))],
};

static ADD_OFFSETS_TO_TXN: Schema = Schema { flexible: 3, fields: &[I32, I16] };

static END_TXN: Schema = Schema { flexible: 3, fields: &[I32, I16, since(5, I64), since(5, I16)] };

static TXN_OFFSET_COMMIT: Schema = Schema { flexible: 3, fields: &[I32, array(TOPIC_CODES)] };

static ALTER_CLIENT_QUOTAS: Schema =
    Schema { flexible: 1, fields: &[I32, array(&[I16, TEXT, array(&[TEXT, TEXT])])] };
