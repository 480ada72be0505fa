//! Secrets Manager with the one operation that functions use: `GetSecretValue` of the secrets that this deployment was
//! started with.

use std::sync::Arc;

use alerting::base::secret::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::names::{ACCOUNT, REGION};

/// The secrets by name, in the given order. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Secrets(Arc<[(String, Secret)]>);

#[derive(Debug, thiserror::Error)]
pub(super) enum SecretError {
    #[error("Secrets Manager can't find the specified secret.")]
    NoSuchSecret,
    #[error("The request cannot be read.")]
    Unreadable,
    #[error("The action {0} is not known here.")]
    UnknownAction(String),
}

impl SecretError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            SecretError::NoSuchSecret => "ResourceNotFoundException",
            SecretError::Unreadable => "InvalidRequestException",
            SecretError::UnknownAction(_) => "UnknownOperationException",
        }
    }
}

impl Secrets {
    pub(super) fn new(secrets: Vec<(String, Secret)>) -> Self {
        Self(secrets.into())
    }

    pub(super) fn answer(&self, action: &str, body: &[u8]) -> Result<Value, SecretError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Request {
            secret_id: String,
        }
        if action != "GetSecretValue" {
            return Err(SecretError::UnknownAction(action.to_owned()));
        }
        let request: Request = serde_json::from_slice(body).map_err(|_| SecretError::Unreadable)?;
        let found = self.0.iter().find(|(name, _)| *name == request.secret_id || arn(name) == request.secret_id);
        let (name, secret) = found.ok_or(SecretError::NoSuchSecret)?;
        Ok(json!({
            "ARN": arn(name),
            "Name": name,
            "SecretString": secret.expose(),
            "VersionId": "00000000-0000-4000-8000-000000000001",
            "VersionStages": ["AWSCURRENT"],
        }))
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}")
}
