//! Names as AWS writes them: the account and region of this machine, resource names, identifiers.

use std::fmt::Write;

pub const ACCOUNT: &str = "000000000000";
pub const REGION: &str = "us-east-1";

/// `arn:aws:sqs:us-east-1:000000000000:NAME`
pub fn queue_arn(queue: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")
}

/// `arn:aws:sns:us-east-1:000000000000:NAME`
pub fn topic_arn(topic: &str) -> String {
    format!("arn:aws:sns:{REGION}:{ACCOUNT}:{topic}")
}

/// The URL under which the queue is known at the endpoint `base` (`http://host:port`).
pub fn queue_url(base: &str, queue: &str) -> String {
    format!("{base}/{ACCOUNT}/{queue}")
}

/// The queue's name from its URL.
pub fn queue_of_url(url: &str) -> &str {
    url.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// The resource's name from its ARN.
pub fn name_of_arn(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}

/// A random UUID, the form of AWS's message and request identifiers.
pub(super) fn uuid() -> String {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_found_by_its_url_and_its_arn() {
        assert_eq!(queue_of_url(&queue_url("http://localhost:4566", "notices.fifo")), "notices.fifo");
        assert_eq!(name_of_arn(&queue_arn("notices.fifo")), "notices.fifo");
    }

    #[test]
    fn a_uuid_has_its_form() {
        let id = uuid();
        assert_eq!(id.len(), 36);
        assert_eq!(id.as_bytes()[14], b'4');
        assert_ne!(id, uuid());
    }
}
