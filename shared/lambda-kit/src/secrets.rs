//! Secrets at rest: sealed with the deployment's data key (AES-256-GCM), bound to the record that owns them.
//!
//! The data key is fetched from Secrets Manager when it is first needed, once per start. While Secrets Manager is down, a
//! running process keeps its key, and a new process fails only the requests that need it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::Prk;
use ring::hmac;
use tokio::sync::OnceCell;

use alerting::base::secret::{Sealed, Secret};

use crate::links::{LinkKeys, extract};

/// Seals and opens secrets. It is shared, so it needs no clones.
pub struct Sealer {
    client: aws_sdk_secretsmanager::Client,
    secret_id: String,
    previous: Option<String>,
    keys: OnceCell<Keys>,
}

#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("the data key could not be fetched")]
    Fetch(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the data key's secret holds no text of at least 32 characters")]
    Unusable,
    #[error("the sealed text of {0} cannot be opened with this deployment's data key")]
    Open(String),
}

impl Sealer {
    pub fn new(client: aws_sdk_secretsmanager::Client, secret_id: impl Into<String>) -> Self {
        Self { client, secret_id: secret_id.into(), previous: None, keys: OnceCell::new() }
    }

    /// Adds the data key before this one, while it is rotated. It only opens secrets; new ones are sealed with the new
    /// key.
    #[must_use]
    pub fn with_previous(self, secret_id: Option<String>) -> Self {
        Self { previous: secret_id, ..self }
    }

    /// A sealer with this text of at least 32 characters as the data key.
    #[cfg(test)]
    pub(crate) fn with_key(text: &str) -> Self {
        let client = aws_sdk_secretsmanager::Client::new(&crate::aws::local_config("http://127.0.0.1:9"));
        let keys = OnceCell::new_with(Some(Keys::derive(text, None)));
        Self { keys, ..Self::new(client, "data-key") }
    }

    /// Seals `plain` for the record `owner`; it cannot be opened for another owner.
    pub async fn seal(&self, owner: &str, plain: &str) -> Result<Sealed, SealError> {
        Ok(self.keys().await?.seal(owner, plain))
    }

    pub async fn open(&self, owner: &str, sealed: &Sealed) -> Result<Secret, SealError> {
        self.keys().await?.open(owner, sealed).ok_or_else(|| SealError::Open(owner.to_owned()))
    }

    /// The keys that sign the links of messages.
    pub async fn link_keys(&self) -> Result<&LinkKeys, SealError> {
        Ok(&self.keys().await?.links)
    }

    /// A hash of `parts`, base64, that cannot be computed without the data key: for values too short for a plain hash.
    pub async fn keyed_hash(&self, parts: &[&str]) -> Result<String, SealError> {
        let mut context = hmac::Context::with_key(&self.keys().await?.hash);
        for part in parts {
            // The length comes first, so that two different lists of parts never give the same bytes.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        Ok(STANDARD.encode(context.sign()))
    }

    async fn keys(&self) -> Result<&Keys, SealError> {
        self.keys.get_or_try_init(|| self.fetch()).await
    }

    async fn fetch(&self) -> Result<Keys, SealError> {
        let current = self.fetch_one(&self.secret_id).await?;
        let previous = match &self.previous {
            Some(secret_id) => Some(self.fetch_one(secret_id).await?),
            None => None,
        };
        Ok(Keys::derive(current.expose(), previous.as_ref().map(Secret::expose)))
    }

    async fn fetch_one(&self, secret_id: &str) -> Result<Secret, SealError> {
        let answer = self.client.get_secret_value().secret_id(secret_id).send().await;
        let answer = answer.map_err(|error| SealError::Fetch(Box::new(error.into_service_error())))?;
        match answer.secret_string() {
            Some(text) if text.len() >= 32 => Ok(Secret::new(text)),
            _ => Err(SealError::Unusable),
        }
    }
}

/// The keys for each purpose, from the one data key of the deployment, or from two while it is rotated.
struct Keys {
    /// The first key seals; each of them opens.
    sealing: Vec<LessSafeKey>,
    links: LinkKeys,
    hash: hmac::Key,
}

impl Keys {
    fn derive(current: &str, previous: Option<&str>) -> Self {
        let (current, previous) = (extract(current), previous.map(extract));
        let sealing = [Some(&current), previous.as_ref()].into_iter().flatten().map(sealing_key).collect();
        Self { sealing, hash: hashing_key(&current), links: LinkKeys::new(current, previous) }
    }

    fn seal(&self, owner: &str, plain: &str) -> Sealed {
        let mut nonce = [0_u8; NONCE_LEN];
        getrandom::fill(&mut nonce).expect("the operating system has randomness");
        let mut bytes = plain.as_bytes().to_vec();
        self.sealing[0]
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner), &mut bytes)
            .expect("a setting is far below the cipher's limit");
        Sealed(STANDARD.encode([&nonce[..], &bytes].concat()))
    }

    fn open(&self, owner: &str, sealed: &Sealed) -> Option<Secret> {
        let bytes = STANDARD.decode(&sealed.0).ok()?;
        let (nonce, cipher) = bytes.split_at_checked(NONCE_LEN)?;
        self.sealing.iter().find_map(|key| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut cipher = cipher.to_vec();
            let plain = key.open_in_place(nonce, Aad::from(owner), &mut cipher).ok()?;
            Some(Secret::new(std::str::from_utf8(plain).ok()?))
        })
    }
}

fn sealing_key(extracted: &Prk) -> LessSafeKey {
    let expanded = extracted.expand(&[b"sealed settings v1"], &AES_256_GCM).expect("32 bytes are within HKDF's reach");
    LessSafeKey::new(UnboundKey::from(expanded))
}

fn hashing_key(extracted: &Prk) -> hmac::Key {
    let expanded = extracted.expand(&[b"keyed hashes v1"], hmac::HMAC_SHA256);
    hmac::Key::from(expanded.expect("32 bytes are within HKDF's reach"))
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "the data key before, of at least 32 characters";
    const NEW: &str = "the data key of today, of at least 32 characters";

    // Proves: finding A6
    #[test]
    fn while_the_data_key_is_rotated_the_old_one_opens_and_the_new_one_seals() {
        let (before, during, after) = (Keys::derive(OLD, None), Keys::derive(NEW, Some(OLD)), Keys::derive(NEW, None));
        let opened = |keys: &Keys, sealed: &Sealed| keys.open("dst_1", sealed).map(|secret| secret.expose().to_owned());
        let old = before.seal("dst_1", "token");
        assert_eq!(opened(&during, &old).as_deref(), Some("token"));
        assert_eq!(opened(&after, &old), None, "it was not saved again while both keys were there");
        let new = during.seal("dst_1", "token");
        assert_eq!(opened(&after, &new).as_deref(), Some("token"));
        assert_eq!(opened(&before, &new), None);
        assert_eq!(during.open("dst_2", &old), None, "another owner's");
        assert_eq!(during.open("dst_1", &Sealed("c2hvcnQ=".to_owned())), None);
    }
}
