//! Sends a request to a destination, once.
//!
//! It takes ten seconds at most from name lookup to the answer's last byte, and reads at most [`REPLY_BYTES`] of the
//! answer. A request goes to one of its channel's own hosts and nowhere else: the hosts are names, so no address can be
//! reached through a setting, and a name that stands for a private address is refused when it is looked up (`addresses`).
//! Only a base that the deployment itself names is exempt. Mail goes to the operator's own server, which proves its name
//! by TLS or is named by the deployment.
//!
//! How it fails: a [`Sent`] is always returned. Its texts never hold the URL, which is a credential.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use channels::email::Mail;
use channels::email::relay::Relay;
use channels::outcome::{Outcome, Provider, REPLY_BYTES, Reason, Reply};
use channels::settings::{PlainSmtpHosts, is_allowed};
use channels::{Destination, Request, Transport};
use reqwest::{Client, redirect};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Map, Value};
use url::Url;

use crate::addresses::PublicOnly;
use crate::failure::Failure;
use crate::mime;
use crate::roots::Roots;
use crate::smtp::Smtp;

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
    /// Mail servers that may be spoken to without TLS.
    pub plain_smtp_hosts: PlainSmtpHosts,
    /// Hosts that [`Deliverer::fetch`] may speak to without TLS, and wherever they are.
    pub plain_web_hosts: Vec<String>,
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

/// The result of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub outcome: Outcome,
    /// The provider's own words, or why there are none. Safe to show and to log.
    pub provider: Provider,
    pub duration: Duration,
    /// Settings that replace those of the destination, because the provider said that it is elsewhere now.
    pub moved: Option<Map<String, Value>>,
}

/// Cheap to clone; make one per process.
#[derive(Debug, Clone)]
pub struct Deliverer {
    pub(crate) client: Client,
    provider_base: Option<Url>,
    demo: Option<(String, Url)>,
    smtp: Smtp,
    pub(crate) plain_web_hosts: Vec<String>,
}

impl Deliverer {
    pub fn new(overrides: Overrides) -> Result<Self, SetupError> {
        Self::build(overrides, Roots::Bundled, TOTAL_TIMEOUT, CONNECT_TIMEOUT)
    }

    /// What [`Destination::check_provider`] holds a mail server's settings to.
    pub fn plain_smtp_hosts(&self) -> &PlainSmtpHosts {
        &self.smtp.plain_hosts
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one client that the rule wants everybody to use")]
    pub(crate) fn build(
        overrides: Overrides,
        roots: Roots,
        total: Duration,
        connect: Duration,
    ) -> Result<Self, SetupError> {
        let plain_hosts = overrides.plain_smtp_hosts;
        let smtp = Smtp { plain_hosts, roots: roots.clone(), total, connect };
        let provider_base = overrides.provider_base.as_deref().map(base).transpose()?;
        let demo = overrides.demo.map(|demo| Ok((demo.url_prefix, base(&demo.base)?))).transpose()?;
        let plain_web_hosts = overrides.plain_web_hosts;
        let bases = provider_base.iter().chain(demo.iter().map(|(_, base)| base)).filter_map(Url::host_str);
        let exempt = bases.map(str::to_owned).chain(plain_web_hosts.iter().cloned()).collect();
        let client = Client::builder()
            .dns_resolver(PublicOnly { exempt })
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
        Ok(Self { client, provider_base, demo, smtp, plain_web_hosts })
    }

    /// Sends once. The answer is read, judged by the destination's channel and stripped of secrets.
    pub async fn send(&self, destination: &Destination, request: Request) -> Sent {
        let start = Instant::now();
        let (outcome, provider, moved) = match self.exchange(destination, request).await {
            Ok(reply) => (destination.outcome(&reply), destination.provider(&reply), destination.moved(&reply)),
            Err(failure) => (failure.outcome(), Provider::silent(failure.message()), None),
        };
        Sent { outcome, provider, duration: start.elapsed(), moved }
    }

    async fn exchange(&self, destination: &Destination, request: Request) -> Result<Reply, Failure> {
        let at = request.at();
        match request.transport {
            Transport::Email { relay, mail } => self.mail(&relay, &mail, at).await,
            Transport::Http { url, headers, body } => {
                let url = self.target(url.expose(), destination.limits().hosts)?;
                self.post(url, &headers, body, at).await
            }
        }
    }

    async fn mail(&self, relay: &Relay, mail: &Mail, at: Moment) -> Result<Reply, Failure> {
        let mime = mime::written(mail, relay, at).map_err(|_| refused("the message cannot be written as mail"))?;
        let (status, text) = self.smtp.send(relay, mail, &mime).await?;
        Ok(Reply { status, retry_after: None, date: None, body: text.into_bytes(), at })
    }

    async fn post(
        &self,
        url: Url,
        headers: &[(&'static str, Secret)],
        body: Vec<u8>,
        at: Moment,
    ) -> Result<Reply, Failure> {
        let mut post = self.client.post(url).header("content-type", "application/json; charset=utf-8");
        for (name, value) in headers {
            let value = http::HeaderValue::from_str(value.expose());
            let mut value = value.map_err(|_| refused("a header cannot be sent"))?;
            value.set_sensitive(true);
            post = post.header(*name, value);
        }
        let mut response = post.body(body).send().await.map_err(|error| Failure::of(&error))?;
        let header = |name| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        let mut reply = Reply {
            status: response.status().as_u16(),
            retry_after: header(http::header::RETRY_AFTER),
            date: header(http::header::DATE),
            body: Vec::new(),
            at,
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
        let url = Url::parse(text).map_err(|_| refused("the URL cannot be read"))?;
        if !is_allowed(&url, hosts) {
            return Err(refused("the URL is not on one of the provider's own hosts"));
        }
        match (&self.demo, &self.provider_base) {
            (Some((prefix, base)), _) if text.starts_with(prefix.as_str()) => Ok(rebased(&url, base)),
            (_, Some(base)) => Ok(rebased(&url, base)),
            (_, None) => Ok(url),
        }
    }
}

fn refused(why: &'static str) -> Failure {
    Failure::Refused(Reason::BadDestination, why)
}

fn tls(roots: Roots) -> Result<ClientConfig, SetupError> {
    let mut store = RootCertStore::empty();
    let _ = store.add_parsable_certificates(roots.certificates());
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

#[cfg(test)]
mod tests;
