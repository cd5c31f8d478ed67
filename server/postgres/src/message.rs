//! The messages of PostgreSQL's protocol, version 3: bytes to what a client says, and what it is told to bytes.
//!
//! A message is a byte that says what it is, a length that counts itself, and a body. Bodies are taken apart by [`Body`],
//! which gives an error where one ends too early: nothing here indexes, and nothing is allocated by a number that a client
//! has sent.

use crate::error::Trouble;

/// The longest message of a client that is let in, in bytes: a text and its parameters.
pub(crate) const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// The longest one before that.
pub(crate) const STARTUP_BYTES_MAX: usize = 10_000;

/// What a client says once it is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// Statements, to be run one after the other.
    Query(String),
    /// A statement to be kept by a name, and the types that its first parameters are known to have; 0 for one that is not.
    Parse { name: String, text: String, types: Vec<u32> },
    /// A statement with values for its parameters.
    Bind {
        portal: String,
        statement: String,
        formats: Vec<u16>,
        values: Vec<Option<Vec<u8>>>,
        results: Vec<u16>,
    },
    /// What a statement or a portal takes and gives.
    Describe(Named),
    /// Rows of a portal: so many, or all for 0.
    Execute { portal: String, rows: u32 },
    /// Forgets a statement or a portal.
    Close(Named),
    /// What has been answered is to be sent now.
    Flush,
    /// The end of what belongs together.
    Sync,
    /// A password, or a step of SASL.
    Password(Vec<u8>),
    /// The end.
    Terminate,
    /// What there is in the protocol, but not here.
    Other(u8),
}

/// A statement or a portal, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Statement(String),
    Portal(String),
}

/// A body, from where it has not been read yet.
pub(crate) struct Body<'b>(pub(crate) &'b [u8]);

impl<'b> Body<'b> {
    pub(crate) fn take(&mut self, count: usize) -> Result<&'b [u8], Trouble> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(ends_early)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Trouble> {
        self.take(1).map(|bytes| bytes.iter().copied().next().unwrap_or_default())
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Trouble> {
        let bytes = self.take(2)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u16::from(*byte)))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Trouble> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    /// A text with a zero behind it.
    pub(crate) fn text(&mut self) -> Result<String, Trouble> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or_else(ends_early)?;
        let text = self.take(end)?;
        self.take(1)?;
        let text = std::str::from_utf8(text).map_err(|_| Trouble::protocol("a text is not UTF-8"))?;
        Ok(text.to_owned())
    }

    /// Bytes behind their length; none for the length -1.
    fn value(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        match self.u32()? {
            u32::MAX => Ok(None),
            length => self
                .take(usize::try_from(length).map_err(|_| ends_early())?)
                .map(|bytes| Some(bytes.to_vec())),
        }
    }

    /// So many of something as a number in front says. Each takes bytes, so that a number that is too high ends soon.
    fn many<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T, Trouble>) -> Result<Vec<T>, Trouble> {
        let count = self.u16()?;
        (0..count).map(|_| one(self)).collect()
    }

    fn named(&mut self) -> Result<Named, Trouble> {
        match self.byte()? {
            b'S' => self.text().map(Named::Statement),
            b'P' => self.text().map(Named::Portal),
            _ => Err(Trouble::protocol("neither a statement nor a portal is named")),
        }
    }

    fn end<T>(&self, said: T) -> Result<T, Trouble> {
        match self.0 {
            [] => Ok(said),
            _ => Err(Trouble::protocol("a message is longer than what it says")),
        }
    }
}

fn ends_early() -> Trouble {
    Trouble::protocol("a message ends too early")
}

/// What a message says.
pub(crate) fn said(kind: u8, body: &[u8]) -> Result<Said, Trouble> {
    let mut body = Body(body);
    let said = match kind {
        b'Q' => Said::Query(body.text()?),
        b'P' => Said::Parse { name: body.text()?, text: body.text()?, types: body.many(Body::u32)? },
        b'B' => Said::Bind {
            portal: body.text()?,
            statement: body.text()?,
            formats: body.many(Body::u16)?,
            values: body.many(Body::value)?,
            results: body.many(Body::u16)?,
        },
        b'D' => Said::Describe(body.named()?),
        b'E' => Said::Execute { portal: body.text()?, rows: body.u32()? },
        b'C' => Said::Close(body.named()?),
        b'H' => Said::Flush,
        b'S' => Said::Sync,
        b'X' => Said::Terminate,
        b'p' => return Ok(Said::Password(body.0.to_vec())),
        other => return Ok(Said::Other(other)),
    };
    body.end(said)
}

/// What a connection begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Opening {
    /// It asks for TLS.
    Tls,
    /// It asks for encryption by GSSAPI.
    Gss,
    /// It asks that what another connection is doing be ended.
    Cancel { process: u32, secret: u32 },
    /// It gives its parameters. The minor version may be newer than ours.
    Startup { minor: u16, parameters: Vec<(String, String)> },
}

/// What the body of a first message, behind its length, says.
pub(crate) fn opening(body: &[u8]) -> Result<Opening, Trouble> {
    let mut body = Body(body);
    match (body.u16()?, body.u16()?) {
        (1234, 5679) => body.end(Opening::Tls),
        (1234, 5680) => body.end(Opening::Gss),
        (1234, 5678) => Ok(Opening::Cancel { process: body.u32()?, secret: body.u32()? }),
        (3, minor) => {
            let mut parameters = Vec::new();
            loop {
                let name = body.text()?;
                if name.is_empty() {
                    return body.end(Opening::Startup { minor, parameters });
                }
                parameters.push((name, body.text()?));
            }
        }
        (major, minor) => Err(Trouble::new(
            "0A000",
            format!("version {major}.{minor} of the protocol is not spoken here: version 3 is"),
        )),
    }
}

