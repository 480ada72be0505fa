//! The environment variables of `console`.

use lambda_kit::settings::{Env, MissingSettings};

#[derive(Debug)]
pub struct Settings {
    /// Spaces, destinations, integrations, keys.
    pub config_table: String,
    /// Alerts, incidents, message log.
    pub alerts_table: String,
    /// Where a replayed message is taken in again.
    pub messages_queue_url: String,
    /// FIFO queue of notices, for what a person does to an incident.
    pub notices_queue_url: String,
    /// Where due work goes, with the seconds until it is due as its delay.
    pub due_queue_url: String,
    /// Where the three queues move aside what was received too often.
    pub messages_dead_queue_url: String,
    pub notices_dead_queue_url: String,
    pub due_dead_queue_url: String,
    /// Topic for operators' own subscribers.
    pub changes_topic_arn: String,
    /// The secret that holds the deployment's data key.
    pub data_key_secret: String,
    /// The data key before it, while it is rotated.
    pub previous_data_key_secret: Option<String>,
    /// What intake URLs and links start with, if it is not the address that the request came to: a custom domain.
    pub base_url: Option<String>,
    /// Where every provider's requests go instead, for tests on an emulator.
    pub provider_base: Option<String>,
    /// Mail servers that may be spoken to without TLS, by name, with commas between them.
    pub plain_smtp_hosts: Option<String>,
    /// Whether a person may acknowledge by a link of their own without signing in: `true`.
    pub personal_ack_links: bool,
    /// Hosts of sign-in providers that may be spoken to without TLS, with commas between them: for tests.
    pub plain_oidc_hosts: Option<String>,
}

impl Settings {
    pub fn from_env() -> Result<Self, MissingSettings> {
        let mut env = Env::read();
        let settings = Self {
            config_table: env.required("CONFIG_TABLE"),
            alerts_table: env.required("ALERTS_TABLE"),
            messages_queue_url: env.required("MESSAGES_QUEUE_URL"),
            notices_queue_url: env.required("NOTICES_QUEUE_URL"),
            due_queue_url: env.required("DUE_QUEUE_URL"),
            messages_dead_queue_url: env.required("MESSAGES_DEAD_QUEUE_URL"),
            notices_dead_queue_url: env.required("NOTICES_DEAD_QUEUE_URL"),
            due_dead_queue_url: env.required("DUE_DEAD_QUEUE_URL"),
            changes_topic_arn: env.required("CHANGES_TOPIC_ARN"),
            data_key_secret: env.required("DATA_KEY_SECRET"),
            previous_data_key_secret: env.optional("PREVIOUS_DATA_KEY_SECRET"),
            base_url: env.optional("BASE_URL"),
            provider_base: env.optional("PROVIDER_BASE"),
            plain_smtp_hosts: env.optional("PLAIN_SMTP_HOSTS"),
            personal_ack_links: env.optional("PERSONAL_ACK_LINKS").as_deref() == Some("true"),
            plain_oidc_hosts: env.optional("PLAIN_OIDC_HOSTS"),
        };
        env.finish()?;
        Ok(settings)
    }
}
