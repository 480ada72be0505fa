//! The messages by which a destination shows an incident, as far as they can be changed: `cards` of a delivery.

use alerting::base::moment::Moment;
use serde::{Deserialize, Serialize};

/// Cards that a delivery keeps: the newest ones. Older ones have lost their buttons.
pub const CARDS: usize = 3;
/// Bytes of a receipt. The table bills a write by the size of its whole item.
pub const RECEIPT_BYTES: usize = 512;

/// One message that a provider took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentCard {
    /// The change that it was sent for.
    pub n: u64,
    /// The newest change that it shows.
    pub shown: u64,
    /// The provider's id of the message, which only its channel can read.
    pub receipt: String,
    pub at: Moment,
    /// Whether it can still be changed.
    pub live: bool,
    /// Whether it offers actions, as far as the state has any. Only the newest card does.
    #[serde(default = "offers")]
    pub offers: bool,
}

/// Cards of earlier versions were all sent with their buttons.
const fn offers() -> bool {
    true
}

/// The cards with a new one, newest first; `None` if its receipt is too long to be kept.
pub fn with_new(known: &[SentCard], new: SentCard) -> Option<Vec<SentCard>> {
    let fits = new.receipt.len() <= RECEIPT_BYTES;
    let older = known.iter().filter(|card| card.receipt != new.receipt).cloned();
    fits.then(|| std::iter::once(new.clone()).chain(older).take(CARDS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(n: u64) -> SentCard {
        SentCard { n, shown: n, receipt: format!("m{n}"), at: Moment::from_secs(1), live: true, offers: true }
    }

    #[test]
    fn the_newest_cards_are_kept_newest_first_and_each_message_once() {
        let mut cards = Vec::new();
        for n in [1, 2, 3, 4] {
            cards = with_new(&cards, card(n)).expect("short");
        }
        assert_eq!(cards, [card(4), card(3), card(2)]);
        assert_eq!(with_new(&cards, card(3)).expect("short"), [card(3), card(4), card(2)]);
    }

    #[test]
    fn a_receipt_that_is_too_long_is_not_kept() {
        let of = |bytes: usize| with_new(&[], SentCard { receipt: "x".repeat(bytes), ..card(1) });
        assert_eq!((of(512).map(|cards| cards.len()), of(513)), (Some(1), None));
    }
}
