//! Whether an answer holds as many entries as its counts say, before it is decoded.
//!
//! The decoders of `kafka-protocol` make room for an array by its count before they read its first entry: eight bytes
//! from a broker ask for gigabytes, and the allocator ends the process. [`check`] walks an answer by its schema first and
//! allocates nothing. The rule it keeps: whatever a decoder then makes room for is there, so what an answer costs is a
//! multiple of its bytes, which `receive.message.max.bytes` bounds. Every answer goes through it; one without a schema
//! here is refused.
//!
//! The walk reads just as the decoders do, where they are lenient as well: it must not see another count than they do.

mod schemas;

pub(crate) use schemas::schema;

/// Fields of one structure that are not known here: no broker sends as many, and each costs far more than its bytes.
const TAGGED_MAX: u32 = 64;

/// What an answer consists of.
#[derive(Debug)]
pub(crate) struct Schema {
    /// The first version whose lengths are varints and whose structures end in tagged fields.
    flexible: i16,
    fields: &'static [Field],
}

/// A field of a structure, in the order of the wire.
#[derive(Debug, Clone, Copy)]
struct Field {
    shape: Shape,
    since: i16,
    until: i16,
    /// Set for a field that stands among the tagged ones.
    tag: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    /// So many bytes.
    Fixed(usize),
    Text,
    Bytes,
    Struct(&'static [Field]),
    Array(&'static [Field]),
    /// An array of numbers of so many bytes.
    Numbers(usize),
    Texts,
}

/// Checks that an answer holds what its counts and lengths say.
///
/// # Errors
/// A sentence that says what is not there.
pub(crate) fn check(api: i16, version: i16, body: &[u8]) -> Result<(), String> {
    let schema = schema(api).ok_or_else(|| format!("answers of kind {api} are not known here"))?;
    let mut walk = Walk { left: body, version, is_flexible: version >= schema.flexible };
    walk.fields(schema.fields)
}

struct Walk<'a> {
    left: &'a [u8],
    version: i16,
    is_flexible: bool,
}

impl Walk<'_> {
    fn fields(&mut self, fields: &'static [Field]) -> Result<(), String> {
        let version = self.version;
        for field in fields.iter().filter(|field| field.tag.is_none() && field.is_in(version)) {
            self.shape(field.shape)?;
        }
        if self.is_flexible { self.tagged(fields) } else { Ok(()) }
    }

    fn shape(&mut self, shape: Shape) -> Result<(), String> {
        match shape {
            Shape::Fixed(width) => self.skip(width),
            Shape::Text => self.text(),
            Shape::Bytes => {
                let length = if self.is_flexible { self.compact()? } else { signed(self.i32()?)? };
                self.skip(length.unwrap_or(0))
            }
            Shape::Struct(fields) => self.fields(fields),
            Shape::Array(fields) => (0..self.count(1)?).try_for_each(|_| self.fields(fields)),
            Shape::Numbers(width) => {
                let count = self.count(width)?;
                self.skip(count * width)
            }
            Shape::Texts => (0..self.count(1)?).try_for_each(|_| self.text()),
        }
    }

    fn tagged(&mut self, fields: &'static [Field]) -> Result<(), String> {
        let count = self.varint()?;
        if count > TAGGED_MAX {
            return Err(format!("a structure of {count} tagged fields"));
        }
        for _ in 0..count {
            let (tag, bytes) = (self.varint()?, self.varint()?);
            match fields.iter().find(|field| field.tag == Some(tag)) {
                Some(field) if field.is_in(self.version) => self.shape(field.shape)?,
                Some(_) => return Err(format!("tagged field {tag}, which version {} has not", self.version)),
                None => self.skip(bytes as usize)?,
            }
        }
        Ok(())
    }

    fn text(&mut self) -> Result<(), String> {
        let length = if self.is_flexible {
            self.compact()?
        } else {
            signed(i32::from(i16::from_be_bytes(self.take()?)))?
        };
        self.skip(length.unwrap_or(0))
    }

    /// The count of an array whose entries take `width` bytes at least. One that is null has no entry.
    fn count(&mut self, width: usize) -> Result<usize, String> {
        let count = if self.is_flexible { self.compact()? } else { signed(self.i32()?)? };
        let (count, left) = (count.unwrap_or(0), self.left.len());
        if count > left / width.max(1) {
            return Err(format!("an array of {count} entries, where {left} bytes are left"));
        }
        Ok(count)
    }

    fn i32(&mut self) -> Result<i32, String> {
        self.take().map(i32::from_be_bytes)
    }

    /// A length or count plus one, 0 for null.
    fn compact(&mut self) -> Result<Option<usize>, String> {
        Ok(self.varint()?.checked_sub(1).map(|length| length as usize))
    }

    /// At most five bytes, what is above 32 bits is dropped: as the decoders have it.
    fn varint(&mut self) -> Result<u32, String> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.take()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        Ok(value)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (head, rest) = self.left.split_first_chunk().ok_or_else(|| cut(N, self.left.len()))?;
        self.left = rest;
        Ok(*head)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), String> {
        self.left = self.left.get(bytes..).ok_or_else(|| cut(bytes, self.left.len()))?;
        Ok(())
    }
}

/// A length or count: `None` for null.
fn signed(length: i32) -> Result<Option<usize>, String> {
    match length {
        -1 => Ok(None),
        length => usize::try_from(length).map(Some).map_err(|_| format!("a length of {length}")),
    }
}

fn cut(wanted: usize, left: usize) -> String {
    format!("{wanted} bytes are due, where {left} are left")
}

impl Field {
    fn is_in(&self, version: i16) -> bool {
        (self.since..=self.until).contains(&version)
    }
}

#[cfg(test)]
mod tests;
