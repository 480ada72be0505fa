//! The input of a message, before a channel writes it.

use alerting::incident::card::Card;
use alerting::incident::link::Links;
use alerting::incident::notice::Notice;
use alerting::people::destination::{Language, TimeZone};

/// The notices of one message, with the reader's language and time zone. Several notices become one line each.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// At least one, oldest first.
    pub notices: &'a [Notice],
    pub links: &'a dyn Links,
    pub language: Language,
    /// The time zone of times in the message.
    pub time_zone: &'a TimeZone,
    pub form: Form,
    /// A template that replaces the channel's own. Several notices are lines and use no template.
    pub template: Option<&'a str>,
    /// The incident of the one notice as it is now, for channels of [`crate::channel::Kind::Card`].
    pub card: Option<&'a Card>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// With cards, colours and buttons, if the vendor has them.
    #[default]
    Rich,
    /// Plain text, after the provider refused the rich form ([`crate::outcome::Reason::wants_plain`]).
    Plain,
}

/// A message to a person about themselves, not about an incident. It may hold a code, so it is never printed.
#[derive(Clone, Copy)]
pub struct Letter<'a> {
    /// Different for every letter.
    pub id: &'a str,
    pub subject: &'a str,
    /// Complete without the subject.
    pub text: &'a str,
}
