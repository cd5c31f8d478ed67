//! Frames on the socket, and the handshake before them.

use crate::LogError;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};

/// The largest frame, either way.
pub(crate) const FRAME_BYTES_MAX: usize = 16 << 20;
/// The versions of the protocol that this build speaks.
pub(crate) const VERSION_MIN: u16 = 1;
pub(crate) const VERSION_MAX: u16 = 1;
const MAGIC: [u8; 8] = *b"MSTRMLOG";
/// Instead of a version: the server has all the connections it takes.
const BUSY: u16 = u16::MAX;

/// Says hello as a client; fails with a sentence where the two can't talk.
pub(crate) fn greet(stream: &mut (impl Read + Write)) -> Result<(), LogError> {
    let lost = |error: io::Error| LogError::NotReady(format!("the log's owner does not answer: {error}"));
    stream.write_all(&hello(VERSION_MIN, VERSION_MAX)).map_err(lost)?;
    let (version, newest) = read_hello(stream).map_err(lost)?;
    match version {
        BUSY => Err(LogError::NotReady("the log's owner serves as many others as it can".to_owned())),
        VERSION_MIN..=VERSION_MAX => Ok(()),
        _ => Err(LogError::Unsupported(format!(
            "the process that owns the log speaks version {newest} of its protocol, this build \
             {VERSION_MIN} to {VERSION_MAX}: use the same build for both"
        ))),
    }
}

/// Answers a client's hello; `false` when the connection is not to go on.
pub(crate) fn answer_greeting(stream: &mut (impl Read + Write), busy: bool) -> io::Result<bool> {
    let (oldest, newest) = read_hello(stream)?;
    let version = match newest.min(VERSION_MAX) {
        _ if busy => BUSY,
        common if common >= oldest.max(VERSION_MIN) => common,
        _ => 0,
    };
    stream.write_all(&hello(version, VERSION_MAX))?;
    Ok((VERSION_MIN..=VERSION_MAX).contains(&version))
}

fn hello(first: u16, second: u16) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..10].copy_from_slice(&first.to_le_bytes());
    bytes[10..].copy_from_slice(&second.to_le_bytes());
    bytes
}

fn read_hello(stream: &mut impl Read) -> io::Result<(u16, u16)> {
    let mut bytes = [0; 12];
    stream.read_exact(&mut bytes)?;
    if bytes[..8] != MAGIC {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it does not speak the log's protocol"));
    }
    Ok((u16::from_le_bytes([bytes[8], bytes[9]]), u16::from_le_bytes([bytes[10], bytes[11]])))
}

/// Writes a frame.
///
/// # Errors
/// [`io::ErrorKind::FileTooLarge`], and nothing is written, when it would be beyond [`FRAME_BYTES_MAX`].
pub(crate) fn write(stream: &mut impl Write, head: &impl Serialize, body: &[Bytes]) -> io::Result<()> {
    let head = postcard::to_allocvec(head).map_err(io::Error::other)?;
    let length = 4 + head.len() + body.iter().map(Bytes::len).sum::<usize>();
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{length} bytes at once are more than the log's socket takes ({FRAME_BYTES_MAX})"),
        ));
    }
    let mut start = Vec::with_capacity(8 + head.len());
    start.extend((length as u32).to_le_bytes());
    start.extend((head.len() as u32).to_le_bytes());
    start.extend(&head);
    stream.write_all(&start)?;
    body.iter().try_for_each(|part| stream.write_all(part))
}

