//! The SDK's HTTP client whose requests never leave the process.
//!
//! A connector takes one request and gives one response. Retries, time limits and signing are the SDK's own and work as
//! on AWS (docs.rs: `aws_smithy_runtime_api::client::http`).

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;

use super::wire::{self, Request, Services};
use crate::aws_rules::TRACE_HEADER;

/// A name that never resolves (RFC 2606), in case a request leaves the process.
const HOST: &str = "aws.invalid";
pub(crate) const ENDPOINT: &str = "http://aws.invalid";

pub(super) fn sdk_config(services: &Services) -> SdkConfig {
    lambda_kit::aws::embedded_config(ENDPOINT, Connector(services.clone()))
}

#[derive(Debug, Clone)]
struct Connector(Services);

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let services = self.0.clone();
        HttpConnectorFuture::new(async move { answer(&services, &request).await })
    }
}

async fn answer(services: &Services, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let streamed = || ConnectorError::user("the embedded services take no streams".into());
    let body = request.body().bytes().ok_or_else(streamed)?;
    let header = |name| request.headers().get(name);
    let request = Request { target: header("x-amz-target"), host: HOST, trace: header(TRACE_HEADER), body };
    let answer = wire::answer(services, &request).await;
    HttpResponse::try_from(answer.map(SdkBody::from)).map_err(|error| ConnectorError::other(error.into(), None))
}
