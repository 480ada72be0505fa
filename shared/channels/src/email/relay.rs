//! The SMTP server that sends the mail, as an operator configures it once per deployment.

use alerting::base::secret::Secret;
use serde_json::Value;

use super::address::{Address, Mailbox};
use crate::settings::{Fields, PlainSmtpHosts, SettingsError};

pub(super) const SETTINGS: &[&str] = &["host", "port", "tls", "username", "password", "from", "reply_to"];

const HOST_REMEDY: &str = "give the server's name alone, such as smtp.example.com";
const PORT_REMEDY: &str = "use 465 or 2465 with implicit TLS, 587 or 2587 with STARTTLS";
const TLS_REMEDY: &str = "give implicit, starttls or none";
const LOGIN_REMEDY: &str = "give both username and password, or neither for a server that asks for no login";
const FROM_REMEDY: &str = "give an address that the server lets you send from, such as Larkspur <alerts@example.com>";
/// The port between mail servers. AWS lets no function connect to it, and providers accept no login there.
const RELAY_PORT: u16 = 25;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub login: Option<(String, Secret)>,
    pub from: Mailbox,
    pub reply_to: Option<Mailbox>,
}

/// When the connection is encrypted: `implicit`, `starttls`, `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte.
    Implicit,
    /// After the greeting. Without encryption nothing is sent.
    Upgraded,
    /// Never.
    None,
}

impl Relay {
    pub(super) fn parse(fields: &Fields<'_>) -> Result<Self, SettingsError> {
        let mailbox = |name, text| mailbox(name, text, FROM_REMEDY);
        let reply_to = fields.optional_text("reply_to", FROM_REMEDY)?;
        Ok(Self {
            host: host(fields)?,
            port: port(fields)?,
            tls: match fields.text("tls", TLS_REMEDY)? {
                "implicit" => Tls::Implicit,
                "starttls" => Tls::Upgraded,
                "none" => Tls::None,
                _ => return Err(SettingsError::new("tls", format!("is no way to encrypt; {TLS_REMEDY}"))),
            },
            login: login(fields)?,
            from: mailbox("from", fields.text("from", FROM_REMEDY)?)?,
            reply_to: reply_to.map(|text| mailbox("reply_to", text)).transpose()?,
        })
    }

    /// The setting that this deployment does not allow, and why.
    pub fn forbidden(&self, plain: &PlainSmtpHosts) -> Option<(&'static str, &'static str)> {
        match (self.tls, self.port) {
            _ if plain.names(&self.host) => None,
            (Tls::None, _) => Some((
                "tls",
                "must be implicit or starttls: without TLS only the servers are used that the deployment itself names \
                 in PLAIN_SMTP_HOSTS (the template's parameter PlainSmtpHosts)",
            )),
            (_, RELAY_PORT) => Some((
                "port",
                "must not be 25, which AWS lets no function connect to; use 465 or 2465 with implicit TLS, 587 or 2587 \
                 with STARTTLS",
            )),
            _ => None,
        }
    }

    /// `<name@example.com>`, in the domain of the sender. `name` is one of our own ids.
    pub(super) fn named(&self, name: &str) -> String {
        format!("<{name}@{}>", self.from.address.domain())
    }

    pub(super) fn secrets(&self) -> Vec<&str> {
        self.login.iter().map(|(_, password)| password.expose()).collect()
    }
}

fn host(fields: &Fields<'_>) -> Result<String, SettingsError> {
    let host = fields.text("host", HOST_REMEDY)?;
    let is_host = host.len() <= 253 && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let host = is_host.then(|| host.to_ascii_lowercase());
    host.ok_or_else(|| SettingsError::new("host", format!("is not a server's name; {HOST_REMEDY}")))
}

fn port(fields: &Fields<'_>) -> Result<u16, SettingsError> {
    let port = match fields.get("port") {
        Some(Value::Number(port)) => port.as_u64().and_then(|port| u16::try_from(port).ok()),
        _ => fields.text("port", PORT_REMEDY)?.parse().ok(),
    };
    let port = port.filter(|port| *port > 0);
    port.ok_or_else(|| SettingsError::new("port", format!("is not a port; {PORT_REMEDY}")))
}

fn login(fields: &Fields<'_>) -> Result<Option<(String, Secret)>, SettingsError> {
    let username = fields.optional_text("username", LOGIN_REMEDY)?;
    match (username, fields.optional_secret("password", LOGIN_REMEDY)?) {
        (Some(username), Some(password)) => Ok(Some((username.to_owned(), password))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(SettingsError::new("password", format!("is missing; {LOGIN_REMEDY}"))),
        (None, Some(_)) => Err(SettingsError::new("username", format!("is missing; {LOGIN_REMEDY}"))),
    }
}

pub(super) fn address(name: &str, text: &str, remedy: &str) -> Result<Address, SettingsError> {
    let address = (!text.chars().any(char::is_control)).then(|| Address::parse(text)).flatten();
    address.ok_or_else(|| SettingsError::new(name, format!("is not an address; {remedy}")))
}

fn mailbox(name: &str, text: &str, remedy: &str) -> Result<Mailbox, SettingsError> {
    let mailbox = (!text.chars().any(char::is_control)).then(|| Mailbox::parse(text)).flatten();
    mailbox.ok_or_else(|| SettingsError::new(name, format!("is not an address; {remedy}")))
}
