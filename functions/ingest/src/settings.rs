//! The environment variables of `ingest`.

use lambda_kit::settings::{Env, MissingSettings};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The queue of accepted and refused messages.
    pub messages_queue_url: String,
    /// The table of integrations and their keys.
    pub config_table: String,
    /// The store needs a name here; the function's role gives no access to this table.
    pub alerts_table: String,
    /// The data key under which signing secrets are sealed.
    pub data_key_secret: String,
    /// The previous data key, during a rotation.
    pub previous_data_key_secret: Option<String>,
}

impl Settings {
    pub fn from_env() -> Result<Self, MissingSettings> {
        let mut env = Env::read();
        let settings = Self {
            messages_queue_url: env.required("MESSAGES_QUEUE_URL"),
            config_table: env.required("CONFIG_TABLE"),
            alerts_table: env.required("ALERTS_TABLE"),
            data_key_secret: env.required("DATA_KEY_SECRET"),
            previous_data_key_secret: env.optional("PREVIOUS_DATA_KEY_SECRET"),
        };
        env.finish()?;
        Ok(settings)
    }
}
