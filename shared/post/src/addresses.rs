//! Looks up names and returns only public addresses.
//!
//! In a function, loopback and link-local addresses are dangerous, because they lead to its own credentials. The check
//! is between look-up and connection, so no second look-up can give another address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

#[derive(Debug, thiserror::Error)]
#[error("the name stands for no public address")]
struct NotPublic;

/// Looks up names. Names in `exempt`, which the deployment itself has set, may have any address.
#[derive(Debug, Clone)]
pub(crate) struct PublicOnly {
    pub(crate) exempt: Vec<String>,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let is_exempt = self.exempt.iter().any(|exempt| exempt.eq_ignore_ascii_case(name.as_str()));
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Addrs = Box::new(usable(found, is_exempt)?.into_iter());
            Ok(addresses)
        })
    }
}

/// The addresses of a look-up that may be connected to. Nothing is cached: the next connection looks the name up again.
fn usable(found: impl Iterator<Item = SocketAddr>, is_exempt: bool) -> Result<Vec<SocketAddr>, NotPublic> {
    let usable: Vec<SocketAddr> = found.filter(|found| is_exempt || is_public(found.ip())).collect();
    if usable.is_empty() { Err(NotPublic) } else { Ok(usable) }
}

/// Whether the address is public by IANA's registries of special-purpose addresses, read 2026-11-22.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., _, _) // this network, private, loopback; multicast, reserved and broadcast
            | (100, 64..=127, _) // behind a provider's NAT
            | (169, 254, _) // link-local: a cloud's metadata
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2) // protocol assignments, documentation
            | (192, 88, 99) // 6to4 relays
            | (198, 18..=19, _) // benchmarks
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

/// Only global unicast (`2000::/3`), without ranges that lead to an IPv4 address or are not assigned. NAT64, mapped,
/// local and multicast addresses are outside of it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let is_global = a & 0xe000 == 0x2000;
    let is_special = (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) // Teredo, ORCHID, documentation …
        || a == 0x2002 // 6to4
        || (a == 0x3fff && b < 0x1000); // documentation
    is_global && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves: fault 57, fault 63
    #[test]
    fn a_name_that_was_public_at_one_look_up_is_refused_when_the_next_one_says_otherwise() {
        let found = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| SocketAddr::new(text.parse().expect("an address"), 443)).collect()
        };
        let connects_to = |texts: &[&str]| usable(found(texts).into_iter(), false).ok();
        assert_eq!(connects_to(&["8.8.8.8"]), Some(found(&["8.8.8.8"])));
        assert_eq!(connects_to(&["127.0.0.1"]), None);
        assert_eq!(connects_to(&["::ffff:169.254.169.254", "10.0.0.1"]), None);
        assert_eq!(connects_to(&["10.0.0.1", "8.8.8.8", "::1"]), Some(found(&["8.8.8.8"])));
        assert_eq!(usable(found(&["127.0.0.1"]).into_iter(), true).ok(), Some(found(&["127.0.0.1"])));
    }

    #[test]
    fn only_public_addresses_are_connected_to() {
        for (text, public) in [
            ("8.8.8.8", true),
            ("172.15.0.1", true),
            ("172.32.0.1", true),
            ("100.63.255.255", true),
            ("192.0.1.1", true),
            ("223.255.255.255", true),
            ("0.0.0.0", false),
            ("10.0.0.1", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("127.0.0.1", false),
            ("127.255.0.1", false),
            ("169.254.169.254", false),
            ("169.254.100.1", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.0.0.8", false),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("198.19.255.255", false),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700:4700::1111", true),
            ("2001:4860:4860::8888", true),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:8.8.8.8", false),
            ("64:ff9b::7f00:1", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::1", false),
            ("3fff::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(text.parse().expect("an address")), public, "{text}");
        }
    }
}
