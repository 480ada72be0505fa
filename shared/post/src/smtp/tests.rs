//! Tests against an independent mail server: aiosmtpd, run by `tests/tools/smtp_server.py`, which parses every message
//! with Python's `email` package.

use std::path::Path;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use channels::outcome::{Outcome, Reason};
use channels::post::{Form, Post};
use channels::registry::Destination;
use channels::samples::{CANARY, NOW, described, link, notice, post, rejected, retry};
use channels::settings::PlainSmtpHosts;

use crate::deliver::{Deliverer, Overrides, Sent};
use crate::oracle_tests::python;
use crate::roots::Roots;
use alerting::incident::notice::Notice;
use alerting::incident::timeline::EntryKind;
use alerting::people::destination::Language;
use std::time::Duration;

const LOGIN: &str = "larkspur:c4nary-smtp-password";

struct Server {
    port: u16,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Server {
    async fn start(arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/tools/smtp_server.py");
        let mut child = Command::new(python())
            .arg(script)
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the mail server starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut server = Self { port: 0, lines, _child: child };
        server.port = server.next().await["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port");
        server
    }

    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(20), self.lines.next_line()).await;
        let line = line.expect("the server says something in time").expect("readable").expect("the server runs");
        serde_json::from_str(&line).expect("a JSON line")
    }
}

/// A root, and files with a certificate that it signed for `name`.
struct Certified {
    root: CertificateDer<'static>,
    folder: TempDir,
}

impl Certified {
    fn for_name(name: &str) -> Self {
        let mut root = rcgen::CertificateParams::new(Vec::new()).expect("valid");
        root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let root =
            rcgen::CertifiedIssuer::self_signed(root, rcgen::KeyPair::generate().expect("a key")).expect("signs");
        let key = rcgen::KeyPair::generate().expect("a key");
        let leaf = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("valid");
        let leaf = leaf.signed_by(&key, &root).expect("signs");
        let folder = tempfile::tempdir().expect("a folder");
        let write =
            |file, label, der: &[u8]| std::fs::write(folder.path().join(file), pem(label, der)).expect("written");
        write("cert.pem", "CERTIFICATE", leaf.der());
        write("key.pem", "PRIVATE KEY", &key.serialize_der());
        Self { root: root.der().clone(), folder }
    }

    async fn serve(&self, also: &[&str]) -> Server {
        let path = |file| self.folder.path().join(file).to_str().expect("UTF-8").to_owned();
        let (cert, key) = (path("cert.pem"), path("key.pem"));
        Server::start(&[&["--cert", &cert, "--key", &key], also].concat()).await
    }

    fn deliverer(&self) -> Deliverer {
        deliverer(Roots::These(vec![self.root.clone()]), "127.0.0.1,localhost")
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn deliverer(roots: Roots, named: &str) -> Deliverer {
    let overrides = Overrides { plain_smtp_hosts: PlainSmtpHosts::list(named), ..Overrides::default() };
    Deliverer::build(overrides, roots, Duration::from_secs(5), Duration::from_secs(1)).expect("valid")
}

fn plain() -> Deliverer {
    deliverer(Roots::Bundled, "127.0.0.1")
}

/// A destination at a server on this machine; `more` are settings of the provider.
fn at(server: &Server, more: Value) -> Destination {
    let mut provider =
        json!({"host": "127.0.0.1", "port": server.port, "tls": "none", "from": "Larkspur 告警 <alerts@example.com>"});
    for (name, value) in more.as_object().expect("an object") {
        provider[name] = value.clone();
    }
    Destination::parse("email", &json!({"to": "ops@example.org"}), Some(&provider)).expect("valid")
}

fn with_login(tls: &str) -> Value {
    let (username, password) = LOGIN.split_once(':').expect("both");
    json!({"host": "localhost", "tls": tls, "username": username, "password": password})
}

async fn send_post(deliverer: &Deliverer, destination: &Destination, post: &Post<'_>) -> Sent {
    let sent = deliverer.send(destination, destination.request(post, NOW).expect("renders"), None).await;
    assert!(!format!("{sent:?}").contains(CANARY), "{sent:?}");
    sent
}

async fn send(deliverer: &Deliverer, destination: &Destination) -> Sent {
    send_post(deliverer, destination, &post(&[described("disk full", "97%")])).await
}

fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    let headers = mail["headers"].as_array().expect("headers");
    let found = headers.iter().find(|header| header[0].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name)));
    found.and_then(|header| header[1].as_str()).unwrap_or_else(|| panic!("no {name} in {headers:#?}"))
}

