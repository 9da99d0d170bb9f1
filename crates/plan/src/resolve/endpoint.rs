//! The address of an S3-compatible service: scheme, host and port, and nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::address;

/// An address that was checked.
#[derive(Debug, PartialEq)]
pub(super) struct Endpoint {
    /// Without a slash at the end.
    pub url: String,
    /// Whether requests would leave the machine without encryption.
    pub is_plain_and_far: bool,
}

/// Why an address is refused. Nothing of the address is repeated: it may hold a password.
#[derive(Debug, PartialEq)]
pub(super) struct Refused {
    pub message: &'static str,
    pub hint: &'static str,
}

const EXAMPLE: &str = "Write for example `https://minio.example.com:9000`.";

fn refused(message: &'static str, hint: &'static str) -> Refused {
    Refused { message, hint }
}

pub(super) fn check(url: &str) -> Result<Endpoint, Refused> {
    let (scheme, rest) =
        url.split_once("://").ok_or(refused("the address has no scheme", EXAMPLE))?;
    if !matches!(scheme, "http" | "https") {
        return Err(refused("the address is neither http nor https", EXAMPLE));
    }
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains('@') {
        let hint = "Put credentials into `auth:`, from variables.";
        return Err(refused("the address holds a user", hint));
    }
    if !matches!(path, "" | "/") {
        let hint = "Give scheme, host and port only; the folder belongs to the destination.";
        return Err(refused("the address holds more than a host", hint));
    }
    let (host, port) = split_port(authority)?;
    if port.is_some_and(|port| port.parse::<u16>().is_err() || port.starts_with(['0', '+'])) {
        return Err(refused("the port is not a number from 1 to 65535", EXAMPLE));
    }
    let is_near = check_host(host)?;
    Ok(Endpoint {
        url: format!("{scheme}://{authority}"),
        is_plain_and_far: scheme == "http" && !is_near,
    })
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), Refused> {
    if authority.starts_with('[') {
        let end = authority.find(']').ok_or(refused("the address has no `]`", EXAMPLE))?;
        let (host, rest) = authority.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(refused("the address holds more than a host", EXAMPLE)),
        };
    }
    Ok(match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    })
}

/// Tells whether the host is this machine.
fn check_host(host: &str) -> Result<bool, Refused> {
    if let Some(inside) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let hint = "Write a plain IPv6 address without a zone, or a name.";
        let address: Ipv6Addr =
            inside.parse().map_err(|_| refused("this is not an IPv6 address", hint))?;
        return check_address(IpAddr::V6(address).to_canonical());
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if host.is_empty() || !host.chars().all(allowed) || host.starts_with(['.', '-']) {
        let hint = "Use letters, digits, `-` and `.`; write other scripts as `xn--…`.";
        return Err(refused("this is not the name of a host", hint));
    }
    // Browsers and libraries read `2852039166` and `0x7f.1` as addresses; here they must be
    // written so that a person can see what they are.
    let name = host.trim_end_matches('.');
    let last = name.rsplit('.').next().unwrap_or(name);
    let numeric = last.starts_with(|c: char| c.is_ascii_digit())
        && (last.starts_with("0x") || last.chars().all(|c| c.is_ascii_digit()));
    if numeric {
        let hint = "Write the address as four numbers, `192.168.1.10`, or use a name.";
        let address: Ipv4Addr =
            host.parse().map_err(|_| refused("this is not an IPv4 address", hint))?;
        return check_address(IpAddr::V4(address));
    }
    Ok(name.eq_ignore_ascii_case("localhost") || address::is_below_localhost(name))
}

fn check_address(address: IpAddr) -> Result<bool, Refused> {
    match address::is_forbidden(address) {
        true => Err(refused("no service can be at this address", EXAMPLE)),
        false => Ok(address.is_loopback()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_services_are_accepted() {
        let cases = [
            ("https://s3.example.com", "https://s3.example.com", false),
            ("https://s3.example.com/", "https://s3.example.com", false),
            ("http://minio_1:9000", "http://minio_1:9000", true),
            ("http://localhost:9000", "http://localhost:9000", false),
            ("http://localhost.:9000", "http://localhost.:9000", false),
            ("http://s3.localhost:9000", "http://s3.localhost:9000", false),
            ("http://localhost.example.com", "http://localhost.example.com", true),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000", false),
            ("http://[::1]:9000", "http://[::1]:9000", false),
            ("http://[::ffff:127.0.0.1]", "http://[::ffff:127.0.0.1]", false),
            ("https://192.168.1.10:9000/", "https://192.168.1.10:9000", false),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example", false),
        ];
        for (url, expected, is_plain_and_far) in cases {
            let expected = Endpoint { url: expected.to_owned(), is_plain_and_far };
            assert_eq!(check(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn tricks_are_refused() {
        let cases = [
            ("s3.example.com", "the address has no scheme"),
            ("", "the address has no scheme"),
            ("file:///etc/passwd", "the address is neither http nor https"),
            ("gopher://x", "the address is neither http nor https"),
            ("https://user:pw@evil", "the address holds a user"),
            ("https://x@evil", "the address holds a user"),
            ("http://a#@b", "the address holds more than a host"),
            ("https://a/b", "the address holds more than a host"),
            ("https://a?x", "the address holds more than a host"),
            ("https://a\\b", "the address holds more than a host"),
            ("https://", "this is not the name of a host"),
            ("https://bücher.example", "this is not the name of a host"),
            ("https://a b", "this is not the name of a host"),
            ("http://169.254.169.254", "no service can be at this address"),
            ("http://[::ffff:169.254.169.254]", "no service can be at this address"),
            ("http://[fd00:ec2::254]", "no service can be at this address"),
            ("http://[fe80::1%25eth0]", "this is not an IPv6 address"),
            ("http://[::1", "the address has no `]`"),
            ("http://[::1]x", "the address holds more than a host"),
            ("http://0.0.0.0", "no service can be at this address"),
            ("http://2852039166", "this is not an IPv4 address"),
            ("http://0x7f.1", "this is not an IPv4 address"),
            ("http://127.1", "this is not an IPv4 address"),
            ("http://0", "this is not an IPv4 address"),
            ("http://0x7f000001", "this is not an IPv4 address"),
            ("http://a:0", "the port is not a number from 1 to 65535"),
            ("http://a:", "the port is not a number from 1 to 65535"),
            ("http://a:99999", "the port is not a number from 1 to 65535"),
            ("http://a:b", "the port is not a number from 1 to 65535"),
        ];
        for (url, message) in cases {
            assert_eq!(check(url).map_err(|refused| refused.message), Err(message), "{url}");
        }
    }
}
