//! Changes a saved object that others may be changing at the same time: read, change, save if nobody else did.

use store::errors::SaveError;

/// How often a change is tried again on the newer object after it lost a race.
const RACES: usize = 4;

/// Every attempt lost a race.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("others are changing the same object; read it again")]
pub struct Raced;

/// Reads, changes and saves, and repeats this if someone else saved meanwhile.
pub async fn save_over<T, E, F>(attempt: impl Fn() -> F) -> Result<T, E>
where
    F: Future<Output = Result<Result<T, SaveError>, E>>,
    E: From<SaveError> + From<Raced>,
{
    for _ in 0..RACES {
        match attempt().await? {
            Err(SaveError::Conflict { .. }) => {}
            done => return done.map_err(E::from),
        }
    }
    Err(E::from(Raced))
}
