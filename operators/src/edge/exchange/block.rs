//! The block: what travels through a repartition topic. Its layout stands at the head of [`crate::exchange`].

use super::PayloadCodec;
use crate::batch::{Batch, EventTime, Ops, Payload};
use crate::operator::TaskInfo;
use crate::origin::{Origin, Origins};
use arrow::buffer::ScalarBuffer;
use millstream_state::BytesColumn;
use std::sync::Arc;

const VERSION: u8 = 1;
const IDLE: u8 = 1;
const MIXED: u8 = 2;
const BEHIND: u8 = 4;
const ORIGINS: u8 = 8;
const HEADER_BYTES: usize = 2 + 8 + 4 + 4 + 8 + 4 + 8 + 4 + 4;

/// What a block says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHeader {
    /// Sub-topology and partition of the task that wrote it.
    pub upstream: (u32, u32),
    /// Number of the commit it was sent in.
    pub commit: u64,
    /// Its place among the blocks of that commit for this partition.
    pub sequence: u32,
    /// The writer's watermark after it.
    pub watermark: EventTime,
    /// Whether all inputs of the writer are idle.
    pub idle: bool,
    /// Number of rows.
    pub rows: u32,
    schema: u64,
    flags: u8,
    body_bytes: u32,
}

/// The rows of a block.
#[derive(Debug)]
pub struct BlockRows {
    /// The rows, with bounds where the writer knew them to be behind its watermark.
    pub batch: Batch,
}

/// What is written into one block.
pub(crate) struct BlockContent<'a> {
    pub(crate) task: &'a TaskInfo,
    pub(crate) commit: u64,
    pub(crate) sequence: u32,
    pub(crate) watermark: EventTime,
    pub(crate) idle: bool,
    /// Batches the rows are in.
    pub(crate) batches: &'a [Batch],
    /// Index of the batch and of the row in it.
    pub(crate) rows: &'a [(u32, u32)],
}

/// Appends a block.
pub(crate) fn encode_block(
    content: &BlockContent<'_>,
    codec: &dyn PayloadCodec,
    out: &mut Vec<u8>,
) -> Result<(), crate::OperatorError> {
    let BlockContent { batches, rows, .. } = *content;
    let row = |(batch, row): &(u32, u32)| (&batches[*batch as usize], *row as usize);
    let mixed = rows.iter().map(row).any(|(batch, row)| batch.ops.get(row) != 1);
    let behind = batches.iter().any(|batch| batch.behind.is_some());
    let kept = |batch: &Batch| matches!(batch.origins, Some(Origins::Kept(_)));
    let origins = batches.iter().any(kept);

    let mut body = Vec::new();
    if !rows.is_empty() {
        for (batch, row) in rows.iter().map(row) {
            body.extend(batch.times[row].to_le_bytes());
        }
        if mixed {
            body.extend(rows.iter().map(row).map(|(batch, row)| batch.ops.get(row) as u8));
        }
        if behind {
            for (batch, row) in rows.iter().map(row) {
                // A row that was not behind there can't be behind here: the reader's watermark is no further.
                body.extend(batch.behind.as_ref().map_or(EventTime::MIN, |behind| behind[row]).to_le_bytes());
            }
        }
        if origins {
            for (batch, row) in rows.iter().map(row) {
                let origin = match &batch.origins {
                    Some(Origins::Kept(kept)) => kept[row].as_deref(),
                    _ => None,
                };
                Origin::encode(origin, &mut body);
            }
        }
        let mut keys: Vec<u8> = Vec::new();
        for (batch, row) in rows.iter().map(row) {
            let key = batch.keys()?.get(row);
            body.extend((key.len() as u32).to_le_bytes());
            keys.extend(key);
        }
        body.extend(keys);
        codec.encode(batches, rows, &mut body)?;
    }

    let flags = [(content.idle, IDLE), (mixed, MIXED), (behind, BEHIND), (origins, ORIGINS)];
    let flags = flags.into_iter().filter(|(is, _)| *is).fold(0, |flags, (_, flag)| flags | flag);
    out.extend([VERSION, flags]);
    out.extend(codec.schema_hash().to_le_bytes());
    out.extend(content.task.sub_topology.to_le_bytes());
    out.extend(content.task.partition.to_le_bytes());
    out.extend(content.commit.to_le_bytes());
    out.extend(content.sequence.to_le_bytes());
    out.extend(content.watermark.to_le_bytes());
    out.extend((rows.len() as u32).to_le_bytes());
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(lz4_flex::block::compress(&body));
    Ok(())
}

