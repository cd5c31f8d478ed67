//! What messages are made of: numbers of fields, each with a value of one of a few shapes.

/// A value as it stands in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'t> {
    Varint(u64),
    Fixed64([u8; 8]),
    Fixed32([u8; 4]),
    Bytes(&'t [u8]),
    /// A group, which nobody reads.
    Group,
}

/// How deep groups may stand in each other.
const DEPTH_MAX: usize = 64;

/// The number of the next field and its value; `None` when what is there is no field.
#[inline]
pub(crate) fn field<'t>(rest: &mut &'t [u8]) -> Option<(u32, Value<'t>)> {
    let tag = varint(rest)?;
    let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0)?;
    Some((number, value(tag & 7, number, rest, 0)?))
}

fn value<'t>(wire: u64, number: u32, rest: &mut &'t [u8], depth: usize) -> Option<Value<'t>> {
    Some(match wire {
        0 => Value::Varint(varint(rest)?),
        1 => Value::Fixed64(array(rest)?),
        2 => Value::Bytes(bytes(rest)?),
        5 => Value::Fixed32(array(rest)?),
        3 if depth < DEPTH_MAX => loop {
            let tag = varint(rest)?;
            let inner = u32::try_from(tag >> 3).ok().filter(|number| *number > 0)?;
            if tag & 7 == 4 {
                break (inner == number).then_some(Value::Group)?;
            }
            value(tag & 7, inner, rest, depth + 1)?;
        },
        _ => return None,
    })
}

/// A number of seven bits a byte, the lowest first.
#[inline(always)]
pub(crate) fn varint(rest: &mut &[u8]) -> Option<u64> {
    if let [byte @ ..0x80, tail @ ..] = *rest {
        *rest = tail;
        return Some((*byte).into());
    }
    long_varint(rest)
}

fn long_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for (index, byte) in rest.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * index as u32).unwrap_or(0);
        if byte & 0x80 == 0 {
            *rest = &rest[index + 1..];
            return Some(value);
        }
    }
    None
}

#[inline(always)]
pub(crate) fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*taken)
}

#[inline(always)]
fn bytes<'t>(rest: &mut &'t [u8]) -> Option<&'t [u8]> {
    let length = usize::try_from(varint(rest)?).ok()?;
    let (taken, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(taken)
}

/// A number whose sign stands in its lowest bit.
#[inline(always)]
pub(crate) fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

#[inline(always)]
pub(crate) fn push_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends what `write` appends, with its length in front.
pub(crate) fn push_delimited(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
) -> Result<(), String> {
    // Most are short: a byte is left for the length, and more are made where one is not enough.
    let start = out.len();
    out.push(0);
    write(out)?;
    let length = out.len() - start - 1;
    let mut head = Vec::with_capacity(5);
    push_varint(length as u64, &mut head);
    out.splice(start..=start, head);
    Ok(())
}
