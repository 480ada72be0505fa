//! Tests against a local server that speaks just enough HTTP to misbehave.

use std::net::SocketAddr;
use std::sync::Mutex;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use channels::request::Method;
use channels::samples::{CANARY, NOW, delivered, described, destination, post, rejected, retry};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 27\r\n\r\n{\"code\":0,\"msg\":\"success\"}\n";

/// What the server does with every connection after it has read the request.
#[derive(Clone)]
enum Does {
    Answer(String),
    /// Accepts and reads, and never replies.
    Hang,
    /// One byte of this every 50 ms.
    Trickle(&'static str),
    /// Sends this and closes.
    BreakOffAfter(&'static str),
}

#[derive(Clone)]
struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    /// Its certificate. `None`: it does not use TLS.
    tls: Arc<Mutex<Option<TlsAcceptor>>>,
}

impl Server {
    async fn start(does: Does) -> Self {
        Self::start_with(does, None).await
    }

    async fn start_with(does: Does, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let server = Self { address, requests: Arc::default(), tls: Arc::new(Mutex::new(tls)) };
        let (requests, tls) = (server.requests.clone(), server.tls.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let tls = tls.lock().expect("not poisoned").clone();
                let (does, requests) = (does.clone(), requests.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, does, &requests).await,
                        // Some tests check from the client's side that the handshake is aborted.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, does, &requests).await;
                            }
                        }
                    }
                });
            }
        });
        server
    }

    fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes the server's certificate.
    fn shows(&self, tls: TlsAcceptor) {
        *self.tls.lock().expect("not poisoned") = Some(tls);
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("not poisoned").clone()
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, does: Does, requests: &Mutex<Vec<String>>) {
    let request = read_request(&mut stream).await;
    requests.lock().expect("not poisoned").push(request);
    match does {
        Does::Answer(text) => drop(stream.write_all(text.as_bytes()).await),
        Does::Hang => std::future::pending().await,
        Does::Trickle(text) => {
            for byte in text.bytes() {
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Does::BreakOffAfter(text) => drop(stream.write_all(text.as_bytes()).await),
    }
    drop(stream.shutdown().await);
}

/// Head and body, by the length that the head names.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0) {
                return text.into_owned();
            }
        }
        match stream.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&bytes).into_owned(),
            Ok(_) => {}
        }
    }
}

fn deliverer(overrides: Overrides) -> Deliverer {
    let (total, connect) = (Duration::from_millis(500), Duration::from_millis(300));
    Deliverer::build(overrides, Roots::These(Vec::new()), total, connect).expect("valid")
}

fn to(server: &Server) -> Deliverer {
    deliverer(Overrides { provider_base: Some(server.base()), ..Overrides::default() })
}

async fn send(deliverer: &Deliverer, channel: &str) -> Sent {
    let notices = [described("disk full", "")];
    let destination = destination(channel);
    let request = destination.request(&post(&notices), NOW).expect("renders");
    let sent = deliverer.send(&destination, request, None).await;
    assert!(!format!("{sent:?}").contains(CANARY), "{sent:?}");
    sent
}

/// Sends a channel's request after `change` was applied to it.
async fn ask(server: &Server, token: Option<&Secret>, change: impl Fn(&mut Http)) -> Sent {
    let notices = [described("disk full", "")];
    let destination = destination("feishu_bot");
    let mut request = destination.request(&post(&notices), NOW).expect("renders");
    let Transport::Http(http) = &mut request.transport else { panic!("a bot's request is HTTP") };
    change(http);
    let sent = to(server).send(&destination, request, token).await;
    assert!(!format!("{sent:?}").contains(CANARY), "{sent:?}");
    sent
}

#[tokio::test]
async fn a_request_goes_to_the_named_base_with_path_query_and_headers_unchanged() {
    let server = Server::start(Does::Answer(OK.to_owned())).await;
    assert_eq!(send(&to(&server), "feishu_bot").await.outcome, delivered());
    send(&to(&server), "dingtalk_bot").await;
    send(&to(&server), "zoom_webhook").await;
    let requests = server.requests();
    assert!(requests[0].starts_with("POST /open-apis/bot/v2/hook/c4nary00-1111-2222-3333-444444444444 HTTP/1.1\r\n"));
    assert!(requests[0].contains("content-type: application/json; charset=utf-8\r\n"));
    assert!(
        requests[1].starts_with("POST /robot/send?access_token=c4nary0123456789abcdef&timestamp=1767607200000&sign=")
    );
    assert!(requests[2].contains("authorization: c4nary-verification-token\r\n"), "{}", requests[2]);
}

