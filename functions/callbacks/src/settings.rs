//! The environment variables of `callbacks`.

use lambda_kit::settings::{Env, MissingSettings};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The FIFO queue of notices: refreshes of cards, and answers to chat users.
    pub notices_queue_url: String,
    /// The queue of due work, which finishes what this function began.
    pub due_queue_url: String,
    /// Topic for operators' own subscribers.
    pub changes_topic_arn: String,
    /// The table of accounts, members and destinations.
    pub config_table: String,
    /// The table of incidents and callbacks.
    pub alerts_table: String,
    /// The data key under which the settings of accounts are sealed.
    pub data_key_secret: String,
    /// The previous data key, during a rotation.
    pub previous_data_key_secret: Option<String>,
    /// The address of the pages, for links in answers.
    pub base_url: String,
}

impl Settings {
    pub fn from_env() -> Result<Self, MissingSettings> {
        let mut env = Env::read();
        let settings = Self {
            notices_queue_url: env.required("NOTICES_QUEUE_URL"),
            due_queue_url: env.required("DUE_QUEUE_URL"),
            changes_topic_arn: env.required("CHANGES_TOPIC_ARN"),
            config_table: env.required("CONFIG_TABLE"),
            alerts_table: env.required("ALERTS_TABLE"),
            data_key_secret: env.required("DATA_KEY_SECRET"),
            previous_data_key_secret: env.optional("PREVIOUS_DATA_KEY_SECRET"),
            base_url: env.required("BASE_URL"),
        };
        env.finish()?;
        Ok(settings)
    }
}
