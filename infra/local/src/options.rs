//! How the local deployment is started.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use aws_types::SdkConfig;
use lambda_kit::clock::Clock;
use lambda_kit::settings::Env;

use crate::aws::Aws;
use crate::aws_rules::AwsRules;

/// Where it listens unless told otherwise.
const LISTEN: &str = "127.0.0.1:9000";
/// Where it keeps its data unless told otherwise.
const DATA: &str = ".larkspur";

pub const HELP: &str = "\
Larkspur on one machine: the functions, tables and queues that it has on AWS, in one process.

Usage: larkspur [--listen ADDRESS:PORT] [--data DIRECTORY]

  --listen  where it listens (LARKSPUR_LISTEN, default 127.0.0.1:9000)
  --data    where it keeps its data (LARKSPUR_DATA, default .larkspur)
  --help    this text

LARKSPUR_PERSONAL_ACK_LINKS=1 puts a link into mails to members by which they acknowledge without signing in.

For tests: LARKSPUR_PROVIDER_BASE replaces every provider's host, as in http://127.0.0.1:9911;
LARKSPUR_TEST_CLOCK=1 adds POST /_local/clock {\"advance_seconds\": 60}, and LARKSPUR_TEST_CLOCK_AHEAD=900 starts with a
clock that is so many seconds ahead, for what was killed after its clock had been moved.";

#[derive(Debug, Clone)]
pub struct Options {
    /// Address and port; port 0 takes a free one.
    pub listen: String,
    /// `None`: everything in memory, gone at the end.
    pub data: Option<PathBuf>,
    pub providers: Providers,
    /// Whether a mail to a member has a link by which that member acknowledges without signing in.
    pub personal_ack_links: bool,
    pub clock: Clock,
    /// Whether the clock can be moved over HTTP.
    pub clock_endpoint: bool,
    /// What stands between the functions and the embedded services: the tests' proxy, which nothing but a test sets.
    pub interposer: Option<Interposer>,
    pub batching: Batching,
    /// Limits of AWS that one machine does not need.
    pub aws_rules: AwsRules,
    /// Values of template parameters, in place of their defaults.
    pub parameters: Vec<(&'static str, String)>,
}

/// When a queue's batch that is not full is handed to its function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Batching {
    /// When the template's window is over, as on AWS, where every call has its price.
    #[default]
    AsOnAws,
    /// As soon as the function is free: a window of a second would keep the group waiting for nothing.
    AtOnce,
}

/// Where requests to providers go. The demo group's always go to the built-in fake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Providers {
    /// The providers themselves.
    #[default]
    Real,
    /// This base in place of every provider's host.
    Base(String),
    /// The built-in fakes.
    Fakes,
}

/// Makes the SDK's configuration by which the functions reach the embedded services.
#[derive(Clone)]
pub struct Interposer(Arc<dyn Fn(&Aws) -> SdkConfig + Send + Sync>);

impl Interposer {
    pub fn new(between: impl Fn(&Aws) -> SdkConfig + Send + Sync + 'static) -> Self {
        Self(Arc::new(between))
    }

    pub(crate) fn between(&self, aws: &Aws) -> SdkConfig {
        (self.0)(aws)
    }
}

impl fmt::Debug for Interposer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interposer")
    }
}

impl Default for Options {
    /// In memory on a free port, with the built-in fakes: what a test wants.
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            data: None,
            providers: Providers::Fakes,
            personal_ack_links: false,
            clock: Clock::system(),
            clock_endpoint: false,
            interposer: None,
            batching: Batching::AsOnAws,
            aws_rules: AwsRules::NEW_ACCOUNT,
            parameters: Vec::new(),
        }
    }
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    Run(Options),
    Help,
}

impl Command {
    /// Arguments before environment before defaults.
    pub fn from_process() -> anyhow::Result<Self> {
        Self::parse(lexopt::Parser::from_env(), |name| Env::read().optional(name))
    }

    fn parse(mut parser: lexopt::Parser, env: impl Fn(&'static str) -> Option<String>) -> anyhow::Result<Self> {
        let (mut listen, mut data) = (env("LARKSPUR_LISTEN"), env("LARKSPUR_DATA").map(PathBuf::from));
        while let Some(argument) = parser.next()? {
            match argument {
                lexopt::Arg::Long("listen") => {
                    let value = parser.value()?.into_string();
                    listen = Some(value.map_err(|_| anyhow::anyhow!("--listen takes ADDRESS:PORT"))?);
                }
                lexopt::Arg::Long("data") => data = Some(parser.value()?.into()),
                lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Ok(Command::Help),
                other => bail!("{}; --help shows what there is", other.unexpected()),
            }
        }
        let listen = listen.unwrap_or_else(|| LISTEN.to_owned());
        let clock_endpoint = env("LARKSPUR_TEST_CLOCK").as_deref() == Some("1");
        let clock = Clock::system();
        if let Some(ahead) = env("LARKSPUR_TEST_CLOCK_AHEAD").filter(|_| clock_endpoint) {
            let seconds = ahead.parse().context("LARKSPUR_TEST_CLOCK_AHEAD is no number of seconds")?;
            clock.advance(Duration::from_secs(seconds));
        }
        listen.parse::<std::net::SocketAddr>().with_context(|| format!("{listen} is no ADDRESS:PORT to listen on"))?;
        Ok(Command::Run(Options {
            listen,
            data: Some(data.unwrap_or_else(|| DATA.into())),
            providers: env("LARKSPUR_PROVIDER_BASE").map_or(Providers::Real, Providers::Base),
            personal_ack_links: env("LARKSPUR_PERSONAL_ACK_LINKS").as_deref() == Some("1"),
            clock,
            clock_endpoint,
            interposer: None,
            batching: Batching::AtOnce,
            aws_rules: AwsRules::OFF,
            parameters: Vec::new(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[&str], variables: &'static [(&str, &str)]) -> anyhow::Result<Options> {
        let env = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        match Command::parse(lexopt::Parser::from_args(arguments), env)? {
            Command::Run(options) => Ok(options),
            Command::Help => bail!("help"),
        }
    }

    #[test]
    fn arguments_come_before_the_environment_and_that_before_the_defaults() {
        let variables = &[("LARKSPUR_LISTEN", "127.0.0.1:9001"), ("LARKSPUR_PROVIDER_BASE", "http://127.0.0.1:9911")];
        let options = run(&["--data", "/tmp/x"], variables).expect("valid");
        assert_eq!(options.listen, "127.0.0.1:9001");
        assert_eq!(options.data, Some("/tmp/x".into()));
        assert_eq!(options.providers, Providers::Base("http://127.0.0.1:9911".to_owned()));
        assert_eq!(run(&["--listen=[::1]:1"], variables).expect("valid").listen, "[::1]:1");
        assert_eq!(run(&[], &[]).expect("valid").listen, LISTEN);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let error = run(&["--port", "9"], &[]).expect_err("unknown");
        assert!(error.to_string().contains("--port"), "{error}");
        let error = run(&["--listen", "9000"], &[]).expect_err("no address");
        assert!(format!("{error:#}").contains("9000"), "{error:#}");
    }
}
