//! The names by which a browser may address this deployment.
//!
//! A web page can make its own host name point to this machine (DNS rebinding). The browser then treats our answers as
//! that page's own, so the page could read everything that needs no key, such as the groups of the demo. The page
//! cannot choose the `Host` header: it is the name in the page's own address, so a name that is not ours is refused. An
//! IP address is always accepted, because it cannot be made to point elsewhere.

use std::net::{IpAddr, SocketAddr};

use http::uri::Authority;

#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    listening: SocketAddr,
    /// The public URL's host, in small letters.
    public: Option<String>,
}

impl Hosts {
    /// `public_url`: as [`crate::options::Options`] has it.
    pub(crate) fn new(listening: SocketAddr, public_url: Option<&str>) -> Self {
        let public = public_url.and_then(|url| url.parse::<http::Uri>().ok());
        let public = public.and_then(|url| url.host().map(|host| bare(host).to_ascii_lowercase()));
        Self { listening, public }
    }

    /// Whether this is one of our names. Ports are not compared: proxies and containers map them.
    pub(crate) fn allows(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = bare(authority.host()).to_ascii_lowercase();
        if self.public.as_deref() == Some(name.as_str()) || name == "localhost" {
            return true;
        }
        let Ok(address) = name.parse::<IpAddr>() else { return false };
        let own = self.listening.ip();
        address.is_loopback() || own.is_unspecified() || own.to_canonical() == address.to_canonical()
    }
}

/// A host without the brackets of an IPv6 address, and without the dot that ends an absolute name.
fn bare(host: &str) -> &str {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_and_addresses_are_allowed() {
        let hosts = |listening: &str, public| Hosts::new(listening.parse().expect("an address"), public);
        let local = hosts("127.0.0.1:9000", None);
        let lan = hosts("192.168.1.5:9000", None);
        let every = hosts("0.0.0.0:9000", None);
        let named = hosts("127.0.0.1:9000", Some("https://Alerts.example.com"));
        for (hosts, host, allowed) in [
            (&local, "127.0.0.1:9000", true),
            (&local, "localhost:9000", true),
            (&local, "LOCALHOST", true),
            (&local, "[::1]:9000", true),
            (&local, "evil.example", false),
            (&local, "evil.example:9000", false),
            (&local, "127.0.0.1.evil.example", false),
            (&local, "localhost.evil.example", false),
            (&local, "192.168.1.5:9000", false),
            (&lan, "192.168.1.5:9000", true),
            (&lan, "192.168.1.6:9000", false),
            (&every, "192.168.1.5:9000", true),
            (&every, "evil.example:9000", false),
            (&named, "alerts.example.com", true),
            (&named, "ALERTS.example.com.:443", true),
            (&named, "127.0.0.1:9000", true),
            (&named, "evil.example", false),
        ] {
            assert_eq!(hosts.allows(host), allowed, "{host} at {hosts:?}");
        }
    }
}
