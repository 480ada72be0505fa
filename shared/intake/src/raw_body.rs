//! Keeps the body as received, for the message log and for replay.
//!
//! A body within the size limit of a Feishu bot is queued unchanged, so that it is readable in the queue. A larger
//! body, or one that is not UTF-8, is queued deflated (raw DEFLATE, then base64), byte for byte. A body that is too
//! large even then is cut, with a note of its length. Only refused bodies of several hundred KiB are that large.
//!
//! With a title and text of at most 256 KiB, which JSON can double, the whole record stays below the queue's limit of 1
//! MiB.

use std::io::Write as _;

use alerting::base::limits;
use alerting::rules::message::RawBody;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::clean;

/// Feishu's own limit on a body. Up to this size, body and text together fit in one chunk of 64 KiB, the unit that SQS
/// charges.
const PLAIN_BYTES: usize = 20 * 1024;
/// The most bytes of the deflated body in base64: an incompressible body of the largest accepted size, and the bytes of
/// the format.
pub const DEFLATED_BYTES: usize = limits::BODY_BYTES / 3 * 4 + 1024;
/// The bytes that are kept of a body that is cut. Deflated, they are always within the limit.
const CUT_BYTES: usize = limits::BODY_BYTES / 2;

pub fn record(body: &[u8]) -> RawBody {
    if body.len() <= PLAIN_BYTES
        && let Ok(text) = std::str::from_utf8(body)
        && clean::is_queueable(text)
    {
        return RawBody::Text(text.to_owned());
    }
    let whole = deflated(body);
    if whole.len() <= DEFLATED_BYTES {
        return RawBody::Deflated(whole);
    }
    let start = String::from_utf8_lossy(&body[..body.len().min(CUT_BYTES)]);
    let cut = format!("{}… [cut: {} bytes in all]", limits::cut_bytes(&start, CUT_BYTES), body.len());
    RawBody::Deflated(deflated(cut.as_bytes()))
}

/// Keeps at most the first `most` bytes.
pub fn sample(body: &[u8], most: usize) -> RawBody {
    if body.len() <= most {
        return record(body);
    }
    let start = String::from_utf8_lossy(&body[..most]).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    RawBody::Cut { start, bytes: body.len() }
}

fn deflated(bytes: &[u8]) -> String {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes).expect("writing to a Vec cannot fail");
    STANDARD.encode(encoder.finish().expect("writing to a Vec cannot fail"))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::DeflateDecoder;

    use super::*;

    fn restored(body: &RawBody) -> Vec<u8> {
        match body {
            RawBody::Cut { .. } => panic!("it was cut"),
            RawBody::Text(text) => text.clone().into_bytes(),
            RawBody::Deflated(text) => {
                let bytes = STANDARD.decode(text).expect("base64");
                let mut out = Vec::new();
                DeflateDecoder::new(&bytes[..]).read_to_end(&mut out).expect("deflated");
                out
            }
        }
    }

    /// Random bytes, which do not compress.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn a_body_comes_back_byte_for_byte() {
        let large = "告警".repeat(40_000);
        for body in [&b""[..], b"{\"msg_type\":\"text\"}", b"\xff\xfe\0", "\u{ffff}".as_bytes(), large.as_bytes()] {
            assert_eq!(restored(&record(body)), body);
        }
        let largest = noise(limits::BODY_BYTES);
        assert_eq!(restored(&record(&largest)), largest);
    }

    #[test]
    fn only_text_that_the_queue_takes_is_queued_as_text() {
        assert!(matches!(record(b"{}"), RawBody::Text(_)));
        assert!(matches!(record(b"\xff"), RawBody::Deflated(_)));
        assert!(matches!(record("\u{fffe}".as_bytes()), RawBody::Deflated(_)));
        assert!(matches!(record(&vec![b'x'; PLAIN_BYTES + 1]), RawBody::Deflated(_)));
    }

    #[test]
    fn a_body_of_megabytes_is_kept_whole_if_it_deflates_and_cut_visibly_if_not() {
        let six = vec![b'x'; 6 << 20];
        assert_eq!(restored(&record(&six)), six);
        let RawBody::Deflated(text) = record(&noise(6 << 20)) else { panic!("not text") };
        assert!(text.len() <= DEFLATED_BYTES, "{}", text.len());
        let cut = restored(&RawBody::Deflated(text));
        assert!(String::from_utf8(cut).expect("UTF-8").ends_with("… [cut: 6291456 bytes in all]"));
    }
}
