//! The inbound protocols. Each is three things: how a request proves itself, how its bytes are read, and how it is
//! answered. All of it is pure: bytes in, [`alerting::rules::message::Message`] or the reason why not out.

pub mod feishu;
