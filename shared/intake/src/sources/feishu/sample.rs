//! Makes a body as a sender would post it from a text, for trying an integration's rules.

use alerting::rules::message::MsgType;
use serde_json::json;

/// Makes the body. The first line of a post or a card is its title.
pub(super) fn body(msg_type: MsgType, text: &str) -> String {
    let (title, rest) = text.split_once('\n').unwrap_or((text, ""));
    let body = match msg_type {
        MsgType::Text => json!({"msg_type": "text", "content": {"text": text}}),
        MsgType::Post => json!({"msg_type": "post", "content": {"post": {"en_us":
            {"title": title, "content": [[{"tag": "text", "text": rest}]]}}}}),
        MsgType::Interactive => json!({"msg_type": "interactive", "card": {
            "header": {"title": {"tag": "plain_text", "content": title}},
            "elements": [{"tag": "div", "text": {"tag": "lark_md", "content": rest}}]}}),
    };
    body.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Protocol as _, SentType};
    use crate::sources::feishu::Request;

    #[test]
    fn a_sample_of_every_type_is_read_back() {
        for (msg_type, title, text) in [
            (MsgType::Text, "", "[FIRING] disk full\nhost=db-1"),
            (MsgType::Post, "[FIRING] disk full", "host=db-1"),
            (MsgType::Interactive, "[FIRING] disk full", "host=db-1"),
        ] {
            let body = body(msg_type, "[FIRING] disk full\nhost=db-1");
            let request = Request::parse(body.as_bytes(), Request::NEWEST).expect("JSON");
            assert_eq!(request.message_type(), Ok(SentType::Known(msg_type)));
            let reading = request.read(msg_type).expect("a message");
            assert_eq!((reading.title.as_str(), reading.text.as_str()), (title, text), "{msg_type:?}");
        }
    }
}