#[tokio::test]
async fn a_mail_arrives_with_both_parts_and_reads_back_as_it_was_meant() {
    let mut server = Server::start(&[]).await;
    let destination = at(&server, json!({"reply_to": "team@example.com"}));
    let description = "使用率 97% 😀\n  <b>&amp;</b>\n.\n..\nend";
    let sample = Notice { title: "磁盘满了 😀 disk full".to_owned(), ..described("", description) };
    let notices = [sample.clone()];
    let sent = send_post(&plain(), &destination, &Post { language: Language::Chinese, ..post(&notices) }).await;
    assert_eq!(sent.outcome, Outcome::Delivered { receipt: Some("2.0.0 OK queued as 4F2A".to_owned()) }, "{sent:?}");
    assert_eq!(sent.provider.status, Some(250));

    let mail = server.next().await;
    assert_eq!(mail["defects"], json!([]));
    assert_eq!((&mail["from"], &mail["to"]), (&json!("alerts@example.com"), &json!(["ops@example.org"])));
    assert_eq!(mail["subject"], "[严重] INC #7KQ2MD 磁盘满了 😀 disk full");
    assert_eq!(mail["type"], "multipart/alternative");
    let part = |name: &str| mail[name].as_str().expect("a part").replace("\r\n", "\n");
    let (text, html) = (part("text"), part("html"));
    assert!(text.contains(description), "{text}");
    assert!(html.contains("使用率 97% 😀<br>") && html.contains("&lt;b&gt;&amp;amp;&lt;/b&gt;"), "{html}");
    for part in [text, html] {
        assert!(part.contains("2026-01-05 18:00:00 +08:00"), "in the recipient's zone: {part}");
        assert!(part.contains(&link(&sample)), "{part}");
    }
    assert_eq!(header(&mail, "From"), "Larkspur 告警 <alerts@example.com>");
    assert_eq!(header(&mail, "Reply-To"), "team@example.com");
    assert_eq!(header(&mail, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(&mail, "X-Auto-Response-Suppress"), "All");
    assert_eq!(header(&mail, "Importance"), "high");
    assert_eq!(header(&mail, "References"), format!("<{}@example.com>", sample.incident));
    assert_eq!(header(&mail, "In-Reply-To"), header(&mail, "References"));
    assert!(header(&mail, "Date").starts_with("Mon, 05 Jan 2026 10:00:00"), "{}", header(&mail, "Date"));
}

#[tokio::test]
async fn plain_text_alone_is_what_follows_a_refusal() {
    let mut server = Server::start(&[]).await;
    let notices = [notice(EntryKind::Triggered)];
    let plain_form = Post { form: Form::Plain, ..post(&notices) };
    send_post(&plain(), &at(&server, json!({})), &plain_form).await;
    let mail = server.next().await;
    assert_eq!((&mail["type"], &mail["html"]), (&json!("text/plain"), &json!(null)));
    assert!(mail["text"].as_str().expect("text").contains("usage is at 97%"));
}

#[tokio::test]
async fn with_a_login_over_starttls_or_tls_from_the_first_byte() {
    let certified = Certified::for_name("localhost");
    for (tls, also) in [("starttls", &["--user", LOGIN][..]), ("implicit", &["--user", LOGIN, "--implicit-tls"])] {
        let mut server = certified.serve(also).await;
        let sent = send(&certified.deliverer(), &at(&server, with_login(tls))).await;
        assert!(matches!(sent.outcome, Outcome::Delivered { .. }), "{tls}: {sent:?}");
        let mail = server.next().await;
        assert_eq!((&mail["encrypted"], &mail["login"]), (&json!(true), &json!("larkspur")), "{tls}");
    }
}

#[tokio::test]
async fn a_wrong_password_no_password_and_a_server_without_login_are_the_operators_to_mend() {
    let certified = Certified::for_name("localhost");
    let server = certified.serve(&["--user", "larkspur:another"]).await;
    let deliverer = certified.deliverer();
    let sent = send(&deliverer, &at(&server, with_login("starttls"))).await;
    assert_eq!((sent.outcome, sent.provider.status), (rejected(Reason::Unauthorized), Some(535)));
    let sent = send(&deliverer, &at(&server, json!({"host": "localhost", "tls": "starttls"}))).await;
    assert_eq!((sent.outcome, sent.provider.status), (rejected(Reason::Unauthorized), Some(530)));

    let open = certified.serve(&[]).await;
    let sent = send(&deliverer, &at(&open, with_login("starttls"))).await;
    assert_eq!(sent.outcome, rejected(Reason::Unauthorized), "{sent:?}");
    assert!(sent.provider.message.contains("no login"), "{sent:?}");
}

// Proves: finding F10
#[tokio::test]
async fn a_server_that_cannot_prove_its_name_gets_nothing() {
    let (certified, misnamed) = (Certified::for_name("localhost"), Certified::for_name("mail.example.com"));
    for (also, tls) in [(&[][..], "starttls"), (&["--implicit-tls"], "implicit")] {
        let (known, other) = (certified.serve(also).await, misnamed.serve(also).await);
        let cases = [(deliverer(Roots::Bundled, "localhost"), &known), (misnamed.deliverer(), &other)];
        for (deliverer, server) in cases {
            let sent = send(&deliverer, &at(server, with_login(tls))).await;
            assert_eq!(sent.outcome, retry(None, Reason::Untrusted), "{tls}: {sent:?}");
            assert!(sent.provider.message.contains("certificate"), "{tls}: {sent:?}");
        }
    }
    // A server that offers no encryption although the settings require it may be an impostor.
    let open = Server::start(&["--user", LOGIN]).await;
    let sent = send(&certified.deliverer(), &at(&open, with_login("starttls"))).await;
    assert_eq!(sent.outcome, retry(None, Reason::Untrusted), "{sent:?}");
    assert!(sent.provider.message.contains("STARTTLS"), "{sent:?}");
}

#[tokio::test]
async fn an_unknown_mailbox_is_rejected_and_a_greylisted_one_is_retried() {
    let server = Server::start(&["--reject", "ops@example.org"]).await;
    let sent = send(&plain(), &at(&server, json!({}))).await;
    assert_eq!(sent.outcome, rejected(Reason::BadDestination), "{sent:?}");
    assert_eq!((sent.provider.status, sent.provider.code.as_deref()), (Some(550), Some("5.1.1")));
    assert_eq!(sent.provider.message, "5.1.1 no such mailbox");

    let server = Server::start(&["--busy-once"]).await;
    let destination = at(&server, json!({}));
    assert_eq!(send(&plain(), &destination).await.outcome, retry(None, Reason::ProviderDown));
    assert!(matches!(send(&plain(), &destination).await.outcome, Outcome::Delivered { .. }));
}

#[tokio::test]
async fn a_refusal_of_the_message_itself_is_read_by_its_code() {
    for (reply, outcome) in [
        ("552 5.3.4 too large", rejected(Reason::TooLarge)),
        ("554 5.7.1 spam", rejected(Reason::Refused)),
        ("421 4.3.2 shutting down", retry(None, Reason::ProviderDown)),
    ] {
        let server = Server::start(&["--reply", reply]).await;
        assert_eq!(send(&plain(), &at(&server, json!({}))).await.outcome, outcome, "{reply}");
    }
}

#[tokio::test]
async fn silence_before_the_message_means_that_nothing_was_sent_and_after_it_that_it_is_unknown() {
    for (step, reason, words) in
        [("connect", Reason::ProviderDown, "nothing was sent"), ("data", Reason::TimedOut, "unknown")]
    {
        let server = Server::start(&["--hang", step]).await;
        let overrides = Overrides { plain_smtp_hosts: PlainSmtpHosts::list("127.0.0.1"), ..Overrides::default() };
        let total = Duration::from_millis(700);
        let hurried = Deliverer::build(overrides, Roots::Bundled, total, total).expect("valid");
        let sent = send(&hurried, &at(&server, json!({}))).await;
        assert_eq!(sent.outcome, retry(None, reason), "{step}: {sent:?}");
        assert!(sent.provider.message.contains(words), "{step}: {sent:?}");
        assert!(sent.duration < Duration::from_secs(3), "{step}: {sent:?}");
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let provider = json!({"host": "127.0.0.1", "port": port, "tls": "none", "from": "a@example.com"});
    let destination = Destination::parse("email", &json!({"to": "b@example.org"}), Some(&provider)).expect("valid");
    let sent = send(&plain(), &destination).await;
    assert_eq!(sent.outcome, retry(None, Reason::ProviderDown), "{sent:?}");
}

#[tokio::test]
async fn without_tls_only_servers_that_the_deployment_names_are_used() {
    let mut server = Server::start(&[]).await;
    let sent = send(&plain(), &at(&server, json!({"host": "localhost"}))).await;
    assert_eq!(sent.outcome, rejected(Reason::NotConfigured), "{sent:?}");
    assert!(sent.provider.message.contains("PLAIN_SMTP_HOSTS"), "{sent:?}");
    send(&plain(), &at(&server, json!({}))).await;
    assert_eq!(server.next().await["subject"], "[Critical] INC #7KQ2MD disk full", "the first that it sees");
}

// Proves: finding D6
#[tokio::test]
async fn a_private_server_is_used_only_if_the_deployment_names_it() {
    let certified = Certified::for_name("localhost");
    let server = certified.serve(&[]).await;
    let unnamed = deliverer(Roots::These(vec![certified.root.clone()]), "");
    for tls in ["starttls", "implicit"] {
        let sent = send(&unnamed, &at(&server, json!({"host": "localhost", "tls": tls}))).await;
        assert_eq!(sent.outcome, rejected(Reason::NotConfigured), "{sent:?}");
        assert!(sent.provider.message.contains("no public address"), "{sent:?}");
    }
}