#[tokio::test]
async fn a_request_that_goes_elsewhere_still_names_the_vendors_own_host() {
    let server = Server::start(Does::Answer(OK.to_owned())).await;
    for (channel, host) in [("feishu_bot", "open.feishu.cn"), ("telegram_bot", "api.telegram.org")] {
        send(&to(&server), channel).await;
        let request = server.requests().pop().expect("it came");
        assert_eq!(request.matches("\r\nhost: ").count(), 1, "{request}");
        assert!(request.contains(&format!("\r\nhost: {host}\r\n")), "{request}");
    }
}

#[tokio::test]
async fn every_method_and_content_type_is_sent_as_the_channel_says() {
    let server = Server::start(Does::Answer(OK.to_owned())).await;
    for method in [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete] {
        ask(&server, None, |http| (http.method, http.content_type) = (method, "text/plain")).await;
        let request = server.requests().pop().expect("it came");
        assert!(request.starts_with(&format!("{} /open-apis/", method.as_str())), "{request}");
        assert!(request.contains("\r\ncontent-type: text/plain\r\n"), "{request}");
    }
}

#[tokio::test]
async fn the_access_token_is_put_where_the_vendor_looks_for_it_and_shown_nowhere() {
    let echo = r#"{"code":19001,"msg":"c4nary-token is no token"}"#;
    let server =
        Server::start(Does::Answer(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{echo}", echo.len()))).await;
    let token = Secret::new("c4nary-token");
    for (place, found) in [
        (TokenPlace::Bearer, "\r\nauthorization: Bearer c4nary-token\r\n"),
        (TokenPlace::Header("x-acs-dingtalk-access-token"), "\r\nx-acs-dingtalk-access-token: c4nary-token\r\n"),
        (TokenPlace::Query("access_token"), "-444444444444?access_token=c4nary-token HTTP/1.1\r\n"),
    ] {
        let sent = ask(&server, Some(&token), |http| http.credential = Some(place)).await;
        let request = server.requests().pop().expect("it came");
        assert_eq!(request.matches("c4nary-token").count(), 1, "{request}");
        assert!(request.contains(found), "{request}");
        assert!(sent.provider.message.contains("[redacted]"), "{sent:?}");
    }
}

#[tokio::test]
async fn without_an_access_token_a_request_that_needs_one_is_not_sent() {
    let server = Server::start(Does::Answer(OK.to_owned())).await;
    let sent = ask(&server, None, |http| http.credential = Some(TokenPlace::Bearer)).await;
    assert_eq!(sent.outcome, rejected(Reason::Unauthorized), "{sent:?}");
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn the_demo_group_is_reached_at_its_own_base_and_nothing_else_is() {
    let (demo, other) = (Server::start(Does::Answer(OK.to_owned())).await, Server::start(Does::Hang).await);
    let url_prefix = "https://open.feishu.cn/open-apis/bot/v2/hook/c4nary00".to_owned();
    let overrides = Overrides {
        provider_base: Some(other.base()),
        demo: Some(Demo { url_prefix, base: demo.base() }),
        ..Overrides::default()
    };
    let deliverer = deliverer(overrides);
    assert_eq!(send(&deliverer, "feishu_bot").await.outcome, delivered());
    send(&deliverer, "wecom_bot").await;
    assert_eq!((demo.requests().len(), other.requests().len()), (1, 1));
}

// Proves: fault 62
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(Does::Answer(OK.to_owned())).await;
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let port = elsewhere.address.port();
        // Every location but that of the cloud's metadata leads to the other server.
        for location in [
            elsewhere.base(),
            format!("http://[::ffff:127.0.0.1]:{port}/"),
            format!("http://2130706433:{port}/"),
            format!("http://0177.0.0.1:{port}/"),
            format!("http://localhost:{port}/2018-06-01/runtime/invocation/next"),
            format!("//127.0.0.1:{port}/"),
            "http://169.254.169.254/latest/meta-data".to_owned(),
        ] {
            let answer = format!("HTTP/1.1 {status}\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
            let server = Server::start(Does::Answer(answer)).await;
            assert_eq!(send(&to(&server), "slack_webhook").await.outcome, rejected(Reason::BadDestination));
        }
    }
    assert_eq!(elsewhere.requests(), Vec::<String>::new());
}

// Proves: fault 56, fault 61
#[tokio::test]
async fn the_timeout_is_of_the_whole_exchange_and_leaves_the_result_unknown() {
    let slow_head = Does::Trickle("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n");
    let slow_body = Does::BreakOffAfter("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"code\":0");
    for does in [Does::Hang, slow_head, slow_body] {
        let server = Server::start(does).await;
        let sent = send(&to(&server), "feishu_bot").await;
        assert_eq!(sent.outcome, retry(None, Reason::TimedOut), "{sent:?}");
        assert!(sent.duration < Duration::from_secs(2) && sent.provider.message.contains("unknown"), "{sent:?}");
    }
}

// Proves: fault 60
#[tokio::test]
async fn an_answer_is_read_only_up_to_its_size_limit() {
    let body = "a".repeat(2 * 1024 * 1024);
    let server =
        Server::start(Does::Answer(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()))).await;
    assert_eq!(send(&to(&server), "feishu_bot").await.outcome, retry(None, Reason::Unreadable));
    let endless = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}",
        "400\r\n".to_owned() + &"a".repeat(1024) + "\r\n"
    );
    let chunks = endless.clone() + &("400\r\n".to_owned() + &"a".repeat(1024) + "\r\n").repeat(200);
    let server = Server::start(Does::Answer(chunks)).await;
    assert_eq!(send(&to(&server), "feishu_bot").await.outcome, retry(None, Reason::Unreadable));
}

