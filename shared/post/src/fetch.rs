//! One request to a host that an operator has named: a sign-in provider.
//!
//! The same client as for notices, with the same limits but three seconds: HTTPS, bundled roots, no redirects, no
//! proxies. The host may have any name, but only a public address (`addresses`). Only hosts that the deployment names
//! may use plain HTTP or be an IP address.

use std::time::Duration;

use channels::reply::REPLY_BYTES;
use url::Url;

use crate::deliver::Deliverer;
use crate::failure::Failure;

/// From name look-up to the last byte: a person waits for it, and providers answer within a fraction of a second.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);

/// Why there is no reply. Contains neither URL nor body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(&'static str);

impl Deliverer {
    /// Sends once and reads the whole reply, at most [`REPLY_BYTES`].
    pub async fn fetch(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, FetchError> {
        let mut request = reqwest::Request::try_from(request).map_err(|_| FetchError("the URL cannot be read"))?;
        *request.timeout_mut() = Some(FETCH_TIMEOUT);
        self.may_be_fetched(request.url())?;
        let failed = |failure: Failure| FetchError(failure.fetching());
        let mut response = self.client.execute(request).await.map_err(|error| failed(Failure::of(&error)))?;
        let mut answer = http::Response::builder().status(response.status());
        for (name, value) in response.headers() {
            answer = answer.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(Failure::of_body(&error)))? {
            if body.len() + chunk.len() > REPLY_BYTES {
                return Err(FetchError("the answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        answer.body(body).map_err(|_| FetchError("the answer cannot be read"))
    }

    /// Whether [`Deliverer::fetch`] accepts this URL, before a look-up.
    pub fn may_fetch(&self, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| self.may_be_fetched(&url).is_ok())
    }

    fn may_be_fetched(&self, url: &Url) -> Result<(), FetchError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError("the URL must hold no user name and no password"));
        }
        let host = url.host_str().unwrap_or_default();
        if self.plain_web_hosts.iter().any(|plain| plain.eq_ignore_ascii_case(host)) {
            return Ok(());
        }
        if url.scheme() != "https" {
            return Err(FetchError("the URL must begin with https://"));
        }
        // Only names: `domain` is `None` for an IP address in any spelling.
        if url.domain().is_none() {
            return Err(FetchError("the URL must name its host, not an address"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::Overrides;

    fn deliverer() -> Deliverer {
        let plain_web_hosts = vec!["127.0.0.1".to_owned()];
        Deliverer::new(Overrides { plain_web_hosts, ..Overrides::default() }).expect("valid")
    }

    #[test]
    fn only_https_to_a_name_is_fetched_and_what_the_deployment_names() {
        for (url, allowed) in [
            ("https://accounts.example.com/x", true),
            ("https://accounts.example.com:8443/x", true),
            ("http://127.0.0.1:9400/x", true),
            ("http://accounts.example.com/x", false),
            ("http://localhost:9400/x", false),
            ("https://10.0.0.1/x", false),
            ("https://0x7f.1/x", true), // which is 127.0.0.1, the named one
            ("https://0x0a000001/x", false),
            ("https://[::1]/x", false),
            ("https://user@accounts.example.com/x", false),
            ("ftp://accounts.example.com/x", false),
        ] {
            assert_eq!(deliverer().may_fetch(url), allowed, "{url}");
        }
    }

    // Proves: fault 63
    #[tokio::test]
    async fn a_name_for_this_machine_is_looked_up_and_refused() {
        let request = http::Request::get("https://localhost/").body(Vec::new()).expect("a request");
        let error = deliverer().fetch(request).await.expect_err("not public");
        assert_eq!(error.to_string(), "no connection");
    }
}
