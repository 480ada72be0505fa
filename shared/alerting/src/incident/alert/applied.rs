//! Remembers which messages a state has applied, as long as they may be redelivered.
//!
//! If an evaluator stops between the write of the state and the record of its messages, the messages stay in the queue.
//! When they are redelivered, they are not newer than the watermark and look superseded. The mark of a message stores
//! its effect, so the message is recorded with that effect.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::base::ids::Stamp;

/// The number of marks that stay besides those of the newest write.
pub const RECENT: usize = 22;
/// How many batches of the size of the newest batch are remembered. One machine runs at most this many evaluators.
const BATCHES: usize = 4;
/// Bytes of a mark: the first bits of a hash of the stamp, and two bits for the effect. One of four million superseded
/// messages has the same mark as another message.
const LENGTH: usize = 3;

/// The effect of one message on its alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    Triggered,
    Updated,
    Recovered,
    /// A close while no episode was open.
    NothingOpen,
    /// A newer message of the key was applied first.
    Superseded,
}

/// The marks of the messages, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppliedMessages(Vec<u8>);

impl AppliedMessages {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The effect of the message with this stamp, if it was applied and is still remembered.
    pub(super) fn effect(&self, stamp: Stamp) -> Option<Effect> {
        let wanted = mark(stamp, 0);
        let mut marks = self.0.chunks_exact(LENGTH);
        let same = |mark: &&[u8]| mark[..2] == wanted[..2] && mark[2] & !3 == wanted[2];
        Some(match marks.rfind(same)?[2] & 3 {
            0 => Effect::Triggered,
            1 => Effect::Updated,
            2 => Effect::Recovered,
            _ => Effect::NothingOpen,
        })
    }

    pub(super) fn push(&mut self, stamp: Stamp, effect: Effect) {
        let bits = match effect {
            Effect::Triggered => 0,
            Effect::Updated => 1,
            Effect::Recovered => 2,
            Effect::NothingOpen => 3,
            // A superseded message was not applied.
            Effect::Superseded => return,
        };
        self.0.extend(mark(stamp, bits));
    }

    /// Removes the oldest marks. `newest`: the number of marks that the next write adds.
    pub(super) fn forget(&mut self, newest: usize) {
        let kept = RECENT.max(BATCHES * newest) * LENGTH;
        self.0.drain(..self.0.len().saturating_sub(kept));
    }
}

fn mark(stamp: Stamp, bits: u8) -> [u8; LENGTH] {
    let hash = Sha256::digest(stamp.to_string());
    [hash[0], hash[1], hash[2] & !3 | bits]
}

impl TryFrom<String> for AppliedMessages {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        STANDARD_NO_PAD.decode(text).map(Self)
    }
}

impl From<AppliedMessages> for String {
    fn from(applied: AppliedMessages) -> Self {
        STANDARD_NO_PAD.encode(applied.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::moment::Moment;

    fn stamp(at: usize) -> Stamp {
        Stamp::from_parts(Moment::from_millis(i64::try_from(at).expect("small")), 7)
    }

    #[test]
    fn a_message_is_known_by_what_it_did() {
        let mut applied = AppliedMessages::default();
        let effects = [Effect::Triggered, Effect::Updated, Effect::Recovered, Effect::NothingOpen];
        for (at, effect) in effects.into_iter().enumerate() {
            applied.push(stamp(at), effect);
        }
        let stored = String::from(applied);
        assert_eq!(stored.len(), 16);
        let applied = AppliedMessages::try_from(stored).expect("it can be read");
        assert_eq!([0, 1, 2, 3].map(|at| applied.effect(stamp(at))), effects.map(Some));
        assert_eq!(applied.effect(stamp(4)), None);
    }

    #[test]
    fn the_oldest_are_forgotten_and_four_batches_like_the_newest_are_not() {
        for (messages, newest, kept) in [(20, 1, 20), (100, 1, 22), (100, 6, 24), (100, 20, 80), (100, 100, 100)] {
            let mut applied = AppliedMessages::default();
            (0..messages).for_each(|at| applied.push(stamp(at), Effect::Updated));
            applied.forget(newest);
            let known: Vec<usize> = (0..messages).filter(|at| applied.effect(stamp(*at)).is_some()).collect();
            assert_eq!(known, (messages - kept..messages).collect::<Vec<_>>(), "{newest} of {messages}");
        }
    }
}
