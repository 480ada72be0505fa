//! Sends one message with a client as its users would, and says what the client makes of the answer.
//!
//! `feishu-clients CLIENT URL SECRET TITLE TEXT` ends with 0 if the client takes the answer for success, and with 1 and
//! the client's words if not. An empty SECRET is none.

use std::error::Error;
use std::process::ExitCode;

use lark_webhook_notify::{LanguageCode, SeverityLevel, send_alert};
use openlark_webhook::prelude::SendWebhookMessageRequest;
use serde_json::json;

const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [client, url, secret, title, text] = arguments.as_slice() else {
        eprintln!("feishu-clients CLIENT URL SECRET TITLE TEXT");
        return ExitCode::from(USAGE);
    };
    let request = || SendWebhookMessageRequest::new(url.clone());
    let sent = match client.as_str() {
        "lark-webhook-notify" => lark_webhook_notify(url, secret, title, text),
        "openlark-text" => openlark(request().text(format!("{title}\n{text}")), secret),
        "openlark-post" => openlark(request().post(post(title, text)), secret),
        "openlark-card" => openlark(request().card(card(title, text)), secret),
        unknown => {
            eprintln!("no client {unknown}");
            return ExitCode::from(USAGE);
        }
    };
    match sent {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A signed card of the second version. It is an error of the client's if `code` is not 0.
fn lark_webhook_notify(url: &str, secret: &str, title: &str, text: &str) -> Result<(), Box<dyn Error>> {
    send_alert(title, text, SeverityLevel::Critical, None, LanguageCode::En, Some(url), Some(secret), None)?;
    Ok(())
}

/// The client leaves it to its caller to look at `code`.
fn openlark(request: SendWebhookMessageRequest, secret: &str) -> Result<(), Box<dyn Error>> {
    let request = if secret.is_empty() { request } else { request.with_secret(secret.to_owned()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(request.execute())?;
    if answer.code == 0 { Ok(()) } else { Err(format!("code {}: {}", answer.code, answer.msg).into()) }
}

/// The client takes it as a text.
fn post(title: &str, text: &str) -> String {
    json!({"zh_cn": {"title": title, "content": [[{"tag": "text", "text": text}]]}}).to_string()
}

fn card(title: &str, text: &str) -> serde_json::Value {
    json!({
        "header": {"title": {"tag": "plain_text", "content": title}, "template": "red"},
        "elements": [{"tag": "markdown", "content": text}],
    })
}
