//! A connection: messages in, messages out, none too long and none waited for for ever.

use crate::error::Trouble;
use crate::message::{Outgoing, STARTUP_BYTES_MAX};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// How long a client may take to read what it is sent.
const WRITE_MAX: Duration = Duration::from_secs(30);
/// How long a message may take from its first byte to its last.
const BODY_MAX: Duration = Duration::from_secs(30);
/// What is collected before it is sent.
const CHUNK_BYTES: usize = 64 << 10;

/// What bytes come and go over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Why there is no message.
#[derive(Debug)]
pub(crate) enum Lost {
    /// The client is gone, or reads nothing.
    Gone,
    /// It is told why, and then the connection ends.
    Told(Trouble),
}

impl From<Trouble> for Lost {
    fn from(trouble: Trouble) -> Self {
        Lost::Told(trouble)
    }
}

/// A connection.
pub(crate) struct Wire {
    stream: BufReader<Box<dyn Stream>>,
    pub(crate) out: Outgoing,
}

impl Wire {
    pub(crate) fn new(stream: Box<dyn Stream>) -> Self {
        Wire { stream: BufReader::new(stream), out: Outgoing::default() }
    }

    /// Goes on over TLS, with a client that was told so.
    ///
    /// # Errors
    /// When it does not agree, or has said more before it could know: that was nobody's it could trust.
    pub(crate) async fn secure(&mut self, tls: &TlsAcceptor) -> Result<(), Lost> {
        if !self.stream.buffer().is_empty() {
            return Err(Trouble::protocol("something was sent in front of TLS").into());
        }
        let closed: Box<dyn Stream> = Box::new(tokio::io::empty());
        let open = std::mem::replace(&mut self.stream, BufReader::new(closed)).into_inner();
        let secured = timeout(BODY_MAX, tls.accept(open)).await;
        let secured = secured.map_err(|_| Lost::Gone)?.map_err(|_| Lost::Gone)?;
        let secured: Box<dyn Stream> = Box::new(secured);
        self.stream = BufReader::new(secured);
        Ok(())
    }

    /// The body of a first message: one without a byte that says what it is.
    pub(crate) async fn opening(&mut self) -> Result<Vec<u8>, Lost> {
        let length = self.stream.read_u32().await.map_err(|_| Lost::Gone)?;
        self.body(length, STARTUP_BYTES_MAX).await
    }

    /// The next message of at most `most` bytes, if it begins within `patience`.
    pub(crate) async fn message(&mut self, most: usize, patience: Duration) -> Result<(u8, Vec<u8>), Lost> {
        let kind = match timeout(patience, self.stream.read_u8()).await {
            Ok(kind) => kind.map_err(|_| Lost::Gone)?,
            Err(_) => return Err(Trouble::fatal("57P05", "nothing was asked for too long").into()),
        };
        let rest = async {
            let length = self.stream.read_u32().await.map_err(|_| Lost::Gone)?;
            self.body(length, most).await
        };
        match timeout(BODY_MAX, rest).await {
            Ok(body) => Ok((kind, body?)),
            Err(_) => Err(Trouble::protocol("a message does not end").into()),
        }
    }

    /// A body whose length, which counts itself, was read. Room is made as its bytes come.
    async fn body(&mut self, length: u32, most: usize) -> Result<Vec<u8>, Lost> {
        let length = usize::try_from(length).ok().and_then(|length| length.checked_sub(4));
        let Some(length) = length.filter(|length| *length <= most) else {
            return Err(Trouble::protocol(format!(
                "a message has a length that it can't have; {most} bytes at most"
            ))
            .into());
        };
        let mut body = Vec::new();
        let mut bytes = (&mut self.stream).take(length as u64);
        bytes.read_to_end(&mut body).await.map_err(|_| Lost::Gone)?;
        if body.len() == length { Ok(body) } else { Err(Lost::Gone) }
    }

    /// Sends what was written.
    pub(crate) async fn flush(&mut self) -> Result<(), Lost> {
        let write = async {
            self.stream.write_all(&self.out.bytes).await?;
            self.stream.flush().await
        };
        let written = timeout(WRITE_MAX, write).await;
        self.out.bytes.clear();
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Lost::Gone),
        }
    }

    /// Sends what was written once it is much.
    pub(crate) async fn flush_much(&mut self) -> Result<(), Lost> {
        if self.out.bytes.len() < CHUNK_BYTES { Ok(()) } else { self.flush().await }
    }

    /// Sends bytes that are no message.
    pub(crate) async fn byte(&mut self, byte: u8) -> Result<(), Lost> {
        self.out.bytes.push(byte);
        self.flush().await
    }

    /// Ends when the client goes; never while it has said something that nobody has read yet.
    pub(crate) async fn gone(&mut self) {
        match self.stream.fill_buf().await {
            Ok([]) | Err(_) => {}
            Ok(_) => std::future::pending().await,
        }
    }

    /// Says why a connection ends.
    pub(crate) async fn end(&mut self, lost: Lost) {
        if let Lost::Told(trouble) = lost {
            self.out.trouble(b'E', &trouble);
            // Who does not read it is not told.
            let _ = self.flush().await;
        }
    }
}
