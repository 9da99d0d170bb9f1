//! Requests to other machines over HTTP, with the certificates that this machine trusts.

use std::sync::Arc;

use bytes::Bytes;
use http::Uri;
use http_body_util::Full;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::failure::{Failure, Kind};

/// What sends requests.
pub(crate) type Sender = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Makes what sends requests. It follows no redirect: that would take them elsewhere.
///
/// # Errors
/// The machine has no certificates to trust.
pub(crate) fn sender() -> Result<Sender, Failure> {
    Ok(Client::builder(TokioExecutor::new()).build(connector()?))
}

/// Makes what connects.
///
/// # Errors
/// As for [`sender`].
pub(crate) fn connector() -> Result<HttpsConnector<HttpConnector>, Failure> {
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls()?);
    Ok(builder.https_or_http().enable_http1().build())
}

/// How connections are encrypted: the certificates that this machine trusts, and no others.
///
/// # Errors
/// There are none.
pub(crate) fn tls() -> Result<rustls::ClientConfig, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::from_error(Kind::Internal, error);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_native_roots()
        .map_err(|error| failed(&error))?;
    Ok(config.with_no_client_auth())
}

/// Reads the URL of something that secrets are sent to, called `what` in messages.
///
/// # Errors
/// It is none, or would take them beyond this machine in the clear.
pub(crate) fn url(what: &str, url: &str) -> Result<Uri, Failure> {
    let uri: Uri = url
        .parse()
        .ok()
        .filter(|uri: &Uri| {
            matches!(uri.scheme_str(), Some("https" | "http")) && uri.host().is_some()
        })
        .ok_or_else(|| Failure::usage(format!("the {what} is no http or https URL")))?;
    let is_here = matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if uri.scheme_str() == Some("http") && !is_here {
        return Err(Failure::usage(format!("the {what} is beyond this machine and not https")));
    }
    Ok(uri)
}
