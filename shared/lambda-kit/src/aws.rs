//! The AWS SDK's configuration: one TLS stack with bundled roots, credentials from the environment.
//!
//! It does not use the SDK's default connector, which reads the system's root certificates (20 million instructions at
//! each cold start), nor its default chain of settings (`aws-config`), which reads files and the instance's metadata.

use std::time::Duration;

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{
    BehaviorVersion, Credentials, HttpClient, Region, SharedCredentialsProvider, SharedHttpClient,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_types::SdkConfig;
use aws_types::sdk_config;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::settings::{Env, MissingSettings};

/// Amazon Trust Services' roots and their cross-signed predecessor: every AWS endpoint chains to one of them
/// (amazontrust.com/repository, read 2026-11-22).
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon_roots.pem");
/// `DigiCert` Global Root CA, G2 and G3: endpoints under `amazonaws.com.cn` may chain to them. From Debian's package
/// ca-certificates; the fingerprints are those of knowledge.digicert.com.
const DIGICERT_ROOTS: &[u8] = include_bytes!("digicert_roots.pem");

/// The configuration of a function on AWS, or at an emulator that `AWS_ENDPOINT_URL` names. Lambda sets the credentials
/// and the region before a process begins and does not change them while it lives.
pub fn sdk_config() -> Result<SdkConfig, MissingSettings> {
    let mut env = Env::read();
    let (key, secret) = (env.required("AWS_ACCESS_KEY_ID"), env.required("AWS_SECRET_ACCESS_KEY"));
    let credentials = Credentials::new(key, secret, env.optional("AWS_SESSION_TOKEN"), None, "environment");
    let region = Region::new(env.required("AWS_REGION"));
    let mut config = builder(credentials, region).http_client(http_client()).service_config(EndpointOfService);
    config.set_endpoint_url(env.optional("AWS_ENDPOINT_URL"));
    env.finish()?;
    Ok(config.build())
}

/// The same SDK against services on this machine.
pub fn local_config(endpoint: &str) -> SdkConfig {
    local(endpoint).http_client(http_client()).build()
}

/// The same SDK against services inside this process: `client` answers without a socket.
pub fn embedded_config(endpoint: &str, client: impl HttpClient + 'static) -> SdkConfig {
    local(endpoint).http_client(SharedHttpClient::new(client)).build()
}

fn local(endpoint: &str) -> sdk_config::Builder {
    let credentials = Credentials::new("local", "local", None, None, "local");
    builder(credentials, Region::new("us-east-1")).endpoint_url(endpoint)
}

/// The configuration without the HTTP client.
fn builder(credentials: Credentials, region: Region) -> sdk_config::Builder {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(region)
        .timeout_config(timeouts())
        .retry_config(RetryConfig::standard().with_max_attempts(3))
}

/// The endpoint of one service, such as `AWS_ENDPOINT_URL_DYNAMODB`, which takes precedence over that of all services.
#[derive(Debug)]
struct EndpointOfService;

impl LoadServiceConfig for EndpointOfService {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        Env::read().optional(&format!("{}_{service}", key.env()))
    }
}

/// A call that takes longer than this is retried while the function still has time.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .build()
}

fn http_client() -> SharedHttpClient {
    let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS).with_pem_certificate(DIGICERT_ROOTS);
    let context = TlsContext::builder().with_trust_store(roots).build().expect("the bundled roots are certificates");
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context).build_https()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ring::digest::{SHA256, digest};

    use super::*;

    fn fingerprints(pem: &[u8]) -> Vec<String> {
        let text = std::str::from_utf8(pem).expect("text");
        let bodies = text.split("-----BEGIN CERTIFICATE-----").skip(1).filter_map(|part| part.split("-----END").next());
        let hash = |body: &str| {
            let der = STANDARD.decode(body.split_whitespace().collect::<String>()).expect("base64");
            digest(&SHA256, &der).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
        };
        bodies.map(hash).collect()
    }

    // Proves: finding A11
    #[test]
    fn the_roots_that_aws_endpoints_chain_to_are_bundled() {
        assert_eq!(fingerprints(AMAZON_ROOTS).len(), 5);
        let wanted = [
            "4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161",
            "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f",
            "31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0",
        ];
        assert_eq!(fingerprints(DIGICERT_ROOTS), wanted);
        drop(http_client()); // which panics if a bundled file is no certificate
    }
}
