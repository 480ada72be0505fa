//! Turns the result of a request into the answer that the bot itself would give.
//!
//! The bodies are sent byte for byte: `acme.sh` searches the raw text for `StatusCode":0`, and other senders read any
//! `StatusCode` of an error as success, so errors have none. The code 9499 makes senders repeat the request within a
//! second (`KubeSphere` until its context ends), so it is used only where a repetition can succeed.

use std::borrow::Cow;

use http::StatusCode;

use crate::protocol::Answer;
use crate::result::IntakeResult;
use crate::sources::feishu::path::Version;

/// The answer of the live service since 2023. It merges the old and the new form, so that the check of every sender
/// passes.
const SUCCESS: &str = r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#;
/// The answer for senders of the older form, which check only `ok`.
const SUCCESS_V1: &str = r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success","ok":true}"#;
const UNKNOWN_KEY: &str = r#"{"code":19001,"data":{},"msg":"param invalid: incoming webhook access token invalid"}"#;
const SIGNATURE: &str =
    r#"{"code":19021,"data":{},"msg":"sign match fail or timestamp is not within one hour from current time"}"#;
const ADDRESS: &str = r#"{"code":19022,"data":{},"msg":"Ip Not Allowed"}"#;
const KEYWORD: &str = r#"{"code":19024,"data":{},"msg":"Key Words Not Found"}"#;
const TOO_MANY: &str = r#"{"code":9499,"msg":"too many request","data":{}}"#;
const BUSY: &str = r#"{"code":9499,"msg":"system busy, send again","data":{}}"#;
const NOT_POST: &str = r#"{"code":19002,"data":{},"msg":"params error, only POST is supported"}"#;
const NOT_FOUND: &str = r#"{"code":19002,"data":{},"msg":"params error, nothing is here"}"#;

/// The answer to a request with this result.
pub(super) fn answer(version: Version, result: &IntakeResult) -> Answer {
    let (status, body) = match result {
        // The service itself answers 200 to all of these, and only the body says that they failed.
        IntakeResult::Accepted => (StatusCode::OK, success(version)),
        IntakeResult::UnknownKey => (StatusCode::OK, UNKNOWN_KEY),
        IntakeResult::NotSigned => (StatusCode::OK, SIGNATURE),
        IntakeResult::AddressNotAllowed => (StatusCode::OK, ADDRESS),
        IntakeResult::NoKeyword => (StatusCode::OK, KEYWORD),
        IntakeResult::Unusable(cause) => {
            return Answer { status: StatusCode::BAD_REQUEST, body: Cow::Owned(params(cause)) };
        }
        IntakeResult::TooMany => (StatusCode::BAD_REQUEST, TOO_MANY),
        IntakeResult::Busy => (StatusCode::SERVICE_UNAVAILABLE, BUSY),
        IntakeResult::NotPost => (StatusCode::METHOD_NOT_ALLOWED, NOT_POST),
        IntakeResult::NotFound => (StatusCode::NOT_FOUND, NOT_FOUND),
    };
    Answer { status, body: Cow::Borrowed(body) }
}

const fn success(version: Version) -> &'static str {
    match version {
        Version::V1 => SUCCESS_V1,
        Version::V2 => SUCCESS,
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
            answer(Version::V2, &IntakeResult::Accepted).body,
            r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#
        );
        assert_eq!(answer(Version::V2, &IntakeResult::Accepted).body.len(), 77);
        assert!(answer(Version::V1, &IntakeResult::Accepted).body.contains(r#""ok":true"#));
    }

    #[test]
    fn no_error_holds_a_status_code_and_all_hold_code_data_and_msg() {
        let cases = [
            (IntakeResult::UnknownKey, 200, 19001),
            (IntakeResult::NotSigned, 200, 19021),
            (IntakeResult::AddressNotAllowed, 200, 19022),
            (IntakeResult::NoKeyword, 200, 19024),
            (IntakeResult::Unusable("msg_type need".into()), 400, 19002),
            (IntakeResult::TooMany, 400, 9499),
            (IntakeResult::Busy, 503, 9499),
            (IntakeResult::NotPost, 405, 19002),
            (IntakeResult::NotFound, 404, 19002),
        ];
        for (result, status, code) in cases {
            for version in [Version::V1, Version::V2] {
                let answer = answer(version, &result);
                let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
                assert_eq!((answer.status.as_u16(), body["code"].as_i64()), (status, Some(code)), "{result:?}");
                assert!(body["msg"].is_string() && body["data"].is_object(), "{result:?}");
                assert!(body.get("StatusCode").is_none(), "{result:?}");
            }
        }
    }

    #[test]
    fn text_of_the_sender_is_escaped_in_the_answer() {
        let answer = answer(Version::V2, &IntakeResult::Unusable("msg_type \"a\"\n</script>".into()));
        let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(body["msg"], "params error, msg_type \"a\"\n</script>");
    }
}
