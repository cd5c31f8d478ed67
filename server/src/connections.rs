//! Connections: so many at once, and none for longer than it says something; over TLS where the server has a certificate.

use axum::serve::Listener;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

/// How many connections there are at once. Further ones wait until one is closed.
pub(crate) const CONNECTIONS_MAX: usize = 256;
/// A connection on which nothing comes for so long is closed: one that begins a request and does not end it, too.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// A listener with a place for each connection.
pub(crate) struct Places {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
}

impl Places {
    pub(crate) fn new(listener: TcpListener, tls: Option<Arc<ServerConfig>>) -> Self {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Places { listener, tls: tls.map(TlsAcceptor::from), places }
    }
}

impl Listener for Places {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            // The semaphore is never closed.
            let place = Arc::clone(&self.places).acquire_owned().await.ok();
            let (stream, from) = Listener::accept(&mut self.listener).await;
            let silence = Box::pin(tokio::time::sleep(SILENCE_MAX));
            let stream = match &self.tls {
                None => Stream::Plain(stream),
                Some(tls) => Stream::Opening(Box::new(tls.accept(stream))),
            };
            if let Some(place) = place {
                return (Connection { stream, silence, _place: place }, from);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// What bytes come and go over.
enum Stream {
    Plain(TcpStream),
    /// TLS that is being agreed on: by whoever reads first, so that nobody else waits for it.
    Opening(Box<Accept<TcpStream>>),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection that holds a place.
pub(crate) struct Connection {
    stream: Stream,
    silence: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    /// Goes on with agreeing on TLS, where that is not done.
    fn open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Stream::Opening(opening) = &mut self.stream {
            match Pin::new(opening.as_mut()).poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(opened) => self.stream = Stream::Tls(Box::new(opened?)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = match self.open(cx) {
            Poll::Ready(Ok(())) => match &mut self.stream {
                Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
                Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
                Stream::Opening(_) => Poll::Pending,
            },
            other => other,
        };
        if read.is_ready() {
            self.silence.as_mut().reset(Instant::now() + SILENCE_MAX);
            return read;
        }
        match self.silence.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.silence.as_mut().reset(Instant::now() + SILENCE_MAX);
        ready!(self.open(cx))?;
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
            Stream::Opening(_) => Poll::Pending,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
            // Nothing was written.
            Stream::Opening(_) => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            Stream::Opening(_) => Poll::Ready(Ok(())),
        }
    }
}
