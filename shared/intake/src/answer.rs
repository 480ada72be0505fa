//! What a sender is told, in the protocol's own words.
//!
//! The bodies are sent byte for byte: `acme.sh` greps the raw text `StatusCode":0`, and others read a `StatusCode` of an
//! error as success, so errors have none. 9499 makes senders repeat within a second (`KubeSphere` until its context ends),
//! so it is never used for what a repetition cannot mend.

use std::borrow::Cow;

use http::StatusCode;

use crate::sources::feishu::path::Version;

/// The live service's answer since 2023: the old form and the new one merged, so that every sender's test passes.
const SUCCESS: &str = r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#;
/// Senders of the older form look at `ok` alone.
const SUCCESS_V1: &str = r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success","ok":true}"#;
const UNKNOWN_KEY: &str = r#"{"code":19001,"data":{},"msg":"param invalid: incoming webhook access token invalid"}"#;
const SIGNATURE: &str =
    r#"{"code":19021,"data":{},"msg":"sign match fail or timestamp is not within one hour from current time"}"#;
const SOURCE: &str = r#"{"code":19022,"data":{},"msg":"Ip Not Allowed"}"#;
const KEYWORD: &str = r#"{"code":19024,"data":{},"msg":"Key Words Not Found"}"#;
const TOO_MANY: &str = r#"{"code":9499,"msg":"too many request","data":{}}"#;
const BUSY: &str = r#"{"code":9499,"msg":"system busy, send again","data":{}}"#;
const NOT_POST: &str = r#"{"code":19002,"data":{},"msg":"params error, only POST is supported"}"#;
const ELSEWHERE: &str = r#"{"code":19002,"data":{},"msg":"params error, nothing is here"}"#;

/// Every answer that the intake gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Durably queued.
    Accepted(Version),
    UnknownKey,
    Signature,
    Source,
    Keyword,
    /// Malformed, too large, or of a type that is not taken; the text says which.
    Params(Cow<'static, str>),
    TooMany,
    /// Our own failure: the sender may repeat at once.
    Busy,
    NotPost,
    /// Not a path of the protocol.
    Elsewhere,
}

impl Answer {
    pub fn status(&self) -> StatusCode {
        match self {
            // As the service itself: these failures are told in the body alone.
            Answer::Accepted(_) | Answer::UnknownKey | Answer::Signature | Answer::Source | Answer::Keyword => {
                StatusCode::OK
            }
            Answer::Params(_) | Answer::TooMany => StatusCode::BAD_REQUEST,
            Answer::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Answer::NotPost => StatusCode::METHOD_NOT_ALLOWED,
            Answer::Elsewhere => StatusCode::NOT_FOUND,
        }
    }

    pub fn body(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Answer::Accepted(Version::V2) => SUCCESS,
            Answer::Accepted(Version::V1) => SUCCESS_V1,
            Answer::UnknownKey => UNKNOWN_KEY,
            Answer::Signature => SIGNATURE,
            Answer::Source => SOURCE,
            Answer::Keyword => KEYWORD,
            Answer::Params(cause) => return Cow::Owned(params(cause)),
            Answer::TooMany => TOO_MANY,
            Answer::Busy => BUSY,
            Answer::NotPost => NOT_POST,
            Answer::Elsewhere => ELSEWHERE,
        })
    }
}

fn params(cause: &str) -> String {
    let msg = serde_json::to_string(&format!("params error, {cause}")).expect("a text is always JSON");
    format!(r#"{{"code":19002,"data":{{}},"msg":{msg}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_is_the_merged_body_byte_for_byte() {
        assert_eq!(
            Answer::Accepted(Version::V2).body(),
            r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#
        );
        assert_eq!(Answer::Accepted(Version::V2).body().len(), 77);
        assert!(Answer::Accepted(Version::V1).body().contains(r#""ok":true"#));
    }

    #[test]
    fn no_error_holds_a_status_code_and_all_hold_code_data_and_msg() {
        let cases = [
            (Answer::UnknownKey, 200, 19001),
            (Answer::Signature, 200, 19021),
            (Answer::Source, 200, 19022),
            (Answer::Keyword, 200, 19024),
            (Answer::Params("msg_type need".into()), 400, 19002),
            (Answer::TooMany, 400, 9499),
            (Answer::Busy, 503, 9499),
            (Answer::NotPost, 405, 19002),
            (Answer::Elsewhere, 404, 19002),
        ];
        for (answer, status, code) in cases {
            let body: serde_json::Value = serde_json::from_str(&answer.body()).expect("JSON");
            assert_eq!((answer.status().as_u16(), body["code"].as_i64()), (status, Some(code)), "{answer:?}");
            assert!(body["msg"].is_string() && body["data"].is_object(), "{answer:?}");
            assert!(body.get("StatusCode").is_none(), "{answer:?}");
        }
    }

    #[test]
    fn what_a_sender_wrote_is_escaped_in_the_answer() {
        let answer = Answer::Params("msg_type \"a\"\n</script>".into());
        let body: serde_json::Value = serde_json::from_str(&answer.body()).expect("JSON");
        assert_eq!(body["msg"], "params error, msg_type \"a\"\n</script>");
    }
}
