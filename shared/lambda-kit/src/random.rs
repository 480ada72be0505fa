//! Randomness: keys, ids, and the stamps of messages.

use std::sync::Mutex;

use alerting::base::ids::Stamp;
use alerting::base::moment::Moment;
use ulid::Ulid;

pub(crate) const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `n` random base62 characters; 18 of them are 107 bits.
pub fn base62(n: usize) -> String {
    let mut text = String::with_capacity(n);
    let mut bytes = [0_u8; 32];
    while text.len() < n {
        getrandom::fill(&mut bytes).expect("the operating system has randomness");
        // 248 is the largest multiple of 62 in a byte. Greater values would make the first letters more likely.
        let letters = bytes.iter().filter(|byte| **byte < 248).map(|byte| char::from(LETTERS[usize::from(byte % 62)]));
        text.extend(letters.take(n - text.len()));
    }
    text
}

/// `n` random digits.
pub fn digits(n: usize) -> String {
    let mut text = String::with_capacity(n);
    let mut bytes = [0_u8; 32];
    while text.len() < n {
        getrandom::fill(&mut bytes).expect("the operating system has randomness");
        // 250 is the largest multiple of 10 in a byte.
        let digits = bytes.iter().filter(|byte| **byte < 250).map(|byte| char::from(b'0' + byte % 10));
        text.extend(digits.take(n - text.len()));
    }
    text
}

/// Makes stamps that only grow within the process, also within a millisecond and when the clock goes back.
#[derive(Debug, Default)]
pub struct StampSource {
    last: Mutex<Option<Ulid>>,
}

impl StampSource {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn next(&self, now: Moment) -> Stamp {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).expect("the operating system has randomness");
        let fresh = Ulid::from_parts(now.millis().max(0).unsigned_abs(), u128::from_ne_bytes(random) >> 49);
        let mut last = self.last.lock().expect("nothing panics while it holds the last stamp");
        let next = match *last {
            Some(before) if before >= fresh || before.timestamp_ms() == fresh.timestamp_ms() => {
                before.increment().expect("79 random bits leave room for every message of a millisecond")
            }
            _ => fresh,
        };
        *last = Some(next);
        Stamp::new(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_grow_within_a_millisecond_and_when_the_clock_goes_back() {
        let stamps = StampSource::new();
        let mut last = stamps.next(Moment::from_millis(5_000));
        for ms in [5_000, 5_000, 4_000, 5_000, 6_000, 6_000] {
            let next = stamps.next(Moment::from_millis(ms));
            assert!(next > last);
            last = next;
        }
        assert_eq!(last.received_at(), Moment::from_millis(6_000));
    }

    #[test]
    fn keys_have_the_wanted_length_and_letters() {
        let key = base62(18);
        assert_eq!(key.len(), 18);
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let code = digits(6);
        assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    }
}
