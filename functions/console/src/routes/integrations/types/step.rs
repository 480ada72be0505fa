//! Pipeline steps as they are written in a request: an optional filter and exactly one action.

use alerting::base::ids::MappingTableId;
use alerting::base::severity::Severity;
use alerting::rules::filter::Filter;
use alerting::rules::integration::{Action, AddLabel, SeveritySource, Step};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::ApiError;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Step)]
pub(crate) struct StepBody {
    /// Without it the step is always taken.
    when: Option<Filter>,
    /// A template.
    #[schema(example = "{{ title }} on {{ labels.host }}")]
    set_title: Option<String>,
    /// A template.
    set_description: Option<String>,
    /// `Critical`, `Warning`, `Info`, or a template that renders to one.
    #[schema(example = "Critical")]
    set_severity: Option<String>,
    add_label: Option<AddLabelBody>,
    map_labels: Option<MapLabelsBody>,
    /// A label's name.
    delete_label: Option<String>,
    /// `true`: the message ends here, recorded as discarded.
    drop: Option<bool>,
}

/// `from` and `pattern` (first capture group or whole match), or `value` (a template).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AddLabel)]
struct AddLabelBody {
    name: String,
    /// `title`, `description`, `severity`, `labels.NAME`.
    from: Option<String>,
    pattern: Option<String>,
    value: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MapLabels)]
struct MapLabelsBody {
    table: MappingTableId,
}

impl StepBody {
    pub(crate) fn parse(self) -> Result<Step, ApiError> {
        let Self { when, set_title, set_description, set_severity, add_label, map_labels, delete_label, drop } = self;
        let mut actions = Vec::new();
        actions.extend(set_title.map(Action::SetTitle));
        actions.extend(set_description.map(Action::SetDescription));
        actions.extend(set_severity.map(severity).transpose()?.map(Action::SetSeverity));
        actions.extend(add_label.map(AddLabelBody::parse).transpose()?.map(Action::AddLabel));
        actions.extend(map_labels.map(|map| Action::MapLabels { table: map.table }));
        actions.extend(delete_label.map(Action::DeleteLabel));
        match drop {
            Some(true) => actions.push(Action::Drop(true)),
            Some(false) => return Err(ApiError::invalid("drop", "`drop` is `true` or left out")),
            None => {}
        }
        match (actions.pop(), actions.is_empty()) {
            (Some(action), true) => Ok(Step { when, action }),
            _ => {
                let message = "a step has exactly one of `set_title`, `set_description`, `set_severity`, `add_label`, \
                               `map_labels`, `delete_label`, `drop`";
                Err(ApiError::Invalid { field: None, message: message.to_owned() })
            }
        }
    }
}

impl AddLabelBody {
    fn parse(self) -> Result<AddLabel, ApiError> {
        match self {
            Self { name, from: Some(from), pattern: Some(pattern), value: None } => {
                Ok(AddLabel::Extract { name, from, pattern })
            }
            Self { name, from: None, pattern: None, value: Some(value) } => Ok(AddLabel::Compose { name, value }),
            _ => Err(ApiError::invalid("add_label", "give either `from` with `pattern`, or `value`")),
        }
    }
}

fn severity(text: String) -> Result<SeveritySource, ApiError> {
    let fixed = [Severity::Info, Severity::Warning, Severity::Critical].into_iter().find(|one| one.as_str() == text);
    match fixed {
        Some(severity) => Ok(SeveritySource::Fixed(severity)),
        None if text.contains("{{") || text.contains("{%") => Ok(SeveritySource::Template(text)),
        None => Err(ApiError::invalid("set_severity", "expected `Critical`, `Warning`, `Info`, or a template `{{…}}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::parse;

    fn read(body: &str) -> Result<Step, ApiError> {
        parse::<StepBody>(body.as_bytes()).and_then(StepBody::parse)
    }

    #[test]
    fn what_is_stored_reads_back_as_it_is_shown() {
        for body in [
            r#"{"set_title":"{{ title }}"}"#,
            r#"{"when":{"any":[{"all":[{"field":"title","op":"match","values":["*"]}]}]},"set_severity":"Critical"}"#,
            r#"{"set_severity":"{{ labels.severity }}"}"#,
            r#"{"set_description":"x"}"#,
            r#"{"add_label":{"name":"host","from":"title","pattern":"/a/"}}"#,
            r#"{"add_label":{"name":"host","value":"{{ title }}"}}"#,
            r#"{"map_labels":{"table":"map_1"}}"#,
            r#"{"delete_label":"host"}"#,
            r#"{"drop":true}"#,
        ] {
            let shown = serde_json::to_value(read(body).expect("valid")).expect("serialises");
            assert_eq!(shown, serde_json::from_str::<serde_json::Value>(body).expect("JSON"));
        }
    }

    #[test]
    fn a_step_with_no_action_or_two_is_refused_and_the_field_at_fault_is_named() {
        let rows = [
            ("{}", None),
            (r#"{"drop":true,"set_title":"x"}"#, None),
            (r#"{"drop":false}"#, Some("drop")),
            (r#"{"set_severity":"critical"}"#, Some("set_severity")),
            (r#"{"add_label":{"name":"a","from":"title"}}"#, Some("add_label")),
            (r#"{"add_label":{"name":"a","from":"title","pattern":"a","value":"b"}}"#, Some("add_label")),
            (r#"{"add_label":{"nam":"a"}}"#, Some("add_label.nam")),
            (r#"{"map_labels":{"table":"int_1"}}"#, Some("map_labels.table")),
            (r#"{"set_titel":"x"}"#, Some("set_titel")),
        ];
        for (body, wanted) in rows {
            match read(body).expect_err("is refused") {
                ApiError::Invalid { field, .. } => assert_eq!(field.as_deref(), wanted, "{body}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
