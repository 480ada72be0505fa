//! What `notify` reads of its environment.

use lambda_kit::settings::{Env, MissingSettings};

#[derive(Debug)]
pub struct Settings {
    /// Where notices come from, and where a notice that has to wait gets its wait.
    pub notices_queue_url: String,
    /// Where notices and flushes of digests go that are due later.
    pub due_queue_url: String,
    /// Destinations.
    pub config_table: String,
    /// Deliveries, rate buckets, digests.
    pub alerts_table: String,
    /// Secrets Manager's name of the data key.
    pub data_key_secret: String,
    /// The data key before it, while it is rotated.
    pub previous_data_key_secret: Option<String>,
    /// What links to incidents begin with.
    pub base_url: String,
    /// For tests on an emulator: every provider's host becomes this base.
    pub provider_base: Option<String>,
    /// Mail servers that may be spoken to without TLS, by name, with commas between them.
    pub plain_smtp_hosts: Option<String>,
    /// Whether a person may acknowledge by a link of their own without signing in: `true`.
    pub personal_ack_links: bool,
}

impl Settings {
    pub fn from_env() -> Result<Self, MissingSettings> {
        let mut env = Env::read();
        let settings = Self {
            notices_queue_url: env.required("NOTICES_QUEUE_URL"),
            due_queue_url: env.required("DUE_QUEUE_URL"),
            config_table: env.required("CONFIG_TABLE"),
            alerts_table: env.required("ALERTS_TABLE"),
            data_key_secret: env.required("DATA_KEY_SECRET"),
            previous_data_key_secret: env.optional("PREVIOUS_DATA_KEY_SECRET"),
            base_url: env.required("BASE_URL"),
            provider_base: env.optional("PROVIDER_BASE"),
            plain_smtp_hosts: env.optional("PLAIN_SMTP_HOSTS"),
            personal_ack_links: env.optional("PERSONAL_ACK_LINKS").as_deref() == Some("true"),
        };
        env.finish()?;
        Ok(settings)
    }
}
