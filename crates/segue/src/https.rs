//! The HTTP client for what Segue sends besides files: alerts and traces.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::failure::{Failure, Kind};

/// Keeps connections and follows no redirect.
pub(crate) type Https = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Makes a client that trusts what the machine trusts.
///
/// # Errors
/// The machine's certificates cannot be read.
pub(crate) fn client() -> Result<Https, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::from_error(Kind::Internal, error);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_native_roots()
        .map_err(|error| failed(&error))?
        .with_no_client_auth();
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}
