//! TLS of servers that this command runs, and of those that it asks.

use super::Failure;
use clap::Args;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};

/// Longer files are no certificates.
const BYTES_MAX: u64 = 4 << 20;

/// Of a server.
#[derive(Debug, Clone, Args)]
pub(crate) struct TlsArgs {
    /// File with the certificate of the servers for HTTP and PostgreSQL, and those that vouch for it, in PEM: they then speak
    /// TLS, and nothing else. It is read at the start
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// File with the key of that certificate, in PEM, not encrypted; needed with it
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
}

impl TlsArgs {
    /// How URLs of the server begin.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls_cert.is_some() { "https" } else { "http" }
    }

    /// What the servers show, if they are to speak TLS. What is agreed on above TLS is `protocol`, where clients ask.
    ///
    /// # Errors
    /// For files that are no certificate and key, or not of each other.
    pub(crate) fn server(&self, protocol: &[u8]) -> Result<Option<Arc<ServerConfig>>, Failure> {
        let (certificate, key) = match (&self.tls_cert, &self.tls_key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate, key),
            _ => return Err(Failure::Usage("--tls-cert and --tls-key go together: give both".to_owned())),
        };
        let chain = certificates(certificate)?;
        let secret = PrivateKeyDer::from_pem_slice(&read(key)?)
            .map_err(|_| wrong(key, "it holds no key that can be read: PEM, not encrypted"))?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| Failure::Usage(format!("TLS: {error}")))?;
        let config = builder.with_no_client_auth().with_single_cert(chain, secret);
        let mut config = config.map_err(|error| {
            wrong(key, &format!("it does not go with {}: {error}", certificate.display()))
        })?;
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(Some(Arc::new(config)))
    }
}

/// A connection to a server that has to be `host`, by a certificate of the system's, or by one in `ca`.
///
/// # Errors
/// For a file that holds no certificate, and names that can't be in one.
pub(crate) fn secured(
    socket: TcpStream,
    host: &str,
    ca: Option<&Path>,
) -> Result<StreamOwned<ClientConnection, TcpStream>, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(match ca {
        Some(file) => certificates(file)?,
        // One that can't be read leaves the others.
        None => rustls_native_certs::load_native_certs().certs,
    });
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Failure::Usage(format!("TLS: {error}")))?;
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Failure::Usage(format!("{host} can't be the name of a server with a certificate")))?;
    let client = ClientConnection::new(Arc::new(config), name);
    Ok(StreamOwned::new(client.map_err(|error| Failure::Io(format!("{host}: {error}")))?, socket))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let pem = read(file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(wrong(file, "it holds no certificate in PEM")),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let metadata = std::fs::metadata(file).map_err(|error| wrong(file, &error.to_string()))?;
    match metadata.len() > BYTES_MAX {
        true => Err(wrong(file, "it is too long for a certificate or a key")),
        false => std::fs::read(file).map_err(|error| wrong(file, &error.to_string())),
    }
}

fn wrong(file: &Path, why: &str) -> Failure {
    Failure::Usage(format!("{}: {why}", file.display()))
}
