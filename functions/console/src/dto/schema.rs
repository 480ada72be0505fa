//! How types of `alerting` look in the OpenAPI document: `alerting` knows nothing of HTTP, so its shapes are written
//! down here, and a test holds them to what the types say of themselves.

#![expect(dead_code, reason = "these describe types; none of them is ever made")]

pub(crate) mod escalation;
pub(crate) mod hours;
pub(crate) mod people;
pub(crate) mod space;
pub(crate) mod text;

use utoipa::ToSchema;

/// Groups joined by OR. `{}` takes everything.
#[derive(ToSchema)]
#[schema(as = Filter)]
pub(crate) struct FilterShape {
    #[schema(required = false)]
    any: Vec<GroupShape>,
}

/// Conditions joined by AND.
#[derive(ToSchema)]
#[schema(as = FilterGroup)]
pub(crate) struct GroupShape {
    all: Vec<ConditionShape>,
}

/// `match`: any of the values; `not_match`: none of them.
#[derive(ToSchema)]
#[schema(as = FilterCondition)]
pub(crate) struct ConditionShape {
    /// `title`, `description`, `severity`, `labels.NAME`, and for messages `content`.
    field: String,
    op: OpShape,
    /// Exact, `/regex/`, a wildcard with `*` and `?`, `cidr:10.0.0.0/8`, `num:ge:90`; `*` alone means "exists".
    values: Vec<String>,
}

#[derive(ToSchema)]
#[schema(as = FilterOp, rename_all = "snake_case")]
pub(crate) enum OpShape {
    Match,
    NotMatch,
}

/// An ordered rule of a shared integration.
#[derive(ToSchema)]
#[schema(as = Route)]
pub(crate) struct RouteShape {
    #[schema(required = false)]
    filter: FilterShape,
    #[schema(example = json!(["spc_4fJk2LmNpQ"]))]
    spaces: Vec<String>,
    #[schema(required = false, default = "continue")]
    then: ThenShape,
}

#[derive(ToSchema)]
#[schema(as = Then, rename_all = "snake_case")]
pub(crate) enum ThenShape {
    Continue,
    Stop,
}

/// First capture group, or the whole match if the pattern has none.
#[derive(ToSchema)]
#[schema(as = KeyExtractor)]
pub(crate) struct KeyExtractorShape {
    field: KeyFieldShape,
    /// Bare, `/…/` or `/…/i`.
    #[schema(example = r"/host=(\S+)/")]
    pattern: String,
}

#[derive(ToSchema)]
#[schema(as = KeyField, rename_all = "snake_case")]
pub(crate) enum KeyFieldShape {
    Title,
    Content,
}

/// Messages a second and a minute (counted per process, approximately), and alerts open at once.
#[derive(ToSchema)]
#[schema(as = IntakeLimits)]
pub(crate) struct LimitsShape {
    #[schema(required = false, default = 100)]
    per_second: u32,
    #[schema(required = false, default = 1000)]
    per_minute: u32,
    #[schema(required = false, default = 10000)]
    open_alerts: u32,
}

#[derive(ToSchema)]
#[schema(as = MsgType, rename_all = "snake_case")]
pub(crate) enum MsgTypeShape {
    Text,
    Post,
    Interactive,
}

#[derive(ToSchema)]
#[schema(as = TitleFrom, rename_all = "snake_case")]
pub(crate) enum TitleFromShape {
    Default,
    FirstLine,
}

/// What becomes of a message that no rule matches.
#[derive(ToSchema)]
#[schema(as = Unmatched, rename_all = "snake_case")]
pub(crate) enum UnmatchedShape {
    Discard,
    Trigger,
}

#[derive(ToSchema)]
#[schema(as = Severity)]
pub(crate) enum SeverityShape {
    Info,
    Warning,
    Critical,
}

#[derive(ToSchema)]
#[schema(as = AlertStatus, rename_all = "snake_case")]
pub(crate) enum StatusShape {
    Open,
    Closed,
}

#[derive(ToSchema)]
#[schema(as = Progress, rename_all = "snake_case")]
pub(crate) enum ProgressShape {
    Triggered,
    Processing,
    Closed,
}

/// A setting that can be saved but will surprise.
#[derive(ToSchema)]
#[schema(as = Warning)]
pub(crate) struct WarningShape {
    /// The field to change.
    #[schema(example = "push_mode.key")]
    field: String,
    /// What will happen.
    message: String,
    /// What to write instead.
    remedy: String,
}

