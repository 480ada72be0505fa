//! Sends a request: the only code here that touches the network.
//!
//! One client, one TLS stack with bundled roots (reading the system's costs more than all the rest of a cold start),
//! HTTPS only, no redirects, no proxies, ten seconds for everything from name lookup to the answer's last byte, and at
//! most [`REPLY_BYTES`] of that. A request goes to one of its channel's own hosts and nowhere else: the hosts are
//! names, so no address, private or not, can be reached through a setting. Only a base that the deployment itself
//! names is exempt.
//!
//! How it fails: a [`Sent`] always comes back. Its texts never hold the URL, which is a credential. Nothing is tried
//! twice here: retrying is the queue's job.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, Url, redirect};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use crate::outcome::{Outcome, Provider, Reason, Reply};
use crate::settings::is_allowed;
use crate::{Destination, Request};

/// What is read of an answer. The longest that a vendor sends is under 2 KiB.
pub const REPLY_BYTES: usize = 64 * 1024;
/// From name lookup to the last byte; the lease of a delivery (45 s) and the function's own timeout (30 s) rest on it.
pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Name lookup, TCP and TLS together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A frozen function wakes up with connections that the other side closed long ago; younger ones are kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Where requests go instead of to the vendors: on a laptop and in tests.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Every provider's host becomes this base (`http://127.0.0.1:9911`); path and query stay.
    pub provider_base: Option<String>,
    pub demo: Option<Demo>,
}

/// A group that exists on this machine only, whatever `provider_base` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// Requests whose URL starts with this …
    pub url_prefix: String,
    /// … go to this base; path and query stay.
    pub base: String,
}

/// Why a [`Deliverer`] cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the provider base must be a URL such as http://127.0.0.1:9911, without query")]
    Base,
    #[error("the TLS client cannot be configured")]
    Tls(#[source] rustls::Error),
    #[error("the HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
}

/// One try, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub outcome: Outcome,
    /// The provider's own words, or why there are none. Safe to show and to log.
    pub provider: Provider,
    pub duration: Duration,
}

/// Cheap to clone; make one per process.
#[derive(Debug, Clone)]
pub struct Deliverer {
    client: Client,
    provider_base: Option<Url>,
    demo: Option<(String, Url)>,
}

impl Deliverer {
    pub fn new(overrides: Overrides) -> Result<Self, SetupError> {
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned();
        Self::build(overrides, roots, TOTAL_TIMEOUT, CONNECT_TIMEOUT)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one client that the rule wants everybody to use")]
    fn build(
        overrides: Overrides,
        roots: impl Iterator<Item = CertificateDer<'static>>,
        total: Duration,
        connect: Duration,
    ) -> Result<Self, SetupError> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls(roots)?)
            .http1_only()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .timeout(total)
            .connect_timeout(connect)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .user_agent("larkspur")
            .build()
            .map_err(SetupError::Client)?;
        let provider_base = overrides.provider_base.as_deref().map(base).transpose()?;
        let demo = overrides.demo.map(|demo| Ok((demo.url_prefix, base(&demo.base)?))).transpose()?;
        Ok(Self { client, provider_base, demo })
    }

    /// Sends once. The answer is read, judged by the destination's channel and stripped of secrets.
    pub async fn send(&self, destination: &Destination, request: Request) -> Sent {
        let start = Instant::now();
        let (outcome, provider) = match self.exchange(destination, request).await {
            Ok(reply) => (destination.outcome(&reply), destination.provider(&reply)),
            Err(failure) => (failure.outcome(), Provider::silent(failure.message())),
        };
        Sent { outcome, provider, duration: start.elapsed() }
    }

    async fn exchange(&self, destination: &Destination, request: Request) -> Result<Reply, Failure> {
        let url = self.target(request.url.expose(), destination.limits().hosts)?;
        let mut post = self.client.post(url).header("content-type", "application/json; charset=utf-8");
        for (name, value) in &request.headers {
            let mut value =
                http::HeaderValue::from_str(value.expose()).map_err(|_| Failure::Refused("a header cannot be sent"))?;
            value.set_sensitive(true);
            post = post.header(*name, value);
        }
        let mut response = post.body(request.body).send().await.map_err(|error| Failure::of(&error))?;
        let header = |name| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        let mut reply = Reply {
            status: response.status().as_u16(),
            retry_after: header(http::header::RETRY_AFTER),
            date: header(http::header::DATE),
            body: Vec::new(),
            at: request.at,
        };
        while reply.body.len() < REPLY_BYTES {
            let Some(chunk) = response.chunk().await.map_err(|error| Failure::of_body(&error))? else { break };
            let room = REPLY_BYTES - reply.body.len();
            reply.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        Ok(reply)
    }

    /// The URL to connect to, after the policy was applied to the one that was asked for.
    fn target(&self, text: &str, hosts: &[&str]) -> Result<Url, Failure> {
        let url = Url::parse(text).map_err(|_| Failure::Refused("the URL cannot be read"))?;
        if !is_allowed(&url, hosts) {
            return Err(Failure::Refused("the URL is not on one of the provider's own hosts"));
        }
        match (&self.demo, &self.provider_base) {
            (Some((prefix, base)), _) if text.starts_with(prefix.as_str()) => Ok(rebased(&url, base)),
            (_, Some(base)) => Ok(rebased(&url, base)),
            (_, None) => Ok(url),
        }
    }
}

