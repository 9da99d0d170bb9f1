//! The certificates that a service is trusted by, when they are not those of the machine.

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::error::Error;

/// Certificates of one's own certificate authority.
#[derive(Debug, Clone)]
pub struct Trust {
    pem: Vec<u8>,
}

impl Trust {
    /// Reads certificates from a PEM file's content; `name` is that of the file, for messages.
    ///
    /// # Errors
    /// When there is no certificate in it, or one that cannot be read.
    pub fn from_pem(name: &str, pem: &[u8]) -> Result<Self, Error> {
        let refused = |problem| Error::Certificates { name: name.to_owned(), problem };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| refused("holds a damaged certificate"))?;
            roots.add(certificate).map_err(|_| refused("holds a damaged certificate"))?;
        }
        if roots.is_empty() {
            return Err(refused("holds no certificate"));
        }
        Ok(Self { pem: pem.to_vec() })
    }

    pub(super) fn http_client(&self) -> Option<SharedHttpClient> {
        let store = TrustStore::empty().with_pem_certificate(self.pem.clone());
        let context = TlsContext::builder().with_trust_store(store).build().ok()?;
        let provider = Provider::Rustls(CryptoMode::AwsLc);
        Some(Builder::new().tls_provider(provider).tls_context(context).build_https())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused() {
        for (pem, problem) in [
            ("", "ca.pem holds no certificate"),
            ("hello", "ca.pem holds no certificate"),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "ca.pem holds a damaged certificate",
            ),
        ] {
            let error = Trust::from_pem("ca.pem", pem.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), problem);
            assert!(error.hint().is_some());
        }
    }
}
