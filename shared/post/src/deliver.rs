//! Sends a request to a destination, once.
//!
//! It takes at most ten seconds from name look-up to the last byte of the reply, and reads at most [`REPLY_BYTES`] of
//! it. A request goes only to one of its channel's own hosts. The hosts are names, so a setting cannot reach an
//! address, and a name with a private address is refused at the look-up (`addresses`). Only a base URL that the
//! deployment itself names is exempt. Mail goes to the operator's own server, which proves its name by TLS or is named
//! by the deployment.
//!
//! How it fails: it always returns a [`Sent`]. Its texts never contain the URL, which is a credential.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use channels::email::mail::Mail;
use channels::email::relay::Relay;
use channels::outcome::{Outcome, ProviderReply, Reason};
use channels::registry::Destination;
use channels::reply::{KEPT_HEADERS, REPLY_BYTES, Reply};
use channels::request::{Http, Request, TokenPlace, Transport};
use channels::settings::{PlainSmtpHosts, is_allowed};
use channels::token::Grant;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use reqwest::{Client, redirect};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Map, Value};
use url::Url;

use crate::addresses::PublicOnly;
use crate::failure::Failure;
use crate::mime;
use crate::roots::Roots;
use crate::smtp::Smtp;

/// From name look-up to the last byte. The lease of a delivery (45 s) and the function's timeout (30 s) are longer.
pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Name look-up, TCP and TLS together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The same for an access token, which is requested before a message is sent.
pub const TOKEN_TIMEOUT: Duration = Duration::from_secs(3);
/// Older connections are dropped: after a freeze of the function, the other side has closed them.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

const NO_TOKEN: Failure = Failure::Refused(Reason::Unauthorized, "there is no access token; nothing was sent");

/// Targets of requests other than the vendors, for laptops and tests.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Requests to every provider go to this base (`http://127.0.0.1:9911`). Path, query and the header `Host` stay.
    pub provider_base: Option<String>,
    pub demo: Option<Demo>,
    /// Mail servers that may be used without TLS.
    pub plain_smtp_hosts: PlainSmtpHosts,
    /// Hosts that [`Deliverer::fetch`] may use without TLS and at any address.
    pub plain_web_hosts: Vec<String>,
}

/// A group on this machine, independent of `provider_base`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// Requests whose URL starts with this go to `base`.
    pub url_prefix: String,
    /// Path, query and the header `Host` stay.
    pub base: String,
}

/// Why a [`Deliverer`] cannot be created.
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
    /// The provider's own text, or the reason why there is none. Safe to show and to log.
    pub provider: ProviderReply,
    pub duration: Duration,
    /// New settings of the destination, if the provider said that it has moved.
    pub moved: Option<Map<String, Value>>,
    /// The access token is invalid or has expired. The same request may succeed with another token.
    pub is_token_refused: bool,
}

