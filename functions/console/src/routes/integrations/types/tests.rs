use serde_json::{Value, json};

use alerting::rules::policy::Policy;

use super::*;
use crate::dto::field_error;
use crate::extract::parse;

fn draft(body: &Value) -> Result<IntegrationDraft, ApiError> {
    let id = "int_1".parse().expect("valid");
    let draft = parse::<IntegrationBody>(body.to_string().as_bytes())?.parse(id, 1, Moment::from_secs(0))?;
    Policy::new(&draft.integration, &[]).map_err(field_error)?;
    Ok(draft)
}

fn field(body: &Value) -> String {
    match draft(body).err().expect("is refused") {
        ApiError::Invalid { field: Some(field), .. } => field,
        other => panic!("{other:?}"),
    }
}

/// A dedicated integration with `more`.
fn with(more: Value) -> Value {
    let mut body = json!({"name": "a", "space": "spc_1"});
    body.as_object_mut().expect("object").append(&mut more.as_object().cloned().expect("object"));
    body
}

#[test]
fn a_minimal_dedicated_integration_has_the_documented_defaults() {
    let integration = draft(&with(json!({}))).expect("valid").integration;
    let shown = Shown { url: "…abcd".to_owned(), secret_hint: None, old_key_until: None };
    assert_eq!(
        serde_json::to_value(IntegrationView::new(integration, shown)).expect("serialises"),
        json!({
            "id": "int_1", "name": "a", "source": "feishu", "space": "spc_1", "message_types": ["text", "post"],
            "title_from": "default", "push_mode": {"type": "each_message"},
            "security": {"keywords": [], "sources": []}, "pipeline": [],
            "limits": {"per_second": 100, "per_minute": 1000, "open_alerts": 10000},
            "auto_close_hours": 24, "url": "…abcd", "created_at": "1970-01-01T00:00:00Z",
        })
    );
}

// Proves: fault 99
#[test]
fn an_integration_is_dedicated_or_shared_and_a_shared_one_has_a_default_route() {
    let route = json!({"spaces": ["spc_1"]});
    let rows = [
        (json!({"name": "a"}), "space"),
        (json!({"name": "a", "space": "spc_1", "routes": []}), "space"),
        (json!({"name": "a", "space": "spc_1", "default_spaces": ["spc_1"]}), "space"),
        (json!({"name": "a", "routes": [route]}), "default_spaces"),
        (json!({"name": "a", "routes": [route], "default_spaces": []}), "default_spaces"),
        (json!({"name": "a", "routes": [route, {"spaces": []}], "default_spaces": ["spc_1"]}), "routes[1].spaces"),
        (json!({"name": "a", "routes": [{"spaces": ["dst_1"]}], "default_spaces": ["spc_1"]}), "routes[0].spaces[0]"),
    ];
    for (body, wanted) in rows {
        assert_eq!(field(&body), wanted, "{body}");
    }
    assert!(draft(&json!({"name": "a", "routes": [route], "default_spaces": ["spc_1"]})).is_ok());
}

#[test]
fn every_fault_names_its_field() {
    let rows = [
        (json!({"bogus": 1}), "bogus"),
        (json!({"url": "https://x"}), "url"),
        (json!({"name": ""}), "name"),
        (json!({"message_types": []}), "message_types"),
        (json!({"message_types": ["text", "image"]}), "message_types[1]"),
        (json!({"title_from": "last_line"}), "title_from"),
        (json!({"source": "carrier_pigeon"}), "source"),
        (json!({"push_mode": {"type": "by_title", "close": []}}), "push_mode.close"),
        (
            json!({"push_mode": {"type": "by_rules", "trigger": [{"any": [{"all": [{"field": "title"}]}]}]}}),
            "push_mode.trigger[0].any[0].all[0].op",
        ),
        (json!({"pipeline": [{"drop": true}, {"set_severity": "High"}]}), "pipeline[1].set_severity"),
        (json!({"pipeline": [{}]}), "pipeline[0]"),
        (json!({"security": {"keywords": ["ok", " "]}}), "security.keywords[1]"),
        (json!({"security": {"sources": ["203.0.113.0/24", "example.org"]}}), "security.sources[1]"),
        (json!({"security": {"secret": ""}}), "security.secret"),
        (json!({"security": {"secrets": ""}}), "security.secrets"),
        (json!({"limits": {"per_second": 0}}), "limits.per_second"),
        (json!({"limits": {"per_hour": 1}}), "limits.per_hour"),
        (json!({"auto_close_hours": 0}), "auto_close_hours"),
    ];
    for (more, wanted) in rows {
        assert_eq!(field(&with(more.clone())), wanted, "{more}");
    }
}

#[test]
fn a_secret_left_out_is_kept_null_removes_it_and_its_mask_is_never_saved() {
    let saved = |security: Value| {
        let draft = draft(&with(json!({"security": security}))).expect("valid");
        SecretToSave::new(draft.secret, Some("…cdef"))
    };
    assert!(matches!(saved(json!({})), Ok(SecretToSave::Keep)));
    assert!(matches!(saved(json!({"secret": null})), Ok(SecretToSave::Remove)));
    assert!(matches!(saved(json!({"secret": "…cdef"})), Ok(SecretToSave::Keep)));
    assert!(matches!(saved(json!({"secret": "new"})), Ok(SecretToSave::Seal(secret)) if secret.expose() == "new"));
    assert!(saved(json!({"secret": "…abcd"})).is_err());
}
