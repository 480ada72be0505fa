//! The environment variables of `notify`.

use lambda_kit::settings::{Env, MissingSettings};

#[derive(Debug)]
pub struct Settings {
    /// The queue that notices are read from. A notice that has to wait gets its delay there.
    pub notices_queue_url: String,
    /// The queue of due work, for notices and flushes of digests that are due later.
    pub due_queue_url: String,
    /// The table of destinations.
    pub config_table: String,
    /// The table of deliveries, rate buckets and digests.
    pub alerts_table: String,
    /// The name of the data key in Secrets Manager.
    pub data_key_secret: String,
    /// The previous data key, during a rotation.
    pub previous_data_key_secret: Option<String>,
    /// The start of links to incidents.
    pub base_url: String,
    /// For tests on an emulator: requests to every provider go to this base URL.
    pub provider_base: Option<String>,
    /// Names of mail servers that may be used without TLS, separated by commas.
    pub plain_smtp_hosts: Option<String>,
    /// Whether a message may hold a personal link by which its recipient acknowledges without signing in: `true`.
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