/// Sends requests. Cheap to clone; create one per process.
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

    /// The hosts that [`Destination::check_provider`] needs.
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

    /// Sends once. The destination's channel classifies the reply; secrets are removed from it. `token`: the access
    /// token, for a request with a place for one.
    pub async fn send(&self, destination: &Destination, request: Request, token: Option<&Secret>) -> Sent {
        let start = Instant::now();
        match self.exchange(destination, request, token).await {
            Ok(reply) => {
                let secrets: Vec<&str> = token.into_iter().map(Secret::expose).collect();
                Sent {
                    outcome: destination.outcome(&reply),
                    provider: destination.provider(&reply).redacted(&secrets),
                    duration: start.elapsed(),
                    moved: destination.moved(&reply),
                    is_token_refused: destination.refuses_token(&reply),
                }
            }
            Err(failure) => Sent {
                outcome: failure.outcome(),
                provider: ProviderReply::silent(failure.message()),
                duration: start.elapsed(),
                moved: None,
                is_token_refused: false,
            },
        }
    }

    /// Requests an access token from the destination's vendor. A refusal has the vendor's text.
    pub async fn grant(&self, destination: &Destination, at: Moment) -> Result<Grant, Sent> {
        let start = Instant::now();
        let sent = |outcome, provider| Sent {
            outcome,
            provider,
            duration: start.elapsed(),
            moved: None,
            is_token_refused: false,
        };
        let asked = async {
            let http = destination.token().ok_or(NO_TOKEN)?;
            let url = self.target(&http, destination.limits().hosts)?;
            self.http(url, http, at).await
        };
        match tokio::time::timeout(TOKEN_TIMEOUT, asked).await.unwrap_or(Err(Failure::Late)) {
            Ok(reply) => destination.grant(&reply).ok_or_else(|| {
                let outcome = match destination.outcome(&reply) {
                    // The reply would mean success for a message, but it grants no token.
                    Outcome::Delivered { .. } | Outcome::Accepted { .. } => {
                        Outcome::Retry { after: None, reason: Reason::Unreadable }
                    }
                    refused => refused,
                };
                sent(outcome, destination.provider(&reply))
            }),
            // No message was sent, even if the request took effect.
            Err(failure) => Err(sent(failure.outcome().without_effect(), ProviderReply::silent(failure.message()))),
        }
    }

    async fn exchange(
        &self,
        destination: &Destination,
        request: Request,
        token: Option<&Secret>,
    ) -> Result<Reply, Failure> {
        let at = request.at();
        match request.transport {
            Transport::Email { relay, mail } => self.mail(&relay, &mail, at).await,
            Transport::Http(mut http) => {
                let mut url = self.target(&http, destination.limits().hosts)?;
                if let Some(place) = http.credential {
                    let token = token.ok_or(NO_TOKEN)?;
                    put(token, place, &mut url, &mut http);
                }
                self.http(url, http, at).await
            }
        }
    }

    async fn mail(&self, relay: &Relay, mail: &Mail, at: Moment) -> Result<Reply, Failure> {
        let mime = mime::written(mail, relay, at).map_err(|_| refused("the message cannot be written as mail"))?;
        let (status, text) = self.smtp.send(relay, mail, &mime).await?;
        Ok(Reply { status, headers: Vec::new(), body: text.into_bytes(), at })
    }

    async fn http(&self, url: Url, http: Http, at: Moment) -> Result<Reply, Failure> {
        let request = self.asked(url, http)?;
        let mut response = self.client.execute(request).await.map_err(|error| Failure::of(&error))?;
        let kept = |name| Some((name, response.headers().get(name)?.to_str().ok()?.to_owned()));
        let headers = KEPT_HEADERS.into_iter().filter_map(kept).collect();
        let mut reply = Reply { status: response.status().as_u16(), headers, body: Vec::new(), at };
        while reply.body.len() < REPLY_BYTES {
            let Some(chunk) = response.chunk().await.map_err(|error| Failure::of_body(&error))? else { break };
            let room = REPLY_BYTES - reply.body.len();
            reply.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        Ok(reply)
    }

    /// The request as the client sends it. It always names the vendor's own host: a signature may cover the host, and
    /// the fake vendors of the tests, which share one address, are distinguished by it.
    fn asked(&self, url: Url, http: Http) -> Result<reqwest::Request, Failure> {
        let method = reqwest::Method::from_bytes(http.method.as_str().as_bytes());
        let method = method.map_err(|_| refused("the method cannot be sent"))?;
        let is_elsewhere = url.host_str() != Some(http.host.as_str());
        let mut request = reqwest::Request::new(method, url);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(http.content_type));
        if is_elsewhere {
            let host = HeaderValue::from_str(&http.host).map_err(|_| refused("the host cannot be sent"))?;
            request.headers_mut().insert(HOST, host);
        }
        for (name, value) in &http.headers {
            insert(&mut request, name, value.expose())?;
        }
        *request.body_mut() = Some(http.body.into());
        Ok(request)
    }

    /// The URL to connect to, after the checks of the requested one.
    fn target(&self, http: &Http, hosts: &[&str]) -> Result<Url, Failure> {
        let text = http.url();
        let text = text.expose();
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

/// Puts the access token at its place in the request.
fn put(token: &Secret, place: TokenPlace, url: &mut Url, http: &mut Http) {
    match place {
        TokenPlace::Bearer => {
            http.headers.push(("authorization", Secret::new(format!("Bearer {}", token.expose()))));
        }
        TokenPlace::Header(name) => http.headers.push((name, token.clone())),
        TokenPlace::Query(name) => drop(url.query_pairs_mut().append_pair(name, token.expose())),
    }
}

fn insert(request: &mut reqwest::Request, name: &'static str, value: &str) -> Result<(), Failure> {
    let mut value = HeaderValue::from_str(value).map_err(|_| refused("a header cannot be sent"))?;
    value.set_sensitive(true);
    request.headers_mut().append(HeaderName::from_static(name), value);
    Ok(())
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

/// `url` at the base's host. A path of the base comes before the path of `url`.
fn rebased(url: &Url, base: &Url) -> Url {
    let mut target = base.clone();
    target.set_path(&format!("{}{}", base.path().trim_end_matches('/'), url.path()));
    target.set_query(url.query());
    target
}

#[cfg(test)]
mod tests;
