//! The faults of a call.

use std::time::Duration;

use super::call::Service;

#[derive(Debug, Clone)]
pub enum Fault {
    /// The call is delayed by this time.
    Delay(Duration),
    /// The connection is closed without an answer.
    Drop,
    /// The call is answered with this error of AWS.
    Refuse(Refusal),
    /// The call is answered with this status and body.
    Answer(u16, String),
    /// The call is not answered until the caller gives up.
    Hang,
    /// The call is passed on. Half of its answer is sent, then the connection is reset.
    Cut,
    /// The call is passed on twice, one after the other, and answered once.
    Duplicate,
    /// The call waits until the next matching call was answered, at most three seconds.
    Overtaken,
    /// The first entry of a batch (`SendMessageBatch`, `PublishBatch`) is not passed on and named as failed, HTTP 200.
    FirstEntryFails,
}

/// An error that AWS answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub code: &'static str,
}

impl Refusal {
    pub const THROTTLED: Self = Self { status: 400, code: "ThrottlingException" };
    pub const THROUGHPUT: Self = Self { status: 400, code: "ProvisionedThroughputExceededException" };
    pub const REQUEST_LIMIT: Self = Self { status: 400, code: "RequestLimitExceeded" };
    pub const CONFLICT: Self = Self { status: 400, code: "TransactionConflictException" };
    pub const INTERNAL: Self = Self { status: 500, code: "InternalServerError" };
    pub const UNAVAILABLE: Self = Self { status: 503, code: "ServiceUnavailable" };
    pub const DENIED: Self = Self { status: 400, code: "AccessDeniedException" };
    pub const EXPIRED: Self = Self { status: 400, code: "ExpiredTokenException" };

    /// Content type and body, as the service words it.
    pub(super) fn worded(self, service: Service) -> (&'static str, String) {
        let Self { status, code } = self;
        let text = "refused on the wire";
        match service {
            Service::Sns => {
                let kind = if status < 500 { "Sender" } else { "Receiver" };
                let error = format!("<Error><Type>{kind}</Type><Code>{code}</Code><Message>{text}</Message></Error>");
                let request = "<RequestId>00000000-0000-0000-0000-000000000000</RequestId>";
                let namespace = "http://sns.amazonaws.com/doc/2010-03-31/";
                ("text/xml", format!("<ErrorResponse xmlns=\"{namespace}\">{error}{request}</ErrorResponse>"))
            }
            service => {
                let family = match service {
                    Service::DynamoDb => "com.amazonaws.dynamodb.v20120810#",
                    Service::Sqs => "com.amazonaws.sqs#",
                    _ => "",
                };
                let body = serde_json::json!({"__type": format!("{family}{code}"), "message": text});
                ("application/x-amz-json-1.0", body.to_string())
            }
        }
    }
}
