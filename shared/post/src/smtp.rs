//! Sends mail by SMTP, one connection per message.
//!
//! No connection is kept. After a freeze of the function the server has closed it, and the result of a message that is
//! written into a closed connection is unknown. A new connection costs only a few round trips, and no person waits for
//! them.
//!
//! The dialogue is driven step by step, because the meaning of a timeout depends on the step: before the message
//! itself, nothing was sent; after its start the result is unknown. lettre's own timeout covers only the TCP
//! connection, not the wait for a reply, so all steps are under one deadline here.

use std::net::SocketAddr;
use std::time::Duration;

use channels::email::address::Address;
use channels::email::mail::Mail;
use channels::email::relay::{Relay, Tls};
use channels::outcome::Reason;
use channels::settings::PlainSmtpHosts;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters, TlsParametersBuilder};
use lettre::transport::smtp::commands::{Data, Mail as From, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::{Error, response::Response};
use tokio::net::lookup_host;
use tokio::time::{Instant, timeout, timeout_at};

use crate::addresses::is_public;
use crate::failure::{Failure, NO_CONNECTION, is_untrusted};
use crate::mime;
use crate::roots::Roots;

/// The limit for QUIT, which changes nothing: the server has already accepted the message.
const QUIT_TIMEOUT: Duration = Duration::from_millis(300);
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

const SILENT: Failure = Failure::Unreachable("the mail server did not answer in time; nothing was sent");
const UNKNOWN: Failure = Failure::Unreachable("the mail server's name is not known; nothing was sent");
const PRIVATE: Failure = Failure::Refused(
    Reason::NotConfigured,
    "the mail server has no public address; name it in PLAIN_SMTP_HOSTS (the template's parameter PlainSmtpHosts)",
);
const BROKEN: Failure = Failure::Unreachable("the mail server broke off or spoke no SMTP; nothing was sent");
const UNTRUSTED: Failure =
    Failure::Untrusted("the mail server's certificate is not valid for its name; nothing was sent");
const NO_TLS: Failure =
    Failure::Untrusted("the mail server offers no STARTTLS, which the settings ask for; nothing was sent");
const NO_LOGIN: Failure = Failure::Refused(
    Reason::Unauthorized,
    "the mail server offers no login by PLAIN or LOGIN; leave username and password out, or use its submission port",
);
const NOT_ASCII: Failure = Failure::Refused(
    Reason::BadDestination,
    "the mail server takes addresses of ASCII characters only (no SMTPUTF8); nothing was sent",
);

const NO_ADDRESS: Failure = Failure::Refused(Reason::BadDestination, "the address cannot be written; nothing was sent");

#[derive(Debug, Clone)]
pub(crate) struct Smtp {
    pub(crate) plain_hosts: PlainSmtpHosts,
    pub(crate) roots: Roots,
    pub(crate) total: Duration,
    pub(crate) connect: Duration,
}

/// Why a dialogue ended early.
enum Stop {
    /// The server refused.
    Refused(Error),
    Failed(Failure),
}

impl Smtp {
    /// Sends a mail. Returns the server's last reply, or why there is none.
    pub(crate) async fn send(&self, relay: &Relay, mail: &Mail, mime: &[u8]) -> Result<(u16, String), Failure> {
        if let Some((_, why)) = relay.forbidden(&self.plain_hosts) {
            return Err(Failure::Refused(Reason::NotConfigured, why));
        }
        let deadline = Instant::now() + self.total;
        let opened = timeout_at(deadline, self.up_to_the_message(relay, mail)).await;
        let mut connection = match opened.unwrap_or(Err(Stop::Failed(SILENT))) {
            Ok(connection) => connection,
            Err(Stop::Refused(error)) => return negative_reply(&error).ok_or(BROKEN),
            Err(Stop::Failed(failure)) => return Err(failure),
        };
        let answer = match timeout_at(deadline, connection.message(mime)).await {
            Err(_) => Err(Failure::Late),
            Ok(Err(error)) => negative_reply(&error).ok_or(Failure::CutOff),
            Ok(Ok(response)) => Ok(reply(&response)),
        };
        let _ = timeout(QUIT_TIMEOUT, connection.abort()).await;
        answer
    }

    /// Does greeting, TLS, login, sender and recipient, until the server waits for the message.
    async fn up_to_the_message(&self, relay: &Relay, mail: &Mail) -> Result<AsyncSmtpConnection, Stop> {
        let mut connection = self.open(relay).await?;
        if let Some((username, password)) = &relay.login {
            if connection.server_info().get_auth_mechanism(&MECHANISMS).is_none() {
                return Err(Stop::Failed(NO_LOGIN));
            }
            let credentials = Credentials::new(username.clone(), password.expose().to_owned());
            connection.auth(&MECHANISMS, &credentials).await.map_err(Stop::of)?;
        }
        let is_ascii = |address: &Address| address.as_str().is_ascii();
        let mut parameters = Vec::new();
        if !is_ascii(&relay.from.address) || !is_ascii(&mail.to) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Stop::Failed(NOT_ASCII));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let address = |address| mime::address(address).map_err(|_| Stop::Failed(NO_ADDRESS));
        connection.command(From::new(Some(address(&relay.from.address)?), parameters)).await.map_err(Stop::of)?;
        connection.command(Rcpt::new(address(&mail.to)?, Vec::new())).await.map_err(Stop::of)?;
        connection.command(Data).await.map_err(Stop::of)?;
        Ok(connection)
    }

    /// The server's addresses: public ones, unless the deployment itself names the server. A setting must not reach the
    /// private network.
    async fn addresses(&self, relay: &Relay) -> Result<Vec<SocketAddr>, Stop> {
        let found = timeout(self.connect, lookup_host((relay.host.as_str(), relay.port))).await;
        let found = found.map_err(|_| Stop::Failed(SILENT))?.map_err(|_| Stop::Failed(UNKNOWN))?;
        let is_allowed = |address: &SocketAddr| self.plain_hosts.names(&relay.host) || is_public(address.ip());
        let usable: Vec<SocketAddr> = found.filter(is_allowed).collect();
        if usable.is_empty() { Err(Stop::Failed(PRIVATE)) } else { Ok(usable) }
    }

    async fn open(&self, relay: &Relay) -> Result<AsyncSmtpConnection, Stop> {
        let domain = relay.from.address.domain();
        let hello = if domain.is_ascii() { ClientId::Domain(domain.to_owned()) } else { ClientId::default() };
        let tls = match relay.tls {
            Tls::None => None,
            Tls::Implicit | Tls::Upgraded => Some(self.tls(&relay.host).map_err(Stop::of)?),
        };
        let at_once = tls.clone().filter(|_| relay.tls == Tls::Implicit);
        let addresses = self.addresses(relay).await?;
        let server = addresses.as_slice();
        let connected = AsyncSmtpConnection::connect_tokio1(server, Some(self.connect), &hello, at_once, None).await;
        let mut connection = connected.map_err(Stop::of_connection)?;
        if let Some(tls) = tls.filter(|_| relay.tls == Tls::Upgraded) {
            if !connection.can_starttls() {
                return Err(Stop::Failed(NO_TLS));
            }
            connection.starttls(tls, &hello).await.map_err(Stop::of_connection)?;
        }
        Ok(connection)
    }

    fn tls(&self, host: &str) -> Result<TlsParameters, Error> {
        self.roots.for_mail(TlsParametersBuilder::new(host.to_owned())).build()
    }
}

impl Stop {
    fn of(error: Error) -> Self {
        if error.status().is_some() { Stop::Refused(error) } else { Stop::Failed(BROKEN) }
    }

    fn of_connection(error: Error) -> Self {
        match () {
            () if error.status().is_some() => Stop::Refused(error),
            () if is_untrusted(&error) => Stop::Failed(UNTRUSTED),
            () if error.is_response() => Stop::Failed(BROKEN),
            () => Stop::Failed(NO_CONNECTION),
        }
    }
}

/// Code and text of a negative reply.
fn negative_reply(error: &Error) -> Option<(u16, String)> {
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    Some((error.status()?.into(), text))
}

fn reply(response: &Response) -> (u16, String) {
    (response.code().into(), response.message().collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests;
