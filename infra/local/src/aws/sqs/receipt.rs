//! Receipt handles. Each identifies one receive of one message, so that a receiver cannot delete a message after its
//! visibility timeout, when another receiver may have it. They are opaque to receivers but not secret: all callers may
//! use every queue.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::SqsError;
use super::line::Seq;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) queue: i64,
    pub(crate) seq: Seq,
    pub(crate) receive: u32,
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.queue.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.seq.to_be_bytes());
        bytes[16..].copy_from_slice(&self.receive.to_be_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Receipt {
    type Err = SqsError;

    fn from_str(text: &str) -> Result<Self, SqsError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| SqsError::BadReceipt)?;
        let bytes: [u8; 20] = bytes.try_into().map_err(|_| SqsError::BadReceipt)?;
        let (queue, rest) = bytes.split_first_chunk::<8>().expect("20 bytes");
        let (seq, rest) = rest.split_first_chunk::<8>().expect("12 bytes");
        let (receive, _) = rest.split_first_chunk::<4>().expect("4 bytes");
        Ok(Self {
            queue: i64::from_be_bytes(*queue),
            seq: i64::from_be_bytes(*seq),
            receive: u32::from_be_bytes(*receive),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_read_back_and_another_text_is_not_one() {
        let receipt = Receipt { queue: 3, seq: 70_000, receive: 2 };
        assert_eq!(receipt.to_string().parse::<Receipt>().expect("valid"), receipt);
        assert!(matches!("not-a-receipt".parse::<Receipt>(), Err(SqsError::BadReceipt)));
    }
}
