//! Replays a logged message: the same body is queued under a new stamp, like any other message.
//!
//! The body is parsed again under the integration's current settings, so a message that was refused because of a setting is
//! accepted once the setting has changed. Signature, source address and rate are not checked again: the signature has
//! expired, the address is not kept, and an operator requests the replay. Type, content and keywords are checked. A refused
//! message of which only a sample or a count was kept has no body to replay.

use std::io::Read as _;

use alerting::base::ids::Stamp;
use alerting::rules::integration::Integration;
use alerting::rules::message::{RawBody, Received};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::DeflateDecoder;
use lambda_kit::queue::Entry;
use store::log::LogEntry;

use crate::app::App;
use crate::error::ApiError;
use crate::trial;

/// The largest size of a decompressed body: the limit of the gateway.
const BODY_BYTES: u64 = 6 * 1024 * 1024;

/// Queues the message again and returns its new stamp.
pub(crate) async fn replay(app: &App, integration: &Integration, logged: LogEntry) -> Result<Stamp, ApiError> {
    let now = app.clock.now();
    let body = restored(&logged.body).ok_or_else(|| {
        ApiError::conflict("the body of this message was not kept whole; it cannot be taken in again")
    })?;
    let stamp = app.stamps.next(now);
    let hour = stamp.received_at().hour();
    let received = Received {
        stamp,
        integration: integration.id.clone(),
        origin: app.replayed.take(hour),
        acceptance: trial::read_again(integration, &body, now),
        body: logged.body,
        replay_of: Some(logged.stamp),
        times: 1,
    };
    let body = serde_json::to_string(&received).expect("a message is JSON");
    let group = Some(integration.id.as_str().to_owned());
    app.messages.send(Entry { body, group, ..Entry::default() }).await?;
    app.replayed.is_queued(hour);
    Ok(stamp)
}

/// The body as it was received; `None` if it was not kept.
pub(crate) fn restored(body: &RawBody) -> Option<Vec<u8>> {
    match body {
        RawBody::Cut { .. } => None,
        RawBody::Text(text) => Some(text.clone().into_bytes()),
        RawBody::Deflated(text) => {
            let deflated = STANDARD.decode(text).ok()?;
            let mut bytes = Vec::new();
            DeflateDecoder::new(&deflated[..]).take(BODY_BYTES).read_to_end(&mut bytes).ok()?;
            Some(bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    #[test]
    fn a_body_comes_back_byte_for_byte() {
        let bytes = b"{\"msg_type\":\"text\"}\xff".repeat(1000);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).expect("to memory");
        let deflated = STANDARD.encode(encoder.finish().expect("to memory"));
        assert_eq!(restored(&RawBody::Deflated(deflated)).as_deref(), Some(&bytes[..]));
        assert_eq!(restored(&RawBody::Text("告警".to_owned())).as_deref(), Some("告警".as_bytes()));
        assert_eq!(restored(&RawBody::Deflated("not base64".to_owned())), None);
    }
}
