//! Signs and opens the links of messages: `v1.{kid}.{payload}.{mac}`.
//!
//! The key is derived from the deployment's data key for this purpose and for the key id. So a link of another
//! deployment, or one that was signed for another purpose, is not valid. The key id is the number of a period of 30 days;
//! the current period and the one before are accepted. A link is valid for seven days at most, so a new period does not
//! invalidate it early, and a key that leaked expires by itself.

use alerting::base::moment::Moment;
use alerting::incident::link::{Link, Links, TOKEN_BYTES};
use alerting::incident::notice::Notice;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hkdf::{HKDF_SHA256, Prk, Salt};
use ring::hmac;
use subtle::ConstantTimeEq as _;

const VERSION: &str = "v1";
/// How long one key is used for signing.
const PERIOD_SECS: i64 = 30 * 24 * 3600;
/// Bytes of HMAC-SHA256 that are kept: 128 bits.
const TAG_BYTES: usize = 16;

/// Signs links and opens them.
#[derive(Clone)]
pub struct LinkKeys {
    /// The key that signs and opens.
    current: Prk,
    /// The key that only opens, while the data key is rotated.
    previous: Option<Prk>,
}

/// Why a token is not valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkError {
    /// The token was altered, was not signed by this deployment, or its key has ended.
    Unknown,
    /// It was valid before and has expired.
    Expired(Link),
}

impl LinkKeys {
    /// The keys of the deployment with this data key.
    pub fn of(data_key: &str) -> Self {
        Self::new(extract(data_key), None)
    }

    /// `previous` was extracted from the data key before this one.
    pub(crate) fn new(current: Prk, previous: Option<Prk>) -> Self {
        Self { current, previous }
    }

    /// Signs a link. `at` chooses the key: with the notice's own time, every attempt to send it makes the same token.
    pub fn sign(&self, link: &Link, at: Moment) -> String {
        let kid = period(at);
        let signed = format!("{VERSION}.{kid}.{link}");
        let tag = tag(&self.current, kid, &signed);
        format!("{signed}.{tag}")
    }

    /// The link that a token holds. It depends on the token only; no table is read.
    pub fn open(&self, token: &str, now: Moment) -> Result<Link, LinkError> {
        if token.len() > TOKEN_BYTES {
            return Err(LinkError::Unknown);
        }
        let (signed, tag) = token.rsplit_once('.').ok_or(LinkError::Unknown)?;
        let payload = signed.strip_prefix(VERSION).and_then(|rest| rest.strip_prefix('.'));
        let (kid, payload) = payload.and_then(|rest| rest.split_once('.')).ok_or(LinkError::Unknown)?;
        let kid: i64 = kid.parse().map_err(|_| LinkError::Unknown)?;
        if ![period(now), period(now) - 1].contains(&kid) {
            return Err(LinkError::Unknown);
        }
        let mut keys = [Some(&self.current), self.previous.as_ref()].into_iter().flatten();
        if !keys.any(|key| self::tag(key, kid, signed).as_bytes().ct_eq(tag.as_bytes()).into()) {
            return Err(LinkError::Unknown);
        }
        let link: Link = payload.parse().map_err(|_| LinkError::Unknown)?;
        if now < link.expires_at { Ok(link) } else { Err(LinkError::Expired(link)) }
    }
}

fn tag(extracted: &Prk, kid: i64, signed: &str) -> String {
    let kid = kid.to_string();
    let purpose: [&[u8]; 2] = [b"message links v1 ", kid.as_bytes()];
    let key = extracted.expand(&purpose, hmac::HMAC_SHA256).expect("32 bytes are within HKDF's reach");
    let tag = hmac::sign(&hmac::Key::from(key), signed.as_bytes());
    URL_SAFE_NO_PAD.encode(&tag.as_ref()[..TAG_BYTES])
}

impl std::fmt::Debug for LinkKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKeys([redacted])")
    }
}

pub(crate) fn extract(data_key: &str) -> Prk {
    Salt::new(HKDF_SHA256, b"larkspur").extract(data_key.as_bytes())
}

const fn period(at: Moment) -> i64 {
    at.secs().div_euclid(PERIOD_SECS)
}

