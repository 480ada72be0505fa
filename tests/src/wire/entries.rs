//! Batches of which one entry fails although the answer is HTTP 200.

use serde_json::{Value, json};

use super::exchange::Answer;

/// The id of the entry that was taken out; SNS words it in XML.
pub(super) enum Failed {
    Sqs(String),
    Sns(String),
}

const FIRST: &str = "PublishBatchRequestEntries.member.1.";

/// The request without its first entry. The rest moves up, for a list is numbered without gaps.
pub(super) fn without_first(body: &[u8]) -> (Vec<u8>, Failed) {
    if let Ok(mut json) = serde_json::from_slice::<Value>(body) {
        let first = json["Entries"].as_array_mut().expect("a batch").remove(0);
        return (json.to_string().into_bytes(), Failed::Sqs(first["Id"].as_str().expect("an id").to_owned()));
    }
    let fields: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    let id = fields.iter().find(|(name, _)| *name == format!("{FIRST}Id")).expect("a batch").1.clone();
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with(FIRST)) {
        form.append_pair(&moved_up(name), value);
    }
    (form.finish().into_bytes(), Failed::Sns(id))
}

fn moved_up(name: &str) -> String {
    let Some(rest) = name.strip_prefix("PublishBatchRequestEntries.member.") else { return name.to_owned() };
    let (number, field) = rest.split_once('.').expect("an entry has fields");
    let number: usize = number.parse().expect("a number");
    format!("PublishBatchRequestEntries.member.{}.{field}", number - 1)
}

impl Failed {
    /// Adds the removed entry to the answer as failed. If no entry was left, the service refuses the empty batch, and
    /// the whole answer is made here.
    pub(super) fn named_in(self, mut answer: Answer) -> Answer {
        let nothing_left = answer.status != 200;
        answer.status = 200;
        answer.body = match self {
            Failed::Sqs(id) => {
                let made_up = || json!({"Successful": [], "Failed": []});
                let mut json =
                    serde_json::from_slice(&answer.body).ok().filter(|_| !nothing_left).unwrap_or_else(made_up);
                let failed =
                    json!({"Id": id, "Code": "InternalError", "Message": "failed on the wire", "SenderFault": false});
                match json["Failed"].as_array_mut() {
                    Some(list) => list.push(failed),
                    None => json["Failed"] = json!([failed]),
                }
                json.to_string().into_bytes()
            }
            Failed::Sns(id) => {
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                let made_up = "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
                    <Successful></Successful><Failed></Failed></PublishBatchResult></PublishBatchResponse>";
                let text = if nothing_left { made_up.to_owned() } else { text };
                let failed = format!(
                    "<Failed><member><Id>{id}</Id><Code>InternalError</Code><Message>failed on the wire</Message>\
                     <SenderFault>false</SenderFault></member></Failed>"
                );
                answer.headers = vec![("content-type".to_owned(), "text/xml".to_owned())];
                text.replace("<Failed></Failed>", &failed).into_bytes()
            }
        };
        answer
    }
}
