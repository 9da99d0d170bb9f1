//! Buckets with a host of their own: `http://exports.s3.localhost:40123/key` is
//! `http://127.0.0.1:40123/exports/key`. Any other host is asked path-style.

use http::{HeaderMap, header};
use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// Below it each bucket has a host. Names under `localhost` are this machine (RFC 6761).
pub(crate) const DOMAIN: &str = "s3.localhost";

/// The bucket that a request's host names, if it names one.
pub(crate) fn bucket(headers: &HeaderMap) -> Option<&str> {
    bucket_of(headers.get(header::HOST)?.to_str().ok()?)
}

fn bucket_of(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.strip_suffix(DOMAIN)?.strip_suffix('.')
}

/// The same for the protocol layer.
pub(crate) struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let found = VirtualHost::new(host);
        Ok(match bucket_of(host) {
            Some(bucket) => found.with_bucket(bucket),
            None => found,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_below_the_domain_names_a_bucket() {
        for (host, bucket) in [
            ("exports.s3.localhost:9000", Some("exports")),
            ("a.b.s3.localhost", Some("a.b")),
            ("s3.localhost:9000", None),
            ("127.0.0.1:9000", None),
            ("[::1]:9000", None),
            ("exports.example.com", None),
        ] {
            assert_eq!(bucket_of(host), bucket, "{host}");
        }
    }
}