/// Messages to a client, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pub(crate) bytes: Vec<u8>,
}

/// A column as a client is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnText<'c> {
    pub(crate) name: &'c str,
    pub(crate) kind: crate::types::Kind,
    pub(crate) binary: bool,
}

impl Outgoing {
    /// Writes a message; `body` writes what it holds.
    pub(crate) fn message(&mut self, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.push(kind);
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        body(&mut self.bytes);
        // What is sent is bounded far below 2 GiB: answers by their limit, messages by what they quote.
        let length = u32::try_from(self.bytes.len() - at).unwrap_or(u32::MAX).to_be_bytes();
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&length);
        }
    }

    /// A message that holds nothing.
    pub(crate) fn plain(&mut self, kind: u8) {
        self.message(kind, |_| {});
    }

    /// A step of authentication.
    pub(crate) fn authentication(&mut self, step: u32, data: &[u8]) {
        self.message(b'R', |out| {
            out.extend_from_slice(&step.to_be_bytes());
            out.extend_from_slice(data);
        });
    }

    /// The value of a parameter of the session.
    pub(crate) fn parameter(&mut self, name: &str, value: &str) {
        self.message(b'S', |out| {
            put_text(name, out);
            put_text(value, out);
        });
    }

    /// The client may go on.
    pub(crate) fn ready(&mut self, status: u8) {
        self.message(b'Z', |out| out.push(status));
    }

    /// A statement has been run.
    pub(crate) fn complete(&mut self, tag: &str) {
        self.message(b'C', |out| put_text(tag, out));
    }

    /// The columns of what follows.
    pub(crate) fn columns<'c>(&mut self, columns: impl ExactSizeIterator<Item = ColumnText<'c>>) {
        self.message(b'T', |out| {
            put_count(columns.len(), out);
            for column in columns {
                put_text(column.name, out);
                // No table, and no place in one.
                out.extend_from_slice(&[0; 6]);
                out.extend_from_slice(&column.kind.oid().to_be_bytes());
                out.extend_from_slice(&column.kind.width().to_be_bytes());
                out.extend_from_slice(&column.kind.modifier().to_be_bytes());
                out.extend_from_slice(&u16::from(column.binary).to_be_bytes());
            }
        });
    }

    /// The types of a statement's parameters.
    pub(crate) fn parameters(&mut self, types: &[u32]) {
        self.message(b't', |out| {
            put_count(types.len(), out);
            types.iter().for_each(|oid| out.extend_from_slice(&oid.to_be_bytes()));
        });
    }

    /// An error (`E`) or a notice (`N`).
    pub(crate) fn trouble(&mut self, kind: u8, trouble: &Trouble) {
        self.message(kind, |out| {
            for (field, text) in trouble.fields() {
                out.push(field);
                put_text(&text, out);
            }
            out.push(0);
        });
    }
}

/// A text with a zero behind it. One that holds a zero ends there.
pub(crate) fn put_text(text: &str, out: &mut Vec<u8>) {
    out.extend(text.bytes().take_while(|byte| *byte != 0));
    out.push(0);
}

/// How many there are. Nobody has more columns or parameters than there is room for: both come from texts of their length.
pub(crate) fn put_count(count: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_are_taken_apart() {
        assert_eq!(said(b'Q', b"SELECT 1\0").unwrap(), Said::Query("SELECT 1".to_owned()));
        let parse = b"s\0SELECT $1\0\0\x01\0\0\0\x17";
        let types = vec![23];
        assert_eq!(
            said(b'P', parse).unwrap(),
            Said::Parse { name: "s".into(), text: "SELECT $1".into(), types }
        );
        let bind = b"\0s\0\0\x01\0\x01\0\x02\0\0\0\x01x\xff\xff\xff\xff\0\0";
        let values = vec![Some(b"x".to_vec()), None];
        let (portal, statement) = (String::new(), "s".to_owned());
        assert_eq!(
            said(b'B', bind).unwrap(),
            Said::Bind { portal, statement, formats: vec![1], values, results: vec![] }
        );
        assert_eq!(said(b'E', b"\0\0\0\0\x05").unwrap(), Said::Execute { portal: String::new(), rows: 5 });
        let startup = b"\0\x03\0\0user\0me\0database\0jobs\0\0";
        let parameters = vec![("user".into(), "me".into()), ("database".into(), "jobs".into())];
        assert_eq!(opening(startup).unwrap(), Opening::Startup { minor: 0, parameters });
        assert_eq!(opening(&80_877_103_u32.to_be_bytes()).unwrap(), Opening::Tls);
        for short in [&b"s\0SELECT"[..], b"s\0SELECT\0\xff\xff", b""] {
            assert!(said(b'P', short).is_err());
        }
        assert!(said(b'Q', b"a\0b").is_err() && said(b'Q', b"\xff\0").is_err());
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_a_message_is_taken_apart_or_refused(kind: u8, body: Vec<u8>) {
            let _ = said(kind, &body);
            let _ = opening(&body);
        }
    }
}