// Proves: fault 94
#[tokio::test]
async fn a_kept_connection_that_the_provider_closed_meanwhile_costs_no_try() {
    let server = Server::start(Does::Answer(OK.to_owned())).await;
    let deliverer = to(&server);
    for _ in 0..20 {
        assert_eq!(send(&deliverer, "feishu_bot").await.outcome, delivered());
    }
    assert_eq!(server.requests().len(), 20);
}

// Proves: fault 56
#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("bound"));
    drop(listener);
    let deliverer = deliverer(Overrides { provider_base: Some(base), ..Overrides::default() });
    let sent = send(&deliverer, "telegram_bot").await;
    assert_eq!(sent.outcome, retry(None, Reason::ProviderDown));
    assert_eq!(sent.provider, ProviderReply::silent("no connection to the provider; nothing was sent"));
}

#[tokio::test]
async fn retry_after_is_read_from_the_answer() {
    for (header, secs) in [("retry-after: 7", 7), ("X-Ogw-Ratelimit-Reset: 8", 8), ("x-ms-retry-after-ms: 9000", 9)] {
        let answer = format!("HTTP/1.1 429 Too Many Requests\r\n{header}\r\ncontent-length: 0\r\n\r\n");
        let server = Server::start(Does::Answer(answer)).await;
        assert_eq!(send(&to(&server), "slack_webhook").await.outcome, retry(secs, Reason::RateLimited));
    }
}

