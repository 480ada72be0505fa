//! One-time codes, which prove that a member reads messages at an address.
//!
//! This module only decides. A code is stored as a keyed hash. The caller writes the result of [`Code::enter`] on the
//! condition that no code was entered meanwhile, so at most [`TRIES`] guesses are ever answered.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::moment::Moment;

/// How long a code is valid.
pub const LIFE: Duration = Duration::from_secs(10 * 60);
/// The most guesses for one code, of a million possible codes.
pub const TRIES: u32 = 5;
/// The most codes sent within each of these periods, to one address and to all addresses of one member.
pub const LIMITS: [(usize, Duration); 2] = [(3, Duration::from_secs(15 * 60)), (10, Duration::from_secs(24 * 3600))];

/// A code that was sent to an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The hash of member, address and code together, so that a code is wrong for any other address.
    pub hash: String,
    pub until: Moment,
    pub tries: u32,
    pub used: bool,
}

/// The result of entering a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    Right,
    /// The code is wrong. The number is how many tries are left.
    Wrong(u32),
}

/// The reason why an entered code is not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Void {
    #[error("the code was used already; have a new one sent")]
    Used,
    #[error("the code has expired; have a new one sent")]
    Expired,
    #[error("the code was entered wrongly {TRIES} times; have a new one sent")]
    TooManyTries,
}

impl Code {
    pub fn new(hash: String, now: Moment) -> Self {
        Self { hash, until: now + LIFE, tries: 0, used: false }
    }

    /// Compares an entered code by its hash. Returns the code to store, and the result.
    pub fn enter(&self, hash: &str, now: Moment) -> Result<(Code, Entered), Void> {
        if self.used {
            return Err(Void::Used);
        }
        if self.until <= now {
            return Err(Void::Expired);
        }
        if self.tries >= TRIES {
            return Err(Void::TooManyTries);
        }
        if self.hash == hash {
            return Ok((Code { used: true, ..self.clone() }, Entered::Right));
        }
        let tries = self.tries + 1;
        Ok((Code { tries, ..self.clone() }, Entered::Wrong(TRIES - tries)))
    }
}

/// Adds `now` to the times at which codes were sent, or returns the time to wait before the next code.
pub fn send(sent: &[Moment], now: Moment) -> Result<Vec<Moment>, Duration> {
    let within = |per: Duration| sent.iter().copied().filter(move |at| *at + per > now);
    let waits = LIMITS.iter().filter_map(|(most, per)| {
        let mut recent: Vec<Moment> = within(*per).collect();
        recent.sort_unstable();
        // The next code may be sent when the code at the index `oldest` is outside the window.
        let oldest = recent.len().checked_sub(*most)?;
        Some((recent[oldest] + *per).since(now))
    });
    match waits.max() {
        Some(wait) => Err(wait),
        None => Ok(within(LIMITS[LIMITS.len() - 1].1).chain([now]).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_secs(1_795_323_600);

    fn mins(minutes: u64) -> Moment {
        NOW + Duration::from_secs(minutes * 60)
    }

    #[test]
    fn five_wrong_guesses_lock_a_code_also_for_the_right_one() {
        let mut code = Code::new("right".to_owned(), NOW);
        for left in [4, 3, 2, 1, 0] {
            let (next, entered) = code.enter("wrong", NOW).expect("it is looked at");
            assert_eq!(entered, Entered::Wrong(left));
            code = next;
        }
        assert_eq!(code.enter("right", NOW), Err(Void::TooManyTries));
    }

    #[test]
    fn the_right_code_works_once_and_for_ten_minutes() {
        let code = Code::new("right".to_owned(), NOW);
        let rows = [(0, true), (9, true), (10, false), (60, false)];
        for (minutes, works) in rows {
            assert_eq!(code.enter("right", mins(minutes)).is_ok(), works, "{minutes}");
        }
        let (used, entered) = code.enter("right", NOW).expect("it is looked at");
        assert_eq!((entered, used.enter("right", NOW)), (Entered::Right, Err(Void::Used)));
    }

    #[test]
    fn three_codes_in_a_quarter_of_an_hour_and_ten_a_day() {
        let mut sent = Vec::new();
        let (mut granted, mut waits) = (Vec::new(), Vec::new());
        for minute in 0..24 * 60 {
            match send(&sent, mins(minute)) {
                Ok(next) => {
                    sent = next;
                    granted.push(minute);
                }
                Err(wait) => waits.push((minute, wait)),
            }
        }
        assert_eq!(granted, [0, 1, 2, 15, 16, 17, 30, 31, 32, 45]);
        assert_eq!(waits[0], (3, Duration::from_secs(12 * 60)), "until the first of the three is a quarter old");
        let (minute, wait) = waits[waits.len() - 1];
        assert_eq!((minute, wait), (24 * 60 - 1, Duration::from_secs(60)), "until the first of the ten is a day old");
        assert_eq!(send(&sent, mins(24 * 60)).expect("room").len(), 10, "what no limit looks at is forgotten");
    }
}
