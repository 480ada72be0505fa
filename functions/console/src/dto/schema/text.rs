//! Texts of a certain form: their patterns and lengths. What they mean is parsed by the types that they stand for.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $shape:ident = $name:literal, $pattern:literal, $length:expr, $example:literal;)+) => {$(
        $(#[doc = $doc])+
        pub(crate) struct $shape;

        impl PartialSchema for $shape {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some($pattern));
                text.description(Some(concat!($($doc),+).trim()))
                    .min_length(Some(*$length.start()))
                    .max_length(Some(*$length.end()))
                    .examples([$example])
                    .into()
            }
        }

        impl ToSchema for $shape {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    )+};
}

texts! {
    /// One line with something in it.
    NameText = "Name",
        r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$", 1..=128, "Payments";
    /// In E.164: `+`, country code and number.
    PhoneText = "Phone", r"^\+[1-9][0-9]{6,14}$", 8..=16, "+8613800000000";
    /// A time zone by its IANA name.
    ZoneText = "TimeZone", r"^[A-Za-z0-9_+\-/]+$", 1..=64, "Asia/Shanghai";
    /// A channel that is addressed to people (`email`), or the id of a destination that only this person reads.
    ContactText = "Contact", r"^([a-z_]{1,32}|dst_[0-9A-Za-z_]{1,64})$", 1..=68, "email";
    /// Who a member is to a chat platform.
    IdentityText = "Identity", r"^[^\x00-\x1F\x7F-\x9F]+$", 1..=128, "U024BE7LH";
    /// A channel's wire name.
    ChannelNameText = "ChannelName", "^[a-z_]{1,32}$", 1..=32, "email";
    /// The digits of a one-time code.
    CodeText = "Code", "^[0-9]{6}$", 6..=6, "483920";
    /// A member's id.
    MemberIdText = "MemberId", "^mem_[0-9A-Za-z_]{1,64}$", 5..=68, "mem_4fJk2LmNpQ";
    /// A team's id.
    TeamIdText = "TeamId", "^team_[0-9A-Za-z_]{1,64}$", 6..=69, "team_4fJk2LmNpQ";
    /// A schedule's id.
    ScheduleIdText = "ScheduleId", "^sch_[0-9A-Za-z_]{1,64}$", 5..=68, "sch_4fJk2LmNpQ";
    /// An override's id, made of what it says.
    OverrideIdText = "OverrideId", "^ovr_[0-9a-f]{32}$", 36..=36, "ovr_0f343b0931126a20f133d67c2b018a3b";
    /// What a clock on the wall shows: a date and a time without an offset.
    WallTimeText = "WallTime",
        "^(19[7-9][0-9]|2[01][0-9][0-9])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$",
        16..=19, "2026-11-02T09:00:00";
    /// A mapping table's id.
    MappingTableIdText = "MappingTableId", "^map_[0-9A-Za-z_]{1,64}$", 5..=68, "map_4fJk2LmNpQ";
    /// An escalation rule's id.
    EscalationRuleIdText = "EscalationRuleId", "^esc_[0-9A-Za-z_]{1,64}$", 5..=68, "esc_4fJk2LmNpQ";
    /// A silence's id.
    SilenceIdText = "SilenceId", "^sil_[0-9A-Za-z_]{1,64}$", 5..=68, "sil_4fJk2LmNpQ";
    /// `title`, `severity`, `integration`, `alert_key`, `labels.NAME`.
    GroupingFieldText = "GroupingField", r"^(title|severity|integration|alert_key|labels\.[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*)$", 5..=135, "labels.host";
    /// A time of day by the clock on the wall; `24:00` is the end of the day.
    TimeOfDayText = "TimeOfDay", "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", 5..=5, "09:00";
    /// A destination's id.
    DestinationIdText = "DestinationId", "^dst_[0-9A-Za-z_]{1,64}$", 5..=68, "dst_8Zp1QeRtYu";
}

/// An email address that mail servers take.
pub(crate) struct EmailText;

impl PartialSchema for EmailText {
    fn schema() -> RefOr<Schema> {
        let email = SchemaFormat::KnownFormat(KnownFormat::Email);
        let text = ObjectBuilder::new().schema_type(Type::String).format(Some(email));
        text.max_length(Some(crate::dto::member::EMAIL_CHARS)).examples(["ada@example.org"]).into()
    }
}

impl ToSchema for EmailText {
    fn name() -> std::borrow::Cow<'static, str> {
        "Email".into()
    }
}
