//! Names of the resources that the function uses; the template gives them.

use lambda_kit::settings::{Env, MissingSettings};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where accepted and refused messages go.
    pub messages_queue_url: String,
    /// Integrations and their keys.
    pub config_table: String,
    /// Named for the store's sake; the function's role gives no access to it.
    pub alerts_table: String,
    /// The data key under which signing secrets are sealed.
    pub data_key_secret: String,
    /// The data key before it, while it is rotated.
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