#[tokio::test]
async fn a_url_that_is_not_the_vendors_is_refused_before_it_is_sent() {
    let server = Server::start(Does::Answer(OK.to_owned())).await;
    let destination = destination("feishu_bot");
    let notices = [described("disk full", "")];
    for (host, path) in [
        ("evil.example", "/x"),
        ("open.feishu.cn:8443", "/x"),
        ("127.0.0.1", "/"),
        ("open.feishu.cn", "@evil.example/x"),
        ("open.feishu.cn", ".evil.example/x"),
        ("open.feishu.cn", ":8443/x"),
        ("evil.example/?https://open.feishu.cn", "/x"),
        ("", "/"),
    ] {
        let mut request = destination.request(&post(&notices), NOW).expect("renders");
        let Transport::Http(http) = &mut request.transport else { panic!("a bot's request is HTTP") };
        (http.host, http.path) = (host.to_owned(), Secret::new(path));
        let sent = to(&server).send(&destination, request, None).await;
        assert_eq!(sent.outcome, rejected(Reason::BadDestination), "{host}{path}");
    }
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[test]
fn a_base_that_is_no_base_is_refused_at_start() {
    for base in ["", "127.0.0.1:9911", "ftp://127.0.0.1", "http://127.0.0.1/?x=1"] {
        let overrides = Overrides { provider_base: Some(base.to_owned()), ..Overrides::default() };
        assert!(matches!(Deliverer::new(overrides), Err(SetupError::Base)), "{base}");
    }
}

/// A root of our own.
struct Root {
    certificate: CertificateDer<'static>,
    issuer: rcgen::CertifiedIssuer<'static, rcgen::KeyPair>,
}

impl Root {
    fn new() -> Self {
        let mut root = rcgen::CertificateParams::new(Vec::new()).expect("valid");
        root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().expect("a key");
        let issuer = rcgen::CertifiedIssuer::self_signed(root, key).expect("signs");
        Self { certificate: issuer.der().clone(), issuer }
    }

    /// The TLS settings of a server with a certificate for this name, valid until `end`.
    fn certificate_for(&self, name: &str, end: time::OffsetDateTime) -> TlsAcceptor {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut leaf = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("valid");
        leaf.not_after = end;
        let leaf = leaf.signed_by(&key, &self.issuer).expect("signs");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .expect("a pair");
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A root, and a server for `name` whose certificate it signed.
async fn tls_server(name: &str) -> (CertificateDer<'static>, Server) {
    let (root, server) = tls_server_until(name, rcgen::date_time_ymd(4096, 1, 1)).await;
    (root.certificate, server)
}

/// The same with a certificate that is valid until `end`.
async fn tls_server_until(name: &str, end: time::OffsetDateTime) -> (Root, Server) {
    let root = Root::new();
    let acceptor = root.certificate_for(name, end);
    (root, Server::start_with(Does::Answer(OK.to_owned()), Some(acceptor)).await)
}

fn trusting(root: Option<CertificateDer<'static>>, server: &Server) -> Deliverer {
    let base = format!("https://localhost:{}", server.address.port());
    let overrides = Overrides { provider_base: Some(base), ..Overrides::default() };
    match root {
        None => Deliverer::new(overrides).expect("valid"),
        Some(root) => {
            Deliverer::build(overrides, Roots::These(vec![root]), TOTAL_TIMEOUT, CONNECT_TIMEOUT).expect("valid")
        }
    }
}

#[tokio::test]
async fn a_tls_handshake_succeeds_under_a_trusted_root_and_its_name() {
    let (root, server) = tls_server("localhost").await;
    assert_eq!(send(&trusting(Some(root), &server), "feishu_bot").await.outcome, delivered());
    assert_eq!(server.requests().len(), 1);
}

// Proves: fault 58
#[tokio::test]
async fn a_certificate_of_another_root_or_another_name_is_refused_before_anything_is_sent() {
    let (_, server) = tls_server("localhost").await;
    let (root, misnamed) = tls_server("open.feishu.cn").await;
    let bundled = trusting(None, &server);
    let wrong_name = trusting(Some(root), &misnamed);
    for deliverer in [bundled, wrong_name] {
        let sent = send(&deliverer, "feishu_bot").await;
        assert_eq!(sent.outcome, retry(None, Reason::Untrusted), "{sent:?}");
        assert!(sent.provider.message.contains("certificate"), "{sent:?}");
    }
    assert_eq!((server.requests(), misnamed.requests()), (Vec::new(), Vec::new()));
}

// Proves: fault 58, finding A4
#[tokio::test]
async fn a_certificate_that_has_expired_is_tried_again_and_delivered_to_once_it_is_replaced() {
    let (root, server) = tls_server_until("localhost", rcgen::date_time_ymd(2020, 1, 1)).await;
    let deliverer = trusting(Some(root.certificate.clone()), &server);
    for _ in 0..2 {
        let sent = send(&deliverer, "feishu_bot").await;
        assert_eq!(sent.outcome, retry(None, Reason::Untrusted), "{sent:?}");
        assert!(sent.provider.message.contains("certificate"), "{sent:?}");
        assert_eq!(server.requests(), Vec::<String>::new());
    }
    server.shows(root.certificate_for("localhost", rcgen::date_time_ymd(4096, 1, 1)));
    assert_eq!(send(&deliverer, "feishu_bot").await.outcome, delivered());
}

// Proves: fault 57
#[tokio::test]
async fn an_unknown_host_name_counts_as_a_provider_that_is_down() {
    let base = "http://no-such-name.invalid".to_owned();
    let deliverer = deliverer(Overrides { provider_base: Some(base), ..Overrides::default() });
    for _ in 0..2 {
        let sent = send(&deliverer, "wecom_bot").await;
        assert_eq!(sent.outcome, retry(None, Reason::ProviderDown), "{sent:?}");
        assert!(sent.provider.message.contains("nothing was sent"), "{sent:?}");
    }
}