#[derive(ToSchema)]
#[schema(as = Notified, rename_all = "snake_case")]
pub(crate) enum NotifiedShape {
    Somebody,
    Pending,
    Nobody,
    NotNeeded,
}

#[derive(ToSchema)]
#[schema(as = WhyNobody, rename_all = "snake_case")]
pub(crate) enum WhyNobodyShape {
    AllFailed,
    NoRule,
    NobodyReached,
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use alerting::base::severity;
    use alerting::incident::notified::{Notified, WhyNobody};
    use alerting::incident::{self, alert};
    use alerting::rules::{filter, integration, message};
    use serde::Serialize;
    use serde_json::Value;
    use utoipa::PartialSchema;

    use super::*;

    pub(in crate::dto) fn schema_of<T: PartialSchema>() -> Value {
        serde_json::to_value(T::schema()).expect("a schema is JSON")
    }

    /// The least and the greatest value of a property.
    pub(in crate::dto) fn range_of<Shape: PartialSchema>(field: &str) -> (u32, u32) {
        let schema = schema_of::<Shape>();
        let bound = |name: &str| schema["properties"][field][name].as_f64().expect("there is such a bound");
        (bound("minimum") as u32, bound("maximum") as u32)
    }

    /// The schema's properties are exactly the fields that the type writes.
    pub(in crate::dto) fn same_fields<Shape: PartialSchema>(sample: &impl Serialize) {
        let names = |value: &Value| value.as_object().map(|o| o.keys().cloned().collect::<BTreeSet<_>>());
        let schema = schema_of::<Shape>();
        assert_eq!(names(&schema["properties"]), names(&serde_json::to_value(sample).expect("serialises")));
    }

    /// The schema's values are exactly the names of the variants.
    pub(in crate::dto) fn same_names<Shape: PartialSchema>(variants: &impl Serialize) {
        assert_eq!(schema_of::<Shape>()["enum"], serde_json::to_value(variants).expect("serialises"));
    }

    #[test]
    fn the_described_objects_have_the_fields_of_the_real_ones() {
        let condition = filter::Condition { field: "title".into(), op: filter::Op::Match, values: vec![] };
        let group = filter::Group { all: vec![condition.clone()] };
        let filter = filter::Filter { any: vec![group.clone()] };
        same_fields::<ConditionShape>(&condition);
        same_fields::<GroupShape>(&group);
        same_fields::<FilterShape>(&filter);
        same_fields::<RouteShape>(&integration::Route { filter, spaces: vec![], then: integration::Then::Stop });
        same_fields::<LimitsShape>(&integration::IntakeLimits::default());
        same_fields::<WarningShape>(&alerting::incident::warning::Warning::new("title_from", "", ""));
        let field = integration::KeyField::Title;
        same_fields::<KeyExtractorShape>(&integration::KeyExtractor { field, pattern: "a".into() });
    }

    #[test]
    fn the_described_names_are_the_real_ones() {
        use integration::{KeyField, Then, TitleFrom, Unmatched};
        use message::MsgType;
        same_names::<OpShape>(&[filter::Op::Match, filter::Op::NotMatch]);
        same_names::<ThenShape>(&[Then::Continue, Then::Stop]);
        same_names::<KeyFieldShape>(&[KeyField::Title, KeyField::Content]);
        same_names::<MsgTypeShape>(&[MsgType::Text, MsgType::Post, MsgType::Interactive]);
        same_names::<TitleFromShape>(&[TitleFrom::Default, TitleFrom::FirstLine]);
        same_names::<UnmatchedShape>(&[Unmatched::Discard, Unmatched::Trigger]);
        same_names::<SeverityShape>(&[
            severity::Severity::Info,
            severity::Severity::Warning,
            severity::Severity::Critical,
        ]);
        same_names::<StatusShape>(&[alert::Status::Open, alert::Status::Closed]);
        same_names::<ProgressShape>(&[
            incident::Progress::Triggered,
            incident::Progress::Processing,
            incident::Progress::Closed,
        ]);
        let why = [WhyNobody::AllFailed, WhyNobody::NoRule, WhyNobody::NobodyReached];
        same_names::<WhyNobodyShape>(&why.map(WhyNobody::as_str));
        let notified = [Notified::Somebody, Notified::Pending, Notified::Nobody(why[0]), Notified::NotNeeded];
        same_names::<NotifiedShape>(&notified.map(Notified::as_str));
    }
}
