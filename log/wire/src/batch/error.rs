//! What can be wrong with record batches.

use super::Compression;

/// Bytes that are not the record batch they should be, or records that make none. Offsets are those the batch says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// An old format.
    #[error(
        "records from offset {base_offset} on are in message format {magic}, which only brokers before 0.11 wrote; \
         copy them to a new topic, or read them with kafka.client = rdkafka"
    )]
    Format {
        /// First offset.
        base_offset: i64,
        /// The format.
        magic: i8,
    },
    /// The checksum is wrong: bytes were changed on a disk or on the way.
    #[error(
        "the batch at offset {base_offset} is damaged: its checksum is {stored:08x}, its bytes have {computed:08x}; \
         fetch it again, and if it stays so look at the disks of the partition's leader"
    )]
    Checksum {
        /// First offset.
        base_offset: i64,
        /// What it says.
        stored: u32,
        /// What it has.
        computed: u32,
    },
    /// The checksum is right and the content is not what the format allows.
    #[error("the batch at offset {base_offset} is malformed: {what}")]
    Malformed {
        /// First offset.
        base_offset: i64,
        /// What is wrong.
        what: &'static str,
    },
    /// A codec that is not known.
    #[error("the batch at offset {base_offset} is compressed by codec {codec}, which is not known")]
    Codec {
        /// First offset.
        base_offset: i64,
        /// Number of the codec.
        codec: i16,
    },
    /// Compressed records can't be decompressed.
    #[error("the batch at offset {base_offset} can't be decompressed by {codec}: {reason}")]
    Decompress {
        /// First offset.
        base_offset: i64,
        /// The codec.
        codec: Compression,
        /// What the codec says.
        reason: String,
    },
    /// Decompressed records are larger than is allowed.
    #[error(
        "the batch at offset {base_offset} has more than {limit} bytes when decompressed; write smaller batches, or \
         give readers more memory"
    )]
    TooLarge {
        /// First offset.
        base_offset: i64,
        /// The limit in bytes.
        limit: usize,
    },
    /// A record does not fit a batch.
    #[error("a record of {bytes} bytes does not fit a batch, which holds less than 2 GiB")]
    RecordTooLarge {
        /// Bytes of key and value.
        bytes: usize,
    },
    /// Records can't be compressed.
    #[error("records can't be compressed by {codec}: {reason}")]
    Compress {
        /// The codec.
        codec: Compression,
        /// What the codec says.
        reason: String,
    },
}
