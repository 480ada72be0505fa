//! Integrations for tests of decisions.

use alerting::base::moment::Moment;
use alerting::rules::integration::{IntakeLimits, Integration, PushMode, Routing, Security, Source, TitleFrom};
use alerting::rules::message::MsgType;

/// An integration with default settings.
pub(crate) fn integration() -> Integration {
    Integration {
        id: "int_4fJk2LmNpQ".parse().expect("valid"),
        name: "test".to_owned(),
        version: 1,
        source: Source::Feishu,
        routing: Routing::Dedicated { space: "spc_4fJk2LmNpQ".parse().expect("valid") },
        message_types: vec![MsgType::Text, MsgType::Post],
        title_from: TitleFrom::Default,
        push_mode: PushMode::EachMessage,
        security: Security::default(),
        pipeline: Vec::new(),
        limits: IntakeLimits::default(),
        auto_close_hours: 24,
        created_at: Moment::from_secs(1_767_607_200),
    }
}

/// An integration that also accepts `interactive` messages.
pub(crate) fn taking_cards() -> Integration {
    Integration { message_types: vec![MsgType::Text, MsgType::Post, MsgType::Interactive], ..integration() }
}