/// Reads a frame: its head, and its body.
pub(crate) fn read<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<(T, Bytes)> {
    let malformed = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if !(4..=FRAME_BYTES_MAX).contains(&length) {
        return Err(malformed("a frame of an impossible length"));
    }
    let mut frame = Vec::new();
    // Room is made as bytes come: a length alone allocates nothing.
    stream.take(length as u64).read_to_end(&mut frame)?;
    if frame.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let frame = Bytes::from(frame);
    let head_length = frame.first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes)) as usize;
    let head_end = head_length.checked_add(4).filter(|end| *end <= length);
    let head_end = head_end.ok_or_else(|| malformed("a head longer than its frame"))?;
    let head = postcard::from_bytes(&frame[4..head_end]).map_err(|_| malformed("a head that is none"))?;
    Ok((head, frame.slice(head_end..)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frames_come_back() {
        let mut wire = Vec::new();
        let body = [Bytes::from_static(b"ab"), Bytes::new(), Bytes::from_static(b"c")];
        write(&mut wire, &("head".to_owned(), 7u32), &body).expect("written");
        let ((name, number), body): ((String, u32), Bytes) = read(&mut wire.as_slice()).expect("read");
        assert_eq!((name.as_str(), number, &body[..]), ("head", 7, &b"abc"[..]));
        for cut in 0..wire.len() {
            assert!(read::<(String, u32)>(&mut &wire[..cut]).is_err(), "cut at {cut}");
        }
        let large = [Bytes::from(vec![0; FRAME_BYTES_MAX])];
        let mut wire = Vec::new();
        let refused = write(&mut wire, &0u8, &large).expect_err("too large");
        assert_eq!((refused.kind(), wire.len()), (io::ErrorKind::FileTooLarge, 0));
    }

    proptest! {
        #[test]
        fn noise_is_refused_and_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = read::<(String, u32, Vec<u64>)>(&mut bytes.as_slice());
        }
    }

    /// Both sides of a conversation in memory.
    struct Wire<'a> {
        input: &'a [u8],
        output: Vec<u8>,
    }

    impl Read for Wire<'_> {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            self.input.read(bytes)
        }
    }

    impl Write for Wire<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.output.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn versions_have_to_meet() {
        let served = |oldest, newest, busy| {
            let mut server = Wire { input: &hello(oldest, newest), output: Vec::new() };
            let goes_on = answer_greeting(&mut server, busy).expect("answered");
            let mut client = Wire { input: &server.output, output: Vec::new() };
            (goes_on, greet(&mut client))
        };
        assert_eq!(served(1, 1, false), (true, Ok(())));
        assert_eq!(served(1, 9, false), (true, Ok(())));
        let (goes_on, newer) = served(2, 3, false);
        assert!(!goes_on && matches!(newer, Err(LogError::Unsupported(_))), "{newer:?}");
        let (goes_on, busy) = served(1, 1, true);
        assert!(!goes_on && matches!(busy, Err(LogError::NotReady(_))), "{busy:?}");
        let mut stranger = Wire { input: b"GET / HTTP/1.1\r\n", output: Vec::new() };
        assert!(answer_greeting(&mut stranger, false).is_err());
    }

    /// The head of a frame says how many entries its lists have.
    #[test]
    fn a_damaged_frame_costs_no_more_than_its_bytes() {
        use super::super::messages::{Place, Request, Response};
        use crate::TopicPartition;
        use millstream_test_support::mutation::survives;
        let places = || -> Vec<Place> {
            ["a", "bc", "d"].iter().map(|topic| (&TopicPartition::new(*topic, 7)).into()).collect()
        };
        let wire = |head: &dyn Fn(&mut Vec<u8>)| {
            let mut wire = Vec::new();
            head(&mut wire);
            wire
        };
        let body = [Bytes::from_static(b"some records")];
        let write_to = Request::Write(places().into_iter().map(|place| (place, 4)).collect());
        let asked = wire(&|wire| write(wire, &write_to, &body).expect("written"));
        survives("request", &asked, 300, |mut bytes| drop(read::<Request>(&mut bytes)));
        let config = [("retention.ms".to_owned(), "5".to_owned())].into();
        let create = Request::CreateTopic { name: "t".to_owned(), partitions: 3, config };
        let asked = wire(&|wire| write(wire, &create, &[]).expect("written"));
        survives("request with a map", &asked, 300, |mut bytes| drop(read::<Request>(&mut bytes)));
        let batches = places().into_iter().map(|place| (place, 5, 4)).collect();
        let statuses = places().into_iter().map(|place| (place, 5, 6)).collect();
        let polled = Response::Polled { batches, statuses, failure: None };
        let answered = wire(&|wire| write(wire, &polled, &body).expect("written"));
        survives("response", &answered, 300, |mut bytes| drop(read::<Response>(&mut bytes)));
    }
}
