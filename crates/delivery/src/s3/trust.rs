//! The certificates that a service is trusted by, when they are not those of the machine.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::error::Error;

/// Certificates of one's own certificate authority.
#[derive(Debug, Clone)]
pub struct Trust {
    context: TlsContext,
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
        let store = TrustStore::empty().with_pem_certificate(pem.to_vec());
        let context = TlsContext::builder().with_trust_store(store).build();
        Ok(Self { context: context.map_err(|_| refused("cannot be used"))? })
    }

    pub(super) fn context(&self) -> TlsContext {
        self.context.clone()
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