fn tls(roots: impl Iterator<Item = CertificateDer<'static>>) -> Result<ClientConfig, SetupError> {
    let mut store = RootCertStore::empty();
    let _ = store.add_parsable_certificates(roots);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder.map_err(SetupError::Tls)?.with_root_certificates(store).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn base(text: &str) -> Result<Url, SetupError> {
    let url = Url::parse(text).map_err(|_| SetupError::Base)?;
    let usable = matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    if usable { Ok(url) } else { Err(SetupError::Base) }
}

/// `url` at another host. A path that the base has comes before the path of `url`.
fn rebased(url: &Url, base: &Url) -> Url {
    let mut target = base.clone();
    target.set_path(&format!("{}{}", base.path().trim_end_matches('/'), url.path()));
    target.set_query(url.query());
    target
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// Our own policy: nothing was connected to.
    Refused(&'static str),
    /// Name lookup, TCP or the TLS handshake: nothing was sent.
    NoConnection,
    /// The other side could not prove that it is the provider: nothing was sent.
    Untrusted,
    /// Whether the request took effect is unknown.
    Late,
    CutOff,
}

impl Failure {
    fn of(error: &reqwest::Error) -> Self {
        match () {
            () if is_untrusted(error) => Failure::Untrusted,
            () if error.is_connect() => Failure::NoConnection,
            () if error.is_timeout() => Failure::Late,
            () => Failure::CutOff,
        }
    }

    fn of_body(error: &reqwest::Error) -> Self {
        if error.is_timeout() { Failure::Late } else { Failure::CutOff }
    }

    fn outcome(self) -> Outcome {
        match self {
            Failure::Refused(_) | Failure::Untrusted => Outcome::Rejected { reason: Reason::BadDestination },
            Failure::NoConnection => Outcome::Retry { after: None, reason: Reason::ProviderDown },
            Failure::Late | Failure::CutOff => Outcome::Retry { after: None, reason: Reason::TimedOut },
        }
    }

    fn message(self) -> &'static str {
        match self {
            Failure::Refused(why) => why,
            Failure::NoConnection => "no connection to the provider; nothing was sent",
            Failure::Untrusted => "the provider's certificate is not valid for its name; nothing was sent",
            Failure::Late => "no whole answer in time; whether the message arrived is unknown",
            Failure::CutOff => {
                "the connection broke before the whole answer came; whether the message arrived is unknown"
            }
        }
    }
}

/// Whether a certificate was the reason. The TLS error is somewhere down the chain, in I/O errors within I/O errors,
/// which name what they hold only by `get_ref`.
fn is_untrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return matches!(tls, rustls::Error::InvalidCertificate(_));
    }
    let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    held.is_some_and(|held| is_untrusted(held)) || error.source().is_some_and(is_untrusted)
}

#[cfg(test)]
mod tests;
