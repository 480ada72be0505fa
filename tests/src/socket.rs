//! The embedded AWS services behind a port, for callers outside the process or through a faulty wire: the wire, boto3, a
//! function under callgrind. For tests only: the product has no such port.
//!
//! Each socket has a separate access key, with which requests must be signed. Other programs on the machine therefore
//! cannot use the socket of a test.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{HttpClient as _, http_client_fn};
use aws_types::SdkConfig;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{HeaderMap, Response, StatusCode};
use lambda_kit::aws::local_config;
use lambda_kit::random::base62;
use local::aws::{Aws, Request};
use local::aws_rules::TRACE_HEADER;
use local::options::Interposer;
use tokio::sync::oneshot;

/// A batch of the largest messages, every character of them escaped (`\u0000`), and DynamoDB's own limit.
const MAX_REQUEST_BYTES: usize = 16 * 1_048_576;

/// Ends when it is dropped.
#[derive(Debug)]
pub struct Socket {
    pub address: SocketAddr,
    pub access_key: String,
    _open: oneshot::Sender<()>,
}

#[derive(Clone)]
struct Served {
    aws: Aws,
    /// The start of the credential in a signature.
    credential: Arc<str>,
}

impl Socket {
    /// Needs a runtime, which serves it.
    pub fn open(aws: &Aws) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket can");
        let address = listener.local_addr().expect("bound");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime");
        let access_key = base62(20);
        let served = Served { aws: aws.clone(), credential: format!("Credential={access_key}/").into() };
        let router = Router::new().fallback(answer).layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES)).with_state(served);
        let (open, closed) = oneshot::channel::<()>();
        let shut_down = async move { drop(closed.await) };
        tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(shut_down).await });
        Self { address, access_key, _open: open }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// An SDK that calls it, by `proxy` if there is one: the socket's address is then the first part of the path. The
    /// socket ends with the last client of this configuration.
    pub fn into_sdk_config(self, proxy: Option<&str>) -> SdkConfig {
        let url = proxy.map_or_else(|| self.url(), |proxy| format!("{proxy}/{}", self.address));
        let credentials = Credentials::new(&self.access_key, "unchecked", None, None, "socket");
        let config = local_config(&url);
        let client = config.http_client().expect("it has one");
        let while_open = http_client_fn(move |settings, components| {
            let _open = &self;
            client.http_connector(settings, components)
        });
        config
            .into_builder()
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(while_open)
            .build()
    }
}

/// Has the functions reach the embedded services by a proxy: `http://…`, without a slash at the end.
pub fn through(proxy: String) -> Interposer {
    Interposer::new(move |aws| Socket::open(aws).into_sdk_config(Some(&proxy)))
}

async fn answer(State(served): State<Served>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if !header(AUTHORIZATION.as_str()).is_some_and(|signature| signature.contains(&*served.credential)) {
        let mut refused = Response::new(Body::from("the access key of this socket is needed"));
        *refused.status_mut() = StatusCode::FORBIDDEN;
        return refused;
    }
    let host = header(HOST.as_str()).unwrap_or("localhost");
    let (target, trace) = (header("x-amz-target"), header(TRACE_HEADER));
    served.aws.answer(&Request { target, host, trace, body: &body }).await.map(Body::from)
}
