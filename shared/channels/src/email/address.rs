//! An address, and an address with a name. They are checked like in the library that writes the mail: a valid address
//! must not fail there. A test beside that library (`post/src/mime/tests.rs`) compares the two.
//!
//! In: `Larkspur <alerts@example.com>`, `"Larkspur, Inc." <alerts@example.com>`, `alerts@example.com`.
//!
//! Source: RFC 5322, sections 3.2 to 3.4; RFC 6531 for characters that are not ASCII.

use std::net::IpAddr;

use email_address::EmailAddress;

/// One address, such as `ops@example.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
    /// Where the `@` is.
    at: usize,
}

impl Address {
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        let is_valid = EmailAddress::is_valid_local_part(local) && is_domain(domain);
        is_valid.then(|| Self { text: text.to_owned(), at: local.len() })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }
}

impl serde::Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

fn is_domain(domain: &str) -> bool {
    is_ascii_domain(domain) || idna::domain_to_ascii(domain).is_ok_and(|domain| is_ascii_domain(&domain))
}

fn is_ascii_domain(domain: &str) -> bool {
    let bare = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(domain);
    EmailAddress::is_valid_domain(domain) || bare.parse::<IpAddr>().is_ok()
}

/// An address with a display name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    pub name: Option<String>,
    pub address: Address,
}

impl Mailbox {
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>') {
            None => (None, text),
            Some(text) => {
                let (name, address) = text.rsplit_once('<')?;
                (Some(name.trim()).filter(|name| !name.is_empty()), address.trim())
            }
        };
        // A quoted local part and an address in brackets are valid in an address alone, not beside a name.
        let is_plain = !address.contains(['"', '[', ' ', '\t']);
        let address = is_plain.then(|| Address::parse(address)).flatten()?;
        let name = match name {
            None => None,
            Some(name) => Some(phrase(name)?),
        };
        Some(Self { name, address })
    }
}

/// A display name without quotes and backslashes. `None`: it has characters that must be quoted and are not.
fn phrase(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => quoted(&mut rest, &mut out)?,
            ' ' | '\t' => {
                if rest.peek().is_some_and(|next| !matches!(next, ' ' | '\t')) {
                    out.push(' ');
                }
            }
            '.' if !out.is_empty() => out.push('.'),
            c if is_atom(c) => out.push(c),
            _ => return None,
        }
    }
    Some(out)
}

/// The text up to the closing quote. Runs of white space become one space, and none is left before the quote.
fn quoted(rest: &mut impl Iterator<Item = char>, out: &mut String) -> Option<()> {
    let mut space = None;
    loop {
        let c = match rest.next()? {
            '"' => return Some(()),
            space_or_tab @ (' ' | '\t') => {
                space = space.or(Some(space_or_tab));
                continue;
            }
            '\\' => rest.next().filter(char::is_ascii)?,
            c => c,
        };
        out.extend(space.take());
        out.push(c);
    }
}

fn is_atom(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii()
}
