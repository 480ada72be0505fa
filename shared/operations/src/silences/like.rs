//! A silence for alerts like those of an incident: the same title, and the same values of labels.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::base::actor::NamedActor;
use alerting::base::field_error::FieldError;
use alerting::base::ids::IncidentId;
use alerting::base::limits::{LABEL_VALUE_CHARS, PATTERN_BYTES};
use alerting::incident::silence::{Silence, SilenceAction, SilenceTime};
use alerting::incident::timer::{FOLLOW_UP_AFTER, Timer, Work};
use alerting::rules::filter::{Condition, Filter, Group, Op};
use alerting::rules::pattern::escape;
use dispatch::Dispatch;

use super::{SilenceDraft, SilenceError, add, id_of, new, random_id, review};
use crate::idempotency::{IdempotencyKey, action_name};

/// The longest of these silences. A longer one is to be planned in the space.
const MINUTES: u32 = 30 * 24 * 60;

/// A request to silence alerts like those of an incident.
#[derive(Debug, Clone)]
pub struct LikeIncident {
    pub incident: IncidentId,
    pub minutes: u32,
    /// The labels that are compared; `None`: all.
    pub labels: Option<Vec<String>>,
    pub actor: NamedActor,
    /// The key by which a repeated request gets the silence that the first one created.
    pub key: Option<IdempotencyKey>,
}

/// Creates the silence in the incident's space, and holds the incident from now on.
pub async fn create_like_incident(dispatch: &Dispatch, request: LikeIncident) -> Result<Silence, SilenceError> {
    let LikeIncident { incident: id, minutes, labels, actor, key } = request;
    if !(1..=MINUTES).contains(&minutes) {
        return Err(FieldError::new("minutes", format!("expected 1 to {MINUTES}")).into());
    }
    let (store, now) = (&dispatch.store, dispatch.clock.now());
    let incident = store.incident(&id).await?.ok_or_else(|| SilenceError::NoIncident(id.clone()))?;
    let alert = match incident.first_alert() {
        Some(alert) => store.alert(alert).await?,
        None => None,
    };
    let alert = alert.ok_or(SilenceError::NoAlert)?;
    let draft = SilenceDraft {
        name: format!("like INC #{}", incident.num),
        filter: like(&alert.title, &alert.labels, labels.as_deref())?,
        time: SilenceTime::Once { from: now, until: now + Duration::from_secs(u64::from(minutes) * 60) },
        then: SilenceAction::Keep,
    };
    let name = action_name(key.as_ref(), &actor.actor, &("silence", &id, minutes, &labels));
    let silence = new(if key.is_some() { id_of(&name) } else { random_id() }, draft, actor.name, now);
    let work = Work::ReviewHold { incident: id };
    store.put_timer(&Timer::new(now + FOLLOW_UP_AFTER, work.clone())).await?;
    let silence = add(store, &incident.space, &silence, now).await?;
    review(dispatch, work).await;
    Ok(silence)
}

/// A filter for alerts with this title and with these values of the named labels; `None`: of all labels.
fn like(title: &str, labels: &BTreeMap<String, String>, named: Option<&[String]>) -> Result<Filter, FieldError> {
    let exactly = |field: String, value: &str| Condition { field, op: Op::Match, values: vec![exact(value)] };
    let mut all = vec![exactly("title".to_owned(), title)];
    match named {
        None => all.extend(labels.iter().map(|(name, value)| exactly(format!("labels.{name}"), value))),
        Some(named) => {
            for (index, name) in named.iter().enumerate() {
                let missing = || FieldError::new(format!("labels[{index}]"), format!("the alert has no label {name}"));
                let value = labels.get(name).ok_or_else(missing)?;
                all.push(exactly(format!("labels.{name}"), value));
            }
        }
    }
    Ok(Filter { any: vec![Group { all }] })
}

/// A pattern that matches only this value: a value with special characters is written as a regex of its characters.
fn exact(value: &str) -> String {
    let is_special = value.contains(['*', '?'])
        || value.starts_with('/')
        || value.starts_with("cidr:")
        || value.starts_with("num:")
        || value.chars().count() > LABEL_VALUE_CHARS;
    if !is_special {
        return value.to_owned();
    }
    let pattern = format!("/^{}$/", escape(value));
    if pattern.len() <= PATTERN_BYTES {
        return pattern;
    }
    // The regex would be too long. The first and the special characters become `?`, so the text matches the value
    // itself and values that differ only there.
    let special = |(place, c): (usize, char)| if place == 0 || matches!(c, '*' | '?') { '?' } else { c };
    value.chars().enumerate().map(special).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_looks_like_a_pattern_matches_only_itself() {
        let rows = [
            ("disk full", "disk full"),
            ("rate > 5*", "/^rate > 5\\*$/"),
            ("/var", "/^/var$/"),
            ("cidr:10.0.0.0/8", "/^cidr:10\\.0\\.0\\.0/8$/"),
        ];
        for (value, pattern) in rows {
            assert_eq!(exact(value), pattern, "{value}");
        }
        let long = format!("*{}", "?".repeat(PATTERN_BYTES));
        assert_eq!(exact(&long), "?".repeat(long.len()), "too long for a regex");
    }

    #[test]
    fn only_the_labels_that_are_named_count_and_each_has_to_exist() {
        let labels = BTreeMap::from([("host", "db-1"), ("job", "node")].map(|(k, v)| (k.to_owned(), v.to_owned())));
        let fields = |named: Option<&[String]>| {
            let filter = like("disk full", &labels, named).expect("valid");
            filter.any[0].all.iter().map(|one| one.field.clone()).collect::<Vec<_>>()
        };
        assert_eq!(fields(None), ["title", "labels.host", "labels.job"]);
        assert_eq!(fields(Some(&["job".to_owned()])), ["title", "labels.job"]);
        let missing = like("disk full", &labels, Some(&["job".to_owned(), "zone".to_owned()]));
        assert_eq!(missing.expect_err("is refused").field, "labels[1]");
    }
}
