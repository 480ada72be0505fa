//! The environment variables of `console`.

use lambda_kit::settings::{Env, MissingSettings};

#[derive(Debug)]
pub struct Settings {
    /// The table of spaces, destinations, integrations and keys.
    pub config_table: String,
    /// The table of alerts, incidents and the message log.
    pub alerts_table: String,
    /// The queue of messages, to which a replayed message is sent.
    pub messages_queue_url: String,
    /// The FIFO queue of notices, for the actions of people on incidents.
    pub notices_queue_url: String,
    /// The queue of due work. The delay of a record is the time until the work is due.
    pub due_queue_url: String,
    /// The dead-letter queues of the three queues, for records that were received too often.
    pub messages_dead_queue_url: String,
    pub notices_dead_queue_url: String,
    pub due_dead_queue_url: String,
    /// Topic for operators' own subscribers.
    pub changes_topic_arn: String,
    /// The secret that holds the deployment's data key.
    pub data_key_secret: String,
    /// The previous data key, during a rotation.
    pub previous_data_key_secret: Option<String>,
    /// The start of intake URLs and links, if it is not the address that the request was sent to: a custom domain.
    pub base_url: Option<String>,
    /// For tests on an emulator: requests to every provider go to this base URL.
    pub provider_base: Option<String>,
    /// Names of mail servers that may be used without TLS, separated by commas.
    pub plain_smtp_hosts: Option<String>,
    /// Whether a message may hold a personal link by which its recipient acknowledges without signing in: `true`.
    pub personal_ack_links: bool,
    /// Hosts of sign-in providers that may be used without TLS, separated by commas: for tests.
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
