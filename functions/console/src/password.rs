//! Passwords: argon2id with the parameters that OWASP recommends, in a separate thread.
//!
//! The length is the only rule: rules about the characters make people write passwords down.

use std::sync::Arc;

use alerting::base::secret::Secret;
use argon2::password_hash::{CustomizedPasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, Params};
use lambda_kit::random;
use store::accounts::PasswordHash;
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// The least number of characters. A shorter password can be guessed quickly from a stolen hash.
pub(crate) const LEAST: usize = 12;
/// The largest number of characters. It limits the time of one hash.
pub(crate) const MOST: usize = 256;
/// KiB of memory, passes, lanes: OWASP's cheat sheet on password storage, read 2026-11-22.
const COSTS: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Random base62 characters of a salt: 131 bits.
const SALT_CHARS: usize = 22;
/// Limits how many hashes are computed at a time: each takes 19 MiB of memory.
static TURNS: Semaphore = Semaphore::const_new(2);
/// Checked if there is no account, so that the answer takes the same time.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password was not hashed or checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error("the password could not be hashed")]
    Hash(argon2::password_hash::Error),
    #[error("hashing was cut off")]
    CutOff(#[from] tokio::task::JoinError),
}

/// Whether a password may be chosen.
pub(crate) fn check(password: &Secret) -> Result<(), ApiError> {
    let chars = password.expose().chars().count();
    if (LEAST..=MOST).contains(&chars) {
        return Ok(());
    }
    Err(ApiError::invalid("password", format!("expected {LEAST} to {MOST} characters; any will do")))
}

pub(crate) async fn hash(password: Secret) -> Result<PasswordHash, PasswordError> {
    let hash = apart(move || {
        let params = Params::new(COSTS.0, COSTS.1, COSTS.2, None).expect("within argon2's limits");
        let salt = random::base62(SALT_CHARS);
        Argon2::default().hash_password_with_params(password.expose().as_bytes(), salt.as_bytes(), params)
    });
    let hash: argon2::PasswordHash = hash.await?.map_err(PasswordError::Hash)?;
    Ok(PasswordHash(hash.to_string()))
}

/// Whether the password is right. It takes the same time if there is no account.
pub(crate) async fn is_right(password: Secret, hash: Option<PasswordHash>) -> Result<bool, PasswordError> {
    let hash = hash.map_or_else(|| Arc::from(DUMMY_HASH), |hash| Arc::<str>::from(hash.0));
    // A password outside the limits is not hashed: the time of argon2 grows with its length.
    let password = if check(&password).is_ok() { password } else { Secret::new("") };
    apart(move || Argon2::default().verify_password(password.expose().as_bytes(), &*hash).is_ok()).await
}

/// Runs in a separate thread, so that hashing blocks no request.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
    let _turn = TURNS.acquire().await.expect("nobody closes it");
    Ok(tokio::task::spawn_blocking(work).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_right_against_its_own_hash_only() {
        let hashed = hash(Secret::new("correct horse battery")).await.expect("hashed");
        assert!(hashed.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hashed.0);
        assert_eq!(format!("{hashed:?}"), "[redacted]");
        for (password, right) in [("correct horse battery", true), ("correct horse Battery", false), ("", false)] {
            let found = is_right(Secret::new(password), Some(hashed.clone())).await.expect("checked");
            assert_eq!(found, right, "{password}");
        }
        assert!(!is_right(Secret::new("correct horse battery"), None).await.expect("checked"));
        let again = hash(Secret::new("correct horse battery")).await.expect("hashed");
        assert_ne!(hashed, again, "each has a salt of its own");
    }

    #[test]
    fn a_missing_account_costs_as_much_as_a_password() {
        let dummy = argon2::PasswordHash::new(DUMMY_HASH).expect("a hash");
        let params = Params::try_from(&dummy).expect("argon2's");
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), COSTS);
    }

    #[test]
    fn length_is_the_only_rule() {
        for (password, allowed) in [
            ("a".repeat(11), false),
            ("a".repeat(12), true),
            ("密".repeat(12), true),
            ("密".repeat(256), true),
            ("a".repeat(257), false),
            (" ".repeat(12), true),
        ] {
            assert_eq!(check(&Secret::new(password.clone())).is_ok(), allowed, "{password}");
        }
    }
}
