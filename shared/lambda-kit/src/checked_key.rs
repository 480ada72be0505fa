//! Keys with a checksum: random characters, then a keyed checksum that shows that this deployment made the key.
//!
//! The checksum is no secret and authorises nothing. It distinguishes a key of this deployment from a guess without reading
//! the table: one of 14 million guesses at an intake key passes, and one of 10¹⁰ at an API key. Keys of earlier versions
//! have no checksum, and a rotation of the data key changes it. Such keys stay valid and are looked up within a limit per
//! source.
//!
//! | key | characters | random | checksum |
//! |---|---|---|---|
//! | intake | 18 | 14, 83 bits | 4, 24 bits |
//! | API | 44 behind `lks_` | 38, 226 bits | 6, 36 bits |

use crate::random::{LETTERS, base62};
use crate::secrets::{SealError, Sealer};

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Intake,
    Api,
}

impl Kind {
    const fn purpose(self) -> &'static str {
        match self {
            Kind::Intake => "checksum of an intake key",
            Kind::Api => "checksum of an API key",
        }
    }

    /// How many characters are random, and how many the checksum has.
    const fn lengths(self) -> (usize, usize) {
        match self {
            Kind::Intake => (14, 4),
            Kind::Api => (38, 6),
        }
    }
}

/// Makes a new key, without the prefix that its kind may have.
pub async fn make(sealer: &Sealer, kind: Kind) -> Result<String, SealError> {
    let random = base62(kind.lengths().0);
    let checksum = checksum(sealer, kind, &random).await?;
    Ok(random + &checksum)
}

/// Whether the key has the checksum of this deployment.
pub async fn is_ours(sealer: &Sealer, kind: Kind, key: &str) -> Result<bool, SealError> {
    let (random, sum) = kind.lengths();
    if key.len() != random + sum || !key.is_ascii() {
        return Ok(false);
    }
    let (random, given) = key.split_at(random);
    Ok(checksum(sealer, kind, random).await? == given)
}

async fn checksum(sealer: &Sealer, kind: Kind, random: &str) -> Result<String, SealError> {
    let hash = sealer.keyed_hash(&[kind.purpose(), random]).await?;
    // The bytes of the hash's base64 are folded into one number, so that each digit depends on sixteen of them.
    let mut number = hash.bytes().take(20).fold(0_u128, |number, byte| number.wrapping_mul(67) + u128::from(byte));
    let letters = (0..kind.lengths().1).map(|_| {
        let letter = LETTERS[usize::try_from(number % 62).expect("below 62")];
        number /= 62;
        char::from(letter)
    });
    Ok(letters.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(data_key: &str) -> Sealer {
        Sealer::with_key(data_key)
    }

    // Proves: finding C10
    #[tokio::test]
    async fn a_key_shows_which_deployment_and_which_kind_it_is_of() {
        let (here, elsewhere) = (sealer(&"a".repeat(32)), sealer(&"b".repeat(32)));
        for (kind, length) in [(Kind::Intake, 18), (Kind::Api, 44)] {
            let key = make(&here, kind).await.expect("made");
            assert!(key.len() == length && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
            assert!(is_ours(&here, kind, &key).await.expect("known"));
            assert!(!is_ours(&elsewhere, kind, &key).await.expect("known"));
            for guess in [base62(length), base62(length - 1), format!("{}é", base62(length - 2)), String::new()] {
                assert!(!is_ours(&here, kind, &guess).await.expect("known"), "{guess}");
            }
        }
        let sums: std::collections::BTreeSet<String> = {
            let mut sums = std::collections::BTreeSet::new();
            for n in 0..500 {
                sums.insert(checksum(&here, Kind::Intake, &n.to_string()).await.expect("made"));
            }
            sums
        };
        assert!(sums.len() > 490, "{}", sums.len());
    }
}
