//! Writes a mail in MIME: a text part and an HTML part, all headers in ASCII.
//!
//! Source: RFC 2045 to 2047, 5322, 3834 (`Auto-Submitted`); Microsoft, [MS-OXCMAIL] for `X-Auto-Response-Suppress`
//! (as of 2026-11).

use std::time::{Duration, SystemTime};

use alerting::base::moment::Moment;
use channels::email::address::{Address, Mailbox};
use channels::email::mail::{Mail, MailBody};
use channels::email::relay::Relay;
use lettre::Message as MimeMessage;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{MessageBuilder, MultiPart, SinglePart};

/// Why a mail cannot be written. The settings pass the same checks, so it should not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MimeError {
    #[error("an address is not valid")]
    Address(#[from] lettre::address::AddressError),
    #[error("the message cannot be put together")]
    Message(#[from] lettre::error::Error),
}

/// The encoded message. It is ASCII for any text, so that every server accepts it.
pub(crate) fn written(mail: &Mail, relay: &Relay, at: Moment) -> Result<Vec<u8>, MimeError> {
    let MailBody { subject, important, text, html } = &mail.content;
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(at.secs().unsigned_abs());
    let mut builder = MimeMessage::builder()
        .from(mailbox(&relay.from)?)
        .to(lettre::message::Mailbox::new(None, address(&mail.to)?))
        .subject(subject)
        .date(date)
        .message_id(Some(mail.message_id.clone()))
        .header(AutoSubmitted)
        .header(AutoResponseSuppress);
    if let Some(reply_to) = &relay.reply_to {
        builder = builder.reply_to(mailbox(reply_to)?);
    }
    if let Some(thread) = &mail.thread {
        builder = builder.in_reply_to(thread.clone()).references(thread.clone());
    }
    if *important {
        builder = builder.header(Importance);
    }
    Ok(parts(builder, text, html.as_deref())?.formatted())
}

fn mailbox(mailbox: &Mailbox) -> Result<lettre::message::Mailbox, MimeError> {
    Ok(lettre::message::Mailbox::new(mailbox.name.clone(), address(&mailbox.address)?))
}

/// The address as lettre's own type.
pub(crate) fn address(address: &Address) -> Result<lettre::Address, MimeError> {
    Ok(address.as_str().parse()?)
}

fn parts(builder: MessageBuilder, text: &str, html: Option<&str>) -> Result<MimeMessage, MimeError> {
    Ok(match html {
        None => builder.singlepart(SinglePart::plain(text.to_owned()))?,
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(text.to_owned(), html.to_owned()))?,
    })
}

/// Headers with one value each.
macro_rules! headers {
    ($($(#[$doc:meta])* $header:ident: $name:literal = $value:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        struct $header;

        impl Header for $header {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self)
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), $value.to_owned())
            }
        }
    )+};
}

headers! {
    /// Prevents automatic replies.
    AutoSubmitted: "Auto-Submitted" = "auto-generated";
    /// The same for Exchange, which ignores the other header.
    AutoResponseSuppress: "X-Auto-Response-Suppress" = "All";
    Importance: "Importance" = "high";
}

#[cfg(test)]
mod tests;