/// Reads the header of a block without its rows.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn peek_header(bytes: &[u8]) -> Result<BlockHeader, String> {
    let mut input = bytes.get(..HEADER_BYTES).ok_or("the block is cut off in its header")?;
    if input[0] != VERSION {
        return Err(format!("the block has version {}, this program reads {VERSION}", input[0]));
    }
    let flags = input[1];
    input = &input[2..];
    Ok(BlockHeader {
        schema: u64::from_le_bytes(take(&mut input)?),
        upstream: (u32::from_le_bytes(take(&mut input)?), u32::from_le_bytes(take(&mut input)?)),
        commit: u64::from_le_bytes(take(&mut input)?),
        sequence: u32::from_le_bytes(take(&mut input)?),
        watermark: i64::from_le_bytes(take(&mut input)?),
        idle: flags & IDLE != 0,
        rows: u32::from_le_bytes(take(&mut input)?),
        flags,
        body_bytes: u32::from_le_bytes(take(&mut input)?),
    })
}

/// Reads the rows of a block; `None` when it has none.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn decode_block(
    header: &BlockHeader,
    bytes: &[u8],
    codec: &dyn PayloadCodec,
) -> Result<Option<BlockRows>, String> {
    if header.schema != codec.schema_hash() {
        return Err("the block's rows have other columns than this plan's exchange".to_owned());
    }
    if header.rows == 0 {
        return Ok(None);
    }
    let body = crate::lz4::decompress(&bytes[HEADER_BYTES..], header.body_bytes)
        .map_err(|error| format!("the block can't be decompressed: {error}"))?;
    let rows = header.rows as usize;
    let mut input = body.as_slice();
    let times = take_i64s(&mut input, rows)?;
    let ops = if header.flags & MIXED != 0 {
        Ops::from_signs(take_slice(&mut input, rows)?.iter().map(|sign| *sign as i8).collect())
    } else {
        Ops::Append
    };
    let behind = if header.flags & BEHIND != 0 { Some(take_i64s(&mut input, rows)?) } else { None };
    let origins = match header.flags & ORIGINS {
        0 => None,
        _ => {
            let read = (0..rows).map(|_| Origin::decode(&mut input)).collect::<Option<Vec<_>>>();
            Some(Origins::Kept(read.ok_or("the block's dead letters are cut off")?))
        }
    };
    let lengths = take_slice(&mut input, rows * 4)?;
    let mut ends = Vec::with_capacity(rows);
    let mut end = 0u32;
    for length in lengths.as_chunks::<4>().0 {
        end = end.checked_add(u32::from_le_bytes(*length)).ok_or("the block's keys are too long")?;
        ends.push(end);
    }
    let keys = take_slice(&mut input, end as usize)?.to_vec();
    let keys = BytesColumn::from_parts(keys, ends).ok_or("the block's keys do not fit")?;
    let payload: Payload = codec.decode(input, rows)?;
    let keys = Some(Arc::new(keys));
    Ok(Some(BlockRows { batch: Batch { rows: payload, times, ops, behind, keys, origins } }))
}

fn take<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], String> {
    let (head, tail) = input.split_first_chunk::<N>().ok_or("the block is cut off")?;
    *input = tail;
    Ok(*head)
}

fn take_slice<'a>(input: &mut &'a [u8], length: usize) -> Result<&'a [u8], String> {
    let (head, tail) = input.split_at_checked(length).ok_or("the block is cut off in its rows")?;
    *input = tail;
    Ok(head)
}

fn take_i64s(input: &mut &[u8], rows: usize) -> Result<ScalarBuffer<i64>, String> {
    let bytes = take_slice(input, rows * 8)?;
    Ok(bytes.as_chunks::<8>().0.iter().map(|value| i64::from_le_bytes(*value)).collect::<Vec<_>>().into())
}
