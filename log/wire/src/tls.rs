//! TLS by `rustls`: whom to trust, and who this client is.

use crate::WireError;
use crate::config::Tls;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// What makes TLS connections.
///
/// # Errors
/// [`WireError::Config`] for certificates and keys that can't be read.
pub(crate) fn connector(tls: &Tls) -> Result<TlsConnector, WireError> {
    let provider = Arc::new(ring::default_provider());
    let refuse = |property: &str, reason: String| WireError::Config { property: property.to_owned(), reason };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| refuse("security.protocol", error.to_string()))?;
    let verifier: Arc<dyn ServerCertVerifier> = if tls.trust_anybody {
        Arc::new(Lenient { strict: None, provider: Arc::clone(&provider) })
    } else {
        let roots = Arc::new(roots(tls)?);
        let strict = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
        let strict = strict.map_err(|error| refuse("ssl.ca.pem", error.to_string()))?;
        match tls.any_name {
            false => strict,
            true => Arc::new(Lenient { strict: Some(strict), provider: Arc::clone(&provider) }),
        }
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let config = match identity(tls)? {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| refuse("ssl.key.pem", format!("does not go with the certificate: {error}")))?,
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

fn roots(tls: &Tls) -> Result<RootCertStore, WireError> {
    let mut roots = RootCertStore::empty();
    let mut certificates = Vec::new();
    if let Some(pem) = &tls.ca_pem {
        certificates.extend(read_certificates("ssl.ca.pem", pem)?);
    }
    if let Some(location) = &tls.ca_location {
        for pem in files(location)? {
            certificates.extend(read_certificates("ssl.ca.location", &pem)?);
        }
    }
    if tls.ca_pem.is_none() && tls.ca_location.is_none() {
        // A certificate of the system that can't be read leaves the others.
        certificates = rustls_native_certs::load_native_certs().certs;
    }
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        let reason =
            "no certificate to trust; give the cluster's in ssl.ca.pem or ssl.ca.location".to_owned();
        return Err(WireError::Config { property: "ssl.ca.pem".to_owned(), reason });
    }
    Ok(roots)
}

/// A file, or all files of a directory.
fn files(location: &str) -> Result<Vec<String>, WireError> {
    if !Path::new(location).is_dir() {
        return Ok(vec![read("ssl.ca.location", location)?]);
    }
    let failed = |error: std::io::Error| WireError::Config {
        property: "ssl.ca.location".to_owned(),
        reason: format!("{location}: {error}"),
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(location).map_err(failed)? {
        // Links to nowhere and files that are no text stand in such directories.
        files.extend(std::fs::read_to_string(entry.map_err(failed)?.path()).ok());
    }
    Ok(files)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(tls: &Tls) -> Result<Option<Identity>, WireError> {
    let text = |pem: &Option<String>, property: &str, location: &Option<String>| match (pem, location) {
        (Some(pem), _) => Ok(Some(pem.clone())),
        (None, Some(location)) => read(property, location).map(Some),
        (None, None) => Ok(None),
    };
    let chain = text(&tls.certificate_pem, "ssl.certificate.location", &tls.certificate_location)?;
    let key = text(&tls.key_pem, "ssl.key.location", &tls.key_location)?;
    let refuse = |property: &str, reason: &str| {
        Err(WireError::Config { property: property.to_owned(), reason: reason.to_owned() })
    };
    match (chain, key) {
        (None, None) => Ok(None),
        (Some(_), None) => refuse("ssl.key.pem", "needed with a certificate"),
        (None, Some(_)) => refuse("ssl.certificate.pem", "needed with a key"),
        (Some(chain), Some(key)) => {
            let chain = read_certificates("ssl.certificate.pem", &chain)?;
            match PrivateKeyDer::from_pem_slice(key.as_bytes()) {
                Ok(key) => Ok(Some((chain, key))),
                Err(_) => refuse("ssl.key.pem", "holds no key that can be read: PEM, not encrypted"),
            }
        }
    }
}

fn read(property: &str, location: &str) -> Result<String, WireError> {
    std::fs::read_to_string(location).map_err(|error| WireError::Config {
        property: property.to_owned(),
        reason: format!("{location}: {error}"),
    })
}

fn read_certificates(property: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>, WireError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(WireError::Config {
            property: property.to_owned(),
            reason: "holds no certificate in PEM".to_owned(),
        }),
    }
}

/// Takes a certificate for another name, or any at all.
#[derive(Debug)]
struct Lenient {
    strict: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(strict) = &self.strict else { return Ok(ServerCertVerified::assertion()) };
        let found = strict.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match found {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
