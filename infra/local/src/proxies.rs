//! The client's address as a reverse proxy forwards it.
//!
//! `X-Forwarded-For` and `X-Forwarded-Proto` are used only from the networks that `--trusted-proxy` names. Any other client
//! can write anything there, and limits and allow-lists depend on the address.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

/// The networks whose forwarding headers are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    /// `http` or `https`: how the client speaks to the outermost proxy.
    pub(crate) scheme: &'static str,
}

impl TrustedProxies {
    /// Adds a network (`10.0.0.0/8`) or one address; false if it is neither.
    pub(crate) fn add(&mut self, text: &str) -> bool {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(|network| self.0.push(network)).is_ok()
    }

    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        let mut address = peer.to_canonical();
        if !self.trusts(address) {
            return Client { address, scheme: "http" };
        }
        // Each proxy appends the address of its client. The last address that is not a trusted proxy is the client; the
        // addresses before it are the client's own claim.
        for text in values(headers, "x-forwarded-for").into_iter().rev() {
            let Some(forwarded) = address_of(text) else { break };
            address = forwarded;
            if !self.trusts(address) {
                break;
            }
        }
        let is_secure =
            values(headers, "x-forwarded-proto").first().is_some_and(|text| text.eq_ignore_ascii_case("https"));
        Client { address, scheme: if is_secure { "https" } else { "http" } }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The items of all headers of this name, in order.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|text| !text.is_empty()).collect()
}

/// Some proxies add the port.
fn address_of(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    text.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn forwarding_headers_count_only_from_trusted_proxies() {
        let mut proxies = TrustedProxies::default();
        assert!(proxies.add("10.0.0.0/8") && proxies.add("192.168.1.1") && !proxies.add("proxy.example"));
        for (peer, forwarded, proto, address, scheme) in [
            ("203.0.113.7", &["198.51.100.1"][..], "https", "203.0.113.7", "http"),
            ("10.0.0.1", &["198.51.100.1"], "https", "198.51.100.1", "https"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "HTTPS, http", "198.51.100.1", "https"),
            ("10.0.0.1", &["198.51.100.1:4711"], "http", "198.51.100.1", "http"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1, 192.168.1.1"], "ftp", "198.51.100.1", "http"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.1"], "", "198.51.100.1", "http"),
            ("10.0.0.1", &["1.1.1.1, nonsense"], "", "10.0.0.1", "http"),
            ("10.0.0.1", &["10.0.0.9"], "", "10.0.0.9", "http"),
            ("10.0.0.1", &[], "", "10.0.0.1", "http"),
        ] {
            let mut headers = HeaderMap::new();
            for line in forwarded {
                headers.append("x-forwarded-for", HeaderValue::from_static(line));
            }
            headers.insert("x-forwarded-proto", HeaderValue::from_static(proto));
            let client = proxies.client(peer.parse().expect("an address"), &headers);
            let expected = Client { address: address.parse().expect("an address"), scheme };
            assert_eq!(client, expected, "{forwarded:?} from {peer}");
        }
    }
}
