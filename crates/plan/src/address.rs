//! Addresses that no service is at, by whatever name they are reached.

use std::net::{IpAddr, Ipv6Addr};

/// Where instances of EC2 ask for their own credentials over IPv6.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Tells whether no service can be at an address. Machines ask link-local addresses for their own
/// credentials, and unspecified and multicast ones belong to nobody.
pub fn is_forbidden(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let is_link_local = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address == METADATA_V6,
    };
    is_link_local || address.is_unspecified() || address.is_multicast()
}

/// Tells whether a name is below `localhost`, and hence this machine, whatever a name server says
/// (RFC 6761, section 6.3).
pub fn is_below_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.len().checked_sub(".localhost".len());
    last.is_some_and(|at| {
        at > 0 && name.is_char_boundary(at) && name[at..].eq_ignore_ascii_case(".localhost")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_below_localhost() {
        for (name, is_below) in [
            ("exports.localhost", true),
            ("exports.s3.LOCALHOST.", true),
            ("localhost", false),
            (".localhost", false),
            ("notlocalhost", false),
            ("localhost.example.com", false),
            ("é.localhost", true),
            ("", false),
        ] {
            assert_eq!(is_below_localhost(name), is_below, "{name}");
        }
    }

    #[test]
    fn addresses_of_machines_and_of_nobody() {
        for (address, is_forbidden_there) in [
            ("127.0.0.1", false),
            ("10.0.0.1", false),
            ("52.216.1.1", false),
            ("::1", false),
            ("fd00::1", false),
            ("169.254.169.254", true),
            ("::ffff:169.254.169.254", true),
            ("fd00:ec2::254", true),
            ("fe80::1", true),
            ("0.0.0.0", true),
            ("::", true),
            ("224.0.0.1", true),
            ("255.255.255.255", true),
            ("ff02::1", true),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(is_forbidden(address), is_forbidden_there, "{address}");
        }
    }
}
