//! How the local deployment is started.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use aws_types::SdkConfig;
use lambda_kit::clock::Clock;
use lambda_kit::settings::Env;

use crate::aws::Aws;
use crate::aws_rules::AwsRules;
use crate::proxies::TrustedProxies;

/// The default listening address.
const LISTEN: &str = "127.0.0.1:9000";
/// The default data directory.
const DATA: &str = ".larkspur";

pub const HELP: &str = "\
Larkspur on one machine: the functions, tables and queues that it has on AWS, in one process.

Usage: larkspur [OPTION …]

  --listen ADDRESS:PORT  where it listens (LARKSPUR_LISTEN, default 127.0.0.1:9000)
  --public-url URL       how browsers and senders reach it, such as https://alerts.example.com (LARKSPUR_PUBLIC_URL, default
                         where it listens): links begin with it, and no other names are answered than this one, localhost
                         and the address where it listens
  --trusted-proxy CIDR   a reverse proxy whose X-Forwarded-For and X-Forwarded-Proto are believed, such as 10.0.0.0/8; may be
                         given more than once (LARKSPUR_TRUSTED_PROXY, separated by commas; default nobody)
  --data DIRECTORY       where it keeps its data (LARKSPUR_DATA, default .larkspur), readable for its owner only
  --demo, --no-demo      with or without a demo integration, the built-in groups that show what a group would see, and the
                         test clock; all three are open to everybody who reaches the address (LARKSPUR_DEMO=1 or 0, default
                         with them where it listens on the loopback only)
  --version              the version
  --help                 this text

GET /healthz answers 200 while it works. TLS is a reverse proxy's.

LARKSPUR_PERSONAL_ACK_LINKS=1 puts a link into mails to members by which they acknowledge without signing in.
LARKSPUR_LOG=info says more on standard error (error, warn, info, debug).

For tests: LARKSPUR_PROVIDER_BASE replaces every provider's host, as in http://127.0.0.1:9911;
LARKSPUR_TEST_CLOCK=1 (with the demo only) adds POST /_local/clock {\"advance_seconds\": 60}, and LARKSPUR_TEST_CLOCK_AHEAD=900 starts with a
clock that is so many seconds ahead, for what was killed after its clock had been moved.";

#[derive(Debug, Clone)]
pub struct Options {
    /// Address and port; port 0 takes a free one.
    pub listen: String,
    /// The URL by which browsers and senders reach it, without a slash at the end; `None`: where it listens.
    pub public_url: Option<String>,
    pub trusted_proxies: TrustedProxies,
    /// Whether there is a demo integration, and the built-in groups are served.
    pub demo: bool,
    /// The data directory; `None`: everything in memory, lost at the end.
    pub data: Option<PathBuf>,
    pub providers: Providers,
    /// Whether a mail to a member has a link by which that member acknowledges without signing in.
    pub personal_ack_links: bool,
    pub clock: Clock,
    /// Whether the clock can be moved over HTTP.
    pub clock_endpoint: bool,
    /// Changes how the functions reach the embedded services: the tests' proxy, which only tests set.
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
    /// When the template's window is over, as on AWS, where every call is billed.
    AsOnAws,
    /// The same in a tenth of the time, because scenario tests would mostly wait for windows.
    #[default]
    InATenth,
    /// As soon as the function is free: a window of a second would delay messages without a benefit.
    AtOnce,
}

/// Where requests to providers go. The demo group's always go to the built-in fake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Providers {
    /// The providers themselves.
    #[default]
    Real,
    /// This base URL in place of every provider's host.
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
    /// In memory on a free port, with the built-in fakes, as tests need it.
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            public_url: None,
            trusted_proxies: TrustedProxies::default(),
            demo: true,
            data: None,
            providers: Providers::Fakes,
            personal_ack_links: false,
            clock: Clock::system(),
            clock_endpoint: false,
            interposer: None,
            batching: Batching::InATenth,
            aws_rules: AwsRules::NEW_ACCOUNT,
            parameters: Vec::new(),
        }
    }
}

/// The command that the command line asks for.
#[derive(Debug)]
pub enum Command {
    Run(Box<Options>),
    Help,
    Version,
}

impl Command {
    /// Arguments take precedence over the environment, and the environment over defaults.
    pub fn from_process() -> anyhow::Result<Self> {
        Self::parse(lexopt::Parser::from_env(), |name| Env::read().optional(name))
    }

