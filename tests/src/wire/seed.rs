//! The source of random numbers.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use lambda_kit::settings::Env;

/// What all draws follow from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// `LARKSPUR_SEED`, or another one each time.
    pub fn choose() -> Self {
        let wanted = Env::read().optional("LARKSPUR_SEED");
        let fresh = || RandomState::new().hash_one("a seed") >> 32;
        Self(wanted.map_or_else(fresh, |text| text.parse().expect("LARKSPUR_SEED is a number")))
    }

    /// A number that depends on the seed and on `what` alone.
    pub fn draw(self, what: &[u64]) -> u64 {
        what.iter().fold(mixed(self.0), |state, part| mixed(state ^ *part))
    }

    /// Whether something happens that does so with this chance.
    pub fn happens(self, chance: f64, what: &[u64]) -> bool {
        // 53 bits are what a float holds exactly.
        ((self.draw(what) >> 11) as f64) < chance * (1_u64 << 53) as f64
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The generator `SplitMix64`.
fn mixed(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
