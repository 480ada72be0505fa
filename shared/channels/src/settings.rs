//! Reads an operator's settings of a destination or a provider field by field, so that an error names the field and the
//! remedy.
//!
//! An error never repeats a value, because most values are secrets.

use alerting::base::secret::Secret;
use serde_json::{Map, Value};
use url::Url;

/// A setting that is not valid, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {message}")]
pub struct SettingsError {
    /// As the API names it: `channel`, `settings.url` …
    pub field: String,
    pub message: String,
}

impl SettingsError {
    pub(crate) fn new(name: &str, message: impl Into<String>) -> Self {
        Self { field: format!("settings.{name}"), message: message.into() }
    }

    pub(crate) fn unknown_channel(names: &[&str]) -> Self {
        Self { field: "channel".to_owned(), message: format!("must be one of {}", names.join(", ")) }
    }

    pub(crate) fn no_provider(channel: &str) -> Self {
        let message = format!("{channel} has no provider in this deployment; configure it first");
        Self { field: "channel".to_owned(), message }
    }

    pub(crate) fn needs_no_provider(channel: &str, names: &[&str]) -> Self {
        let message = format!("{channel} needs no provider; those that do are {}", names.join(", "));
        Self { field: "channel".to_owned(), message }
    }

    pub(crate) fn has_no_accounts(channel: &str, names: &[&str]) -> Self {
        let message = format!("{channel} has no accounts; channels with accounts are {}", names.join(", "));
        Self { field: "channel".to_owned(), message }
    }
}

/// Mail servers that may be used without TLS and on port 25. A deployment names them in its environment, not in a
/// setting: without TLS, a password and every alert are readable on the network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlainSmtpHosts(Vec<String>);

impl PlainSmtpHosts {
    /// From `localhost,mail.internal`.
    pub fn list(hosts: &str) -> Self {
        let names = hosts.split(',').map(str::trim).filter(|name| !name.is_empty());
        Self(names.map(str::to_ascii_lowercase).collect())
    }

    /// Whether the deployment names this server.
    pub fn names(&self, host: &str) -> bool {
        self.0.iter().any(|name| name.eq_ignore_ascii_case(host))
    }
}

/// The settings object of one channel or provider, whose field names are all known.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    object: Option<&'a Map<String, Value>>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(channel: &str, known: &[&str], settings: &'a Value) -> Result<Self, SettingsError> {
        let list = known.join(", ");
        let Some(object) = settings.as_object() else {
            let message = format!("must be an object with the settings of {channel}: {list}");
            return Err(SettingsError { field: "settings".to_owned(), message });
        };
        match object.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(SettingsError::new(name, format!("is not a setting of {channel}; it has {list}"))),
            None => Ok(Self { object: Some(object) }),
        }
    }

    /// No settings at all.
    pub(crate) const fn none() -> Self {
        Self { object: None }
    }

    /// The value of a field that exists and is not null.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.object?.get(name).filter(|value| !value.is_null())
    }

    /// A required text. `remedy` says where to find it.
    pub(crate) fn text(&self, name: &str, remedy: &str) -> Result<&'a str, SettingsError> {
        match self.get(name) {
            None => Err(SettingsError::new(name, format!("is missing; {remedy}"))),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.trim()),
            Some(_) => Err(SettingsError::new(name, format!("must be a text that is not empty; {remedy}"))),
        }
    }

    pub(crate) fn optional_text(&self, name: &str, remedy: &str) -> Result<Option<&'a str>, SettingsError> {
        self.get(name).map(|_| self.text(name, remedy)).transpose()
    }

    pub(crate) fn optional_secret(&self, name: &str, remedy: &str) -> Result<Option<Secret>, SettingsError> {
        Ok(self.optional_text(name, remedy)?.map(Secret::new))
    }

    /// A webhook's URL: HTTPS, on one of the vendor's own hosts, without user name or port.
    pub(crate) fn url(&self, name: &str, hosts: &[&str], remedy: &str) -> Result<Url, SettingsError> {
        let text = self.text(name, remedy)?;
        let url = Url::parse(text).map_err(|_| SettingsError::new(name, format!("is not a URL; {remedy}")))?;
        if text.contains('…') {
            let problem = "has an ellipsis in it, as an example has; give the whole URL";
            return Err(SettingsError::new(name, problem));
        }
        if is_allowed(&url, hosts) {
            return Ok(url);
        }
        let hosts = hosts.join(" or https://");
        Err(SettingsError::new(name, format!("must be on https://{hosts}, without user name and port; {remedy}")))
    }

    /// The URL of a webhook whose secret is one query parameter. The parameter alone is also accepted.
    pub(crate) fn url_or_key(
        &self,
        name: &str,
        hosts: &[&str],
        path: &str,
        parameter: &str,
        remedy: &str,
    ) -> Result<Secret, SettingsError> {
        let text = self.text(name, remedy)?;
        let is_key = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let key = if is_key {
            text.to_owned()
        } else {
            let url = self.url(name, hosts, remedy)?;
            let key = url.query_pairs().find(|(key, _)| key == parameter).map(|(_, value)| value.into_owned());
            key.filter(|key| !key.is_empty() && url.path() == path)
                .ok_or_else(|| SettingsError::new(name, format!("has no {path}?{parameter}=…; {remedy}")))?
        };
        let mut url = Url::parse(&format!("https://{}{path}", hosts[0])).expect("hosts and paths are constants");
        url.query_pairs_mut().append_pair(parameter, &key);
        Ok(Secret::new(url))
    }
}

/// Whether a request to `url` goes to one of `hosts`, on HTTPS and its default port. An IP address is never allowed,
/// because the lists have only names.
pub fn is_allowed(url: &Url, hosts: &[&str]) -> bool {
    url.scheme() == "https"
        && url.host_str().is_some_and(|host| hosts.contains(&host))
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}
