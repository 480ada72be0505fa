//! Secrets at rest: sealed with the deployment's data key (AES-256-GCM), bound to the record that owns them.
//!
//! The data key is fetched from Secrets Manager at the first need, once per start. While Secrets Manager is down, what
//! is running keeps its key, and what starts fails the one request that needs it, not the process.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::Prk;
use ring::hmac;
use tokio::sync::OnceCell;

use alerting::secret::{Sealed, Secret};

use crate::links::{LinkKeys, extract};

/// Seals and opens. Clones are not needed: share it.
pub struct Sealer {
    client: aws_sdk_secretsmanager::Client,
    secret_id: String,
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
        Self { client, secret_id: secret_id.into(), keys: OnceCell::new() }
    }

    /// Seals `plain` for the record `owner`; under another owner's name it will not open.
    pub async fn seal(&self, owner: &str, plain: &str) -> Result<Sealed, SealError> {
        let key = &self.keys().await?.seal;
        let mut nonce = [0_u8; NONCE_LEN];
        getrandom::fill(&mut nonce).expect("the operating system has randomness");
        let mut bytes = plain.as_bytes().to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner), &mut bytes)
            .expect("a setting is far below the cipher's limit");
        Ok(Sealed(STANDARD.encode([&nonce[..], &bytes].concat())))
    }

    pub async fn open(&self, owner: &str, sealed: &Sealed) -> Result<Secret, SealError> {
        let key = &self.keys().await?.seal;
        let fail = || SealError::Open(owner.to_owned());
        let mut bytes = STANDARD.decode(&sealed.0).map_err(|_| fail())?;
        if bytes.len() < NONCE_LEN {
            return Err(fail());
        }
        let mut cipher = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_| fail())?;
        let plain = key.open_in_place(nonce, Aad::from(owner), &mut cipher).map_err(|_| fail())?;
        Ok(Secret::new(std::str::from_utf8(plain).map_err(|_| fail())?))
    }

    /// The keys that sign the links of messages.
    pub async fn link_keys(&self) -> Result<&LinkKeys, SealError> {
        Ok(&self.keys().await?.links)
    }

    /// A hash of `parts` that nobody without the data key can make: for what is too short for a plain one. Base64.
    pub async fn keyed_hash(&self, parts: &[&str]) -> Result<String, SealError> {
        let mut context = hmac::Context::with_key(&self.keys().await?.hash);
        for part in parts {
            // With its length, so that parts do not run into each other.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        Ok(STANDARD.encode(context.sign()))
    }

    async fn keys(&self) -> Result<&Keys, SealError> {
        self.keys.get_or_try_init(|| self.fetch()).await
    }

    async fn fetch(&self) -> Result<Keys, SealError> {
        let answer = self.client.get_secret_value().secret_id(&self.secret_id).send().await;
        let answer = answer.map_err(|error| SealError::Fetch(Box::new(error.into_service_error())))?;
        match answer.secret_string() {
            Some(text) if text.len() >= 32 => Ok(derive(text)),
            _ => Err(SealError::Unusable),
        }
    }
}

/// A key per purpose from the one secret of the deployment.
struct Keys {
    seal: LessSafeKey,
    links: LinkKeys,
    hash: hmac::Key,
}

fn derive(text: &str) -> Keys {
    let extracted = extract(text);
    Keys { seal: sealing_key(&extracted), hash: hashing_key(&extracted), links: LinkKeys::new(extracted) }
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
