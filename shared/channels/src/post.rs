//! What a message is to say, before a channel writes it.

use alerting::incident::card::Card;
use alerting::incident::link::Links;
use alerting::incident::notice::Notice;
use alerting::people::destination::{Language, TimeZone};

/// What to say. One notice is laid out richly; several become one line each.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// At least one, oldest first.
    pub notices: &'a [Notice],
    pub links: &'a dyn Links,
    pub language: Language,
    /// In which times are written.
    pub time_zone: &'a TimeZone,
    pub form: Form,
    /// The template of one notice's content, instead of the channel's own; several notices are lines and use none.
    pub template: Option<&'a str>,
    /// The incident of the one notice as it is now, for channels of [`crate::channel::Kind::Card`].
    pub card: Option<&'a Card>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Cards, colours, buttons: whatever the vendor has.
    #[default]
    Rich,
    /// Plain text, for when the provider refused the rich form ([`crate::outcome::Reason::wants_plain`]).
    Plain,
}

/// What a person is told that is about themselves and no incident. It may hold a code, so it is never printed.
#[derive(Clone, Copy)]
pub struct Letter<'a> {
    /// Different for every letter.
    pub id: &'a str,
    pub subject: &'a str,
    /// Complete without the subject.
    pub text: &'a str,
}
