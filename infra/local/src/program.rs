//! The program `larkspur`: starts the local deployment, prints how to try it, and runs until it is asked to stop.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use lambda_http::tracing::subscriber::EnvFilter;
use lambda_kit::logging::log_panics_by_place;
use lambda_kit::settings::Env;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::health::VERSION;
use crate::options::{Command, HELP, Options};
use crate::{Demo, Larkspur};

/// The default filter of the log, which `LARKSPUR_LOG` replaces. The tables warn of every refused condition, which is
/// normal here.
const LOG: &str = "warn,dynoxide=error";

/// `adjust` changes the options that the command line and the environment gave; the tests' own program puts its proxy
/// between the functions and the embedded services.
pub fn main(adjust: impl FnOnce(Options) -> Options) -> ExitCode {
    let ended = match Command::from_process() {
        Ok(Command::Help) => print(HELP),
        Ok(Command::Version) => print(&format!("larkspur {VERSION}")),
        Ok(Command::Run(options)) => run(adjust(*options)),
        Err(error) => Err(error),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If standard error is closed, only the exit code reports the failure.
            let _ = writeln!(std::io::stderr(), "larkspur: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> anyhow::Result<()> {
    let filter = Env::read().optional("LARKSPUR_LOG").unwrap_or_else(|| LOG.to_owned());
    let filter = EnvFilter::try_new(filter).context("LARKSPUR_LOG")?;
    lambda_http::tracing::subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    log_panics_by_place();
    // Two threads: the functions mostly wait for the tables and queues, which have threads of their own.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(serve(options))
}

async fn serve(options: Options) -> anyhow::Result<()> {
    // Set up before anything starts, so that a signal during the start ends the process cleanly, too.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let data = options.data.as_deref().map(|data| data.display().to_string()).unwrap_or_default();
    let larkspur = tokio::select! {
        started = Larkspur::start(options) => started?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    print(&welcome(&larkspur, &data))?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    // Not on standard output, whose last line is for programs.
    let _ = writeln!(std::io::stderr(), "larkspur: ending; what is under way is finished first. Again: at once");
    tokio::select! {
        () = larkspur.stop() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// The text for people, with the last line for programs.
fn welcome(larkspur: &Larkspur, data: &str) -> String {
    let (base, known_as) = (&larkspur.base_url, &larkspur.known_as);
    let demo = larkspur.demo.as_ref();
    let mut line = json!({
        "listening": base,
        "api_key": larkspur.api_key.expose(),
        "demo": demo.map(|demo| json!({"integration_url": demo.integration_url.expose(), "group_url": demo.group_url})),
    });
    let mut sign_in = format!("Sign in at {known_as}/sign-in.");
    if let Some(url) = &larkspur.set_up_url {
        line["setup_url"] = url.expose().into();
        sign_in = format!(
            "Nobody can sign in yet. Become the first administrator (once, within 24 hours):\n\n  {}",
            url.expose()
        );
    }
    let demo = demo.map(try_it).unwrap_or_default();
    format!(
        "\
Larkspur listens on {base} and keeps its data in {data}. Ctrl-C ends it.

{demo}{sign_in}

The JSON API is at {known_as}/api/v1 (openapi.json describes it); its key is kept in {data}/api-key.
{line}"
    )
}

fn try_it(demo: &Demo) -> String {
    format!(
        "\
Send an alert to the demo integration, as any platform with a Feishu bot would:

  curl -H 'content-type: application/json' -d '{{\"msg_type\":\"text\",\"content\":{{\"text\":\"FIRING disk full on db-1\"}}}}' \\
    {url}

and see what the demo group sees: {group}
Send it again with RESOLVED in place of FIRING to close it.

",
        url = demo.integration_url.expose(),
        group = demo.group_url,
    )
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}