    fn parse(parser: lexopt::Parser, env: impl Fn(&'static str) -> Option<String>) -> anyhow::Result<Self> {
        let arguments = match Arguments::read(parser)? {
            Asked::Arguments(arguments) => arguments,
            Asked::Other(command) => return Ok(command),
        };
        let listen = arguments.listen.or_else(|| env("LARKSPUR_LISTEN")).unwrap_or_else(|| LISTEN.to_owned());
        let address: SocketAddr =
            listen.parse().with_context(|| format!("{listen} is no ADDRESS:PORT to listen on"))?;
        let demo = match arguments.demo {
            Some(demo) => demo,
            None => demo_setting(env("LARKSPUR_DEMO").as_deref())?.unwrap_or(address.ip().is_loopback()),
        };
        let public_url = arguments.public_url.or_else(|| env("LARKSPUR_PUBLIC_URL").filter(|url| !url.is_empty()));
        let clock_endpoint = env("LARKSPUR_TEST_CLOCK").as_deref() == Some("1");
        if clock_endpoint && !demo {
            bail!("LARKSPUR_TEST_CLOCK lets everybody who reaches the address move the clock: it needs --demo");
        }
        let clock = Clock::system();
        if let Some(ahead) = env("LARKSPUR_TEST_CLOCK_AHEAD").filter(|_| clock_endpoint) {
            let seconds = ahead.parse().context("LARKSPUR_TEST_CLOCK_AHEAD is no number of seconds")?;
            clock.advance(Duration::from_secs(seconds));
        }
        let data = arguments.data.or_else(|| env("LARKSPUR_DATA").map(PathBuf::from)).unwrap_or_else(|| DATA.into());
        Ok(Command::Run(Box::new(Options {
            listen,
            public_url: public_url.as_deref().map(self::public_url).transpose()?,
            trusted_proxies: trusted_proxies(arguments.trusted_proxies, env("LARKSPUR_TRUSTED_PROXY").as_deref())?,
            demo,
            data: Some(data),
            providers: env("LARKSPUR_PROVIDER_BASE").map_or(Providers::Real, Providers::Base),
            personal_ack_links: env("LARKSPUR_PERSONAL_ACK_LINKS").as_deref() == Some("1"),
            clock,
            clock_endpoint,
            interposer: None,
            batching: Batching::AtOnce,
            aws_rules: AwsRules::OFF,
            parameters: Vec::new(),
        })))
    }
}

/// The parsed command line.
#[derive(Debug, Default)]
struct Arguments {
    listen: Option<String>,
    public_url: Option<String>,
    trusted_proxies: Vec<String>,
    demo: Option<bool>,
    data: Option<PathBuf>,
}

enum Asked {
    Arguments(Arguments),
    Other(Command),
}

impl Arguments {
    fn read(mut parser: lexopt::Parser) -> anyhow::Result<Asked> {
        let mut arguments = Self::default();
        while let Some(argument) = parser.next()? {
            match argument {
                lexopt::Arg::Long("listen") => arguments.listen = Some(text(&mut parser, "--listen")?),
                lexopt::Arg::Long("public-url") => arguments.public_url = Some(text(&mut parser, "--public-url")?),
                lexopt::Arg::Long("trusted-proxy") => {
                    arguments.trusted_proxies.push(text(&mut parser, "--trusted-proxy")?);
                }
                lexopt::Arg::Long("data") => arguments.data = Some(parser.value()?.into()),
                lexopt::Arg::Long("demo") => arguments.demo = Some(true),
                lexopt::Arg::Long("no-demo") => arguments.demo = Some(false),
                lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Ok(Asked::Other(Command::Help)),
                lexopt::Arg::Long("version") | lexopt::Arg::Short('V') => return Ok(Asked::Other(Command::Version)),
                other => bail!("{}; --help shows what there is", other.unexpected()),
            }
        }
        Ok(Asked::Arguments(arguments))
    }
}

fn text(parser: &mut lexopt::Parser, name: &str) -> anyhow::Result<String> {
    parser.value()?.into_string().map_err(|_| anyhow::anyhow!("{name} takes a text in UTF-8"))
}

fn demo_setting(text: Option<&str>) -> anyhow::Result<Option<bool>> {
    match text {
        None | Some("") => Ok(None),
        Some("1") => Ok(Some(true)),
        Some("0") => Ok(Some(false)),
        Some(other) => bail!("LARKSPUR_DEMO is 1 or 0, not {other}"),
    }
}

/// Scheme, host and, if it is not the scheme's default, port, as browsers write an origin.
fn public_url(text: &str) -> anyhow::Result<String> {
    let wrong = || format!("--public-url takes a URL without a path, such as https://alerts.example.com, not {text}");
    let url: http::Uri = text.parse().with_context(wrong)?;
    let (scheme, authority) = (url.scheme_str().with_context(wrong)?, url.authority().with_context(wrong)?);
    let is_plain = matches!(scheme, "http" | "https") && !authority.as_str().contains('@');
    if !is_plain || url.path() != "/" || url.query().is_some() || authority.host().is_empty() {
        bail!(wrong());
    }
    let own_port = if scheme == "https" { 443 } else { 80 };
    let port = authority.port_u16().filter(|port| *port != own_port);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{scheme}://{}{port}", authority.host().to_ascii_lowercase()))
}

fn trusted_proxies(arguments: Vec<String>, variable: Option<&str>) -> anyhow::Result<TrustedProxies> {
    let from_variable = || variable.unwrap_or_default().split(',').map(|text| text.trim().to_owned());
    let named =
        if arguments.is_empty() { from_variable().filter(|text| !text.is_empty()).collect() } else { arguments };
    let mut proxies = TrustedProxies::default();
    for text in named {
        if !proxies.add(&text) {
            bail!("--trusted-proxy takes a network such as 10.0.0.0/8 or an address, not {text}");
        }
    }
    Ok(proxies)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[&str], variables: &'static [(&str, &str)]) -> anyhow::Result<Options> {
        let env = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        match Command::parse(lexopt::Parser::from_args(arguments), env)? {
            Command::Run(options) => Ok(*options),
            other => bail!("{other:?}"),
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

    // Proves: finding B5
    #[test]
    fn the_demo_is_for_the_loopback_unless_it_is_asked_for() {
        for (arguments, variables, demo) in [
            (&[][..], &[][..], true),
            (&["--no-demo"], &[], false),
            (&[], &[("LARKSPUR_DEMO", "0")], false),
            (&["--demo"], &[("LARKSPUR_DEMO", "0")], true),
            (&["--listen", "[::1]:9000"], &[], true),
            (&["--listen", "0.0.0.0:9000"], &[], false),
            (&["--listen", "192.168.1.5:9000"], &[], false),
            (&["--listen", "0.0.0.0:9000", "--demo"], &[], true),
        ] {
            assert_eq!(run(arguments, variables).expect("valid").demo, demo, "{arguments:?} {variables:?}");
        }
        let error = run(&["--no-demo"], &[("LARKSPUR_TEST_CLOCK", "1")]).expect_err("the clock is everybody's");
        assert!(error.to_string().contains("--demo"), "{error}");
    }

    #[test]
    fn the_public_url_is_an_origin() {
        for (text, url) in [
            ("https://Alerts.example.com/", Some("https://alerts.example.com")),
            ("https://alerts.example.com:443", Some("https://alerts.example.com")),
            ("http://192.168.1.5:9000", Some("http://192.168.1.5:9000")),
            ("http://[fd00::1]:9000", Some("http://[fd00::1]:9000")),
            ("alerts.example.com", None),
            ("ftp://alerts.example.com", None),
            ("https://alerts.example.com/larkspur", None),
            ("https://alerts.example.com/?x", None),
            ("https://me@alerts.example.com", None),
        ] {
            let options = run(&["--public-url", text], &[]);
            match url {
                Some(url) => assert_eq!(options.expect("valid").public_url.as_deref(), Some(url)),
                None => assert!(format!("{:#}", options.expect_err("no origin")).contains("--public-url"), "{text}"),
            }
        }
    }

    #[test]
    fn trusted_proxies_come_from_the_arguments_or_the_environment() {
        let mut expected = TrustedProxies::default();
        assert!(expected.add("10.0.0.0/8") && expected.add("192.168.1.1"));
        let arguments = run(&["--trusted-proxy", "10.0.0.0/8", "--trusted-proxy=192.168.1.1"], &[]).expect("valid");
        assert_eq!(arguments.trusted_proxies, expected);
        let variable = run(&[], &[("LARKSPUR_TRUSTED_PROXY", "10.0.0.0/8, 192.168.1.1")]).expect("valid");
        assert_eq!(variable.trusted_proxies, expected);
        let error = run(&["--trusted-proxy", "proxy.example"], &[]).expect_err("no network");
        assert!(error.to_string().contains("--trusted-proxy"), "{error}");
    }
}
