//! Checks the addresses from which an integration accepts requests. The check is off unless configured, and the same
//! for every source.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

/// Whether requests from the address are accepted. An unknown address is on no list.
pub(crate) fn is_allowed(allowed: &[String], address: Option<&str>) -> bool {
    if allowed.is_empty() {
        return true;
    }
    let address =
        address.and_then(|address| address.trim().parse::<IpAddr>().ok()).map(|address| address.to_canonical());
    address.is_some_and(|address| allowed.iter().any(|one| matches(one.trim(), address)))
}

/// Whether `address` matches an entry of the list: an address, `123.12.1.*`, or a network.
fn matches(allowed: &str, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) if allowed.contains('*') => matches_wildcard(allowed, address),
        _ => match allowed.parse::<IpNet>() {
            Ok(network) => network.contains(&address),
            Err(_) => allowed.parse::<IpAddr>().is_ok_and(|allowed| allowed.to_canonical() == address),
        },
    }
}

fn matches_wildcard(allowed: &str, address: Ipv4Addr) -> bool {
    let parts: Vec<&str> = allowed.split('.').collect();
    let matches = |(part, octet): (&&str, u8)| *part == "*" || part.parse() == Ok(octet);
    parts.len() == 4 && parts.iter().zip(address.octets()).all(matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_addresses_wildcards_and_networks() {
        for (allowed, address, expected) in [
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.70", false),
            ("123.12.1.*", "123.12.1.200", true),
            ("123.12.1.*", "123.12.10.2", false),
            ("123.12.*.*", "123.12.10.2", true),
            ("203.0.113.0/24", "203.0.113.255", true),
            ("203.0.113.0/24", "203.0.114.0", false),
            ("203.0.113.0/24", "::ffff:203.0.113.9", true),
            ("2001:db8::/32", "2001:db8::1", true),
            ("2001:db8::/32", "203.0.113.7", false),
            ("123.12.*", "123.12.1.1", false),
            ("nonsense", "203.0.113.7", false),
        ] {
            assert_eq!(is_allowed(&[allowed.to_owned()], Some(address)), expected, "{allowed} {address}");
        }
        assert!(is_allowed(&[], None));
        assert!(!is_allowed(&["0.0.0.0/0".to_owned()], None));
        assert!(!is_allowed(&["0.0.0.0/0".to_owned()], Some("unknown")));
    }
}
