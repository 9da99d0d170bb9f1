//! How connections are made: over TLS with aws-lc, through the proxies of the environment, and to
//! addresses only that a service can be at. A name is resolved once, every address of it is looked at,
//! and the connection goes to those that were looked at; so no name server leads anybody to where
//! machines give away their own credentials.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use plan::address;

use super::trust::Trust;

/// Makes what a client connects with; each client has connections of its own.
pub(super) fn http_client(trust: Option<&Trust>) -> SharedHttpClient {
    let context = trust.map(Trust::context);
    Builder::new().build_with_connector_fn(move |settings, components| {
        let provider = Provider::Rustls(CryptoMode::AwsLc);
        let mut connector = ConnectorBuilder::default().tls_provider(provider);
        if let Some(context) = &context {
            connector = connector.tls_context(context.clone());
        }
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build_with_resolver(Names)
    })
}

/// Names, as the machine resolves them; those below `localhost` are the machine itself, which not every
/// machine knows (RFC 6761).
#[derive(Debug, Clone)]
struct Names;

impl ResolveDns for Names {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            if address::is_below_localhost(name) {
                return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
            }
            let found = tokio::net::lookup_host((name, 0)).await.map_err(ResolveDnsError::new)?;
            let found = found.map(|address| address.ip());
            permitted(found.collect()).map_err(ResolveDnsError::new)
        })
    }
}

/// A name that leads to where no service can be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forbidden;

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name leads to an address that no service can be at")
    }
}

impl std::error::Error for Forbidden {}

/// Lets the addresses of a name through if there is nothing wrong with any of them.
fn permitted(found: Vec<IpAddr>) -> Result<Vec<IpAddr>, Forbidden> {
    match found.iter().copied().any(address::is_forbidden) {
        true => Err(Forbidden),
        false => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_that_is_forbidden_is_enough() {
        let addresses = |texts: &[&str]| -> Vec<IpAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let good = addresses(&["127.0.0.1", "10.1.2.3"]);
        assert_eq!(permitted(good.clone()), Ok(good));
        assert_eq!(permitted(addresses(&["10.1.2.3", "169.254.169.254"])), Err(Forbidden));
    }

    #[tokio::test]
    async fn names_are_resolved_as_the_machine_does() {
        let found = Names.resolve_dns("localhost").await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
        let below = Names.resolve_dns("exports.s3.localhost").await.unwrap();
        assert!(!below.is_empty() && below.iter().all(IpAddr::is_loopback), "{below:?}");
    }
}