/// The links of notices as they appear in messages.
#[derive(Debug, Clone)]
pub struct SignedLinks<'a> {
    pub keys: &'a LinkKeys,
    /// The base of the links: `https://larkspur.example`.
    pub base: &'a str,
}

impl SignedLinks<'_> {
    /// The URL of a link that was made at `at`.
    pub fn url(&self, link: &Link, at: Moment) -> String {
        format!("{}/links/{}", self.base.trim_end_matches('/'), self.keys.sign(link, at))
    }
}

impl Links for SignedLinks<'_> {
    fn details(&self, notice: &Notice) -> String {
        self.url(&Link::of(notice), notice.at)
    }

    fn acknowledge(&self, notice: &Notice) -> String {
        format!("{}?ack=1", self.details(notice))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use alerting::incident::link::Allows;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    /// The last second of a period.
    const END: Moment = Moment::from_secs(700 * PERIOD_SECS - 1);
    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn link(expires_at: Moment) -> Link {
        Link {
            incident: "inc_01KE6W5Z000000000000000001abc".parse().expect("valid"),
            episode: 0,
            allows: Allows::Acknowledge,
            destination: "dst_4fJk2LmNpQ".parse().expect("valid"),
            expires_at,
            member: None,
        }
    }

    // Proves: fault 83
    #[test]
    fn a_token_opens_until_it_expires_also_past_the_end_of_its_period() {
        let (keys, link) = (LinkKeys::of(KEY), link(Moment::from_secs((END + DAY * 7).secs())));
        let token = keys.sign(&link, END);
        assert!(token.starts_with("v1.699.01KE6W5Z") && token.len() < 120, "{token}");
        for at in [END, END + DAY, END + DAY * 7 - Duration::from_secs(1)] {
            assert_eq!(keys.open(&token, at), Ok(link.clone()), "{at}");
        }
        assert_eq!(keys.open(&token, END + DAY * 7), Err(LinkError::Expired(link)));
    }

    // Proves: fault 83
    #[test]
    fn a_key_ends_with_the_period_behind_its_own() {
        let keys = LinkKeys::of(KEY);
        let link = link(END + DAY * 365);
        let token = keys.sign(&link, END);
        assert!(keys.open(&token, END + DAY * 30).is_ok(), "the period before is accepted");
        assert_eq!(keys.open(&token, END + DAY * 31), Err(LinkError::Unknown), "the one before that is not");
        assert_eq!(keys.open(&token, Moment::from_secs(END.secs() - PERIOD_SECS)), Err(LinkError::Unknown));
    }

    // Proves: finding A6
    #[test]
    fn while_the_data_key_is_rotated_links_of_both_keys_open_and_the_new_one_signs() {
        let (old, new) = (extract(KEY), extract("another data key 0123456789abcdef"));
        let link = link(END + DAY);
        let both = LinkKeys::new(new.clone(), Some(old.clone()));
        assert_eq!(both.open(&LinkKeys::new(old, None).sign(&link, END), END), Ok(link.clone()));
        assert_eq!(LinkKeys::new(new, None).open(&both.sign(&link, END), END), Ok(link));
    }

    // Proves: fault 77
    #[test]
    fn every_altered_byte_and_every_other_key_is_refused() {
        let (keys, link) = (LinkKeys::of(KEY), link(END + DAY));
        let token = keys.sign(&link, END);
        for place in 0..token.len() {
            for byte in [b'A', b'z', b'0', b'-', b'.', b'_', b' '] {
                let mut altered = token.clone().into_bytes();
                if altered[place] == byte {
                    continue;
                }
                altered[place] = byte;
                let altered = String::from_utf8(altered).expect("ASCII");
                assert_eq!(keys.open(&altered, END), Err(LinkError::Unknown), "{altered}");
            }
            assert_eq!(keys.open(&token[..place], END), Err(LinkError::Unknown));
        }
        assert_eq!(keys.open(&format!("{token}A"), END), Err(LinkError::Unknown));
        assert_eq!(keys.open(&"v1.".repeat(1000), END), Err(LinkError::Unknown));
        assert_eq!(LinkKeys::of("another deployment's data key 0123").open(&token, END), Err(LinkError::Unknown));
    }
}
