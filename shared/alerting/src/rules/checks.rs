//! Checks of an integration before it is saved, besides the syntax of its rules, and checks that several kinds of
//! objects share.

use std::collections::HashSet;
use std::hash::Hash;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::base::field_error::FieldError;
use crate::base::limits;
use crate::rules::compiled::Patterns;
use crate::rules::filter::Filter;
use crate::rules::integration::{IntakeLimits, Integration, PushMode, Routing, Security};
use crate::rules::matcher::Matcher;

/// The most characters of a name.
const NAME_CHARS: usize = 128;
/// The most values of all filters of one integration: ten per rule.
const FILTER_VALUES: usize = 1000;
/// The most groups, conditions and values of one filter of alerts. A longer filter is not readable.
const ALERT_FILTER_VALUES: usize = 100;
/// The most keywords, and the most source addresses: as many as Feishu's own bots allow.
const KEYWORDS: usize = 10;
const SOURCES: usize = 10;
/// The most hours after which an alert closes automatically: one year.
const AUTO_CLOSE_HOURS: u32 = 365 * 24;

/// Checks an integration, and returns the first field that is not valid.
pub(crate) fn check(integration: &Integration) -> Result<(), FieldError> {
    if integration.name.trim().is_empty() || integration.name.chars().count() > NAME_CHARS {
        return Err(FieldError::new("name", format!("a name has 1 to {NAME_CHARS} characters")));
    }
    if integration.message_types.is_empty() {
        return Err(FieldError::new("message_types", "at least one message type is needed"));
    }
    for (n, kind) in integration.message_types.iter().enumerate() {
        if integration.message_types[..n].contains(kind) {
            return Err(FieldError::new(format!("message_types[{n}]"), format!("{} is named twice", kind.as_str())));
        }
    }
    if !(1..=AUTO_CLOSE_HOURS).contains(&integration.auto_close_hours) {
        return Err(FieldError::new("auto_close_hours", format!("1 to {AUTO_CLOSE_HOURS} hours")));
    }
    check_security(&integration.security)?;
    check_groups(integration)?;
    check_limits(&integration.limits)?;
    check_counts(integration)
}

fn check_limits(limits: &IntakeLimits) -> Result<(), FieldError> {
    let all = [
        ("limits.per_second", limits.per_second),
        ("limits.per_minute", limits.per_minute),
        ("limits.open_alerts", limits.open_alerts),
    ];
    match all.into_iter().find(|(_, limit)| *limit == 0) {
        Some((field, _)) => Err(FieldError::new(field, "at least 1")),
        None => Ok(()),
    }
}

/// Checks that no group lacks conditions, because such a group would match everything.
fn check_groups(integration: &Integration) -> Result<(), FieldError> {
    let mut filters: Vec<(String, &Filter)> = Vec::new();
    if let PushMode::ByRules { trigger, close, .. } = &integration.push_mode {
        let named = |kind: &'static str| move |(n, filter)| (format!("push_mode.{kind}[{n}]"), filter);
        filters.extend(trigger.iter().enumerate().map(named("trigger")));
        filters.extend(close.iter().enumerate().map(named("close")));
    }
    let steps = integration.pipeline.iter().enumerate();
    filters.extend(steps.filter_map(|(n, step)| Some((format!("pipeline[{n}].when"), step.when.as_ref()?))));
    if let Routing::Shared { routes, .. } = &integration.routing {
        filters.extend(routes.iter().enumerate().map(|(n, route)| (format!("routes[{n}].filter"), &route.filter)));
    }
    filters.into_iter().try_for_each(|(path, filter)| check_conditions(filter, &path))
}

fn check_conditions(filter: &Filter, path: &str) -> Result<(), FieldError> {
    match filter.any.iter().position(|group| group.all.is_empty()) {
        Some(g) => Err(FieldError::new(format!("{path}.any[{g}].all"), "at least one condition is needed")),
        None => Ok(()),
    }
}

fn check_security(security: &Security) -> Result<(), FieldError> {
    if security.keywords.len() > KEYWORDS {
        return Err(FieldError::new("security.keywords", format!("more than {KEYWORDS} keywords")));
    }
    if let Some(n) = security.keywords.iter().position(|keyword| keyword.trim().is_empty()) {
        return Err(FieldError::new(format!("security.keywords[{n}]"), "empty keyword"));
    }
    if security.sources.len() > SOURCES {
        return Err(FieldError::new("security.sources", format!("more than {SOURCES} sources")));
    }
    match security.sources.iter().position(|source| !is_source(source)) {
        Some(n) => {
            let message = "not an address, 203.0.113.* or a network such as 203.0.113.0/24";
            Err(FieldError::new(format!("security.sources[{n}]"), message))
        }
        None => Ok(()),
    }
}

fn is_source(text: &str) -> bool {
    let is_plain = |part: &str| part == "0" || !part.starts_with(['0', '+']);
    let octet = |part: &str| part == "*" || (is_plain(part) && part.parse::<u8>().is_ok());
    text.parse::<IpAddr>().is_ok()
        || text.parse::<IpNet>().is_ok()
        || (text.split('.').count() == 4 && text.split('.').all(octet))
}

fn check_counts(integration: &Integration) -> Result<(), FieldError> {
    let mut counts = Vec::new();
    let mut filters: Vec<(&str, &Filter)> = Vec::new();
    if let PushMode::ByRules { trigger, close, key, .. } = &integration.push_mode {
        counts.extend([("push_mode.close", close.len()), ("push_mode.trigger", trigger.len())]);
        counts.push(("push_mode.key", key.len()));
        filters.extend(close.iter().map(|filter| ("push_mode.close", filter)));
        filters.extend(trigger.iter().map(|filter| ("push_mode.trigger", filter)));
    }
    counts.push(("pipeline", integration.pipeline.len()));
    filters.extend(integration.pipeline.iter().filter_map(|step| Some(("pipeline", step.when.as_ref()?))));
    if let Routing::Shared { routes, .. } = &integration.routing {
        counts.push(("routes", routes.len()));
        filters.extend(routes.iter().map(|route| ("routes", &route.filter)));
    }
    let rules = limits::RULES_PER_INTEGRATION;
    within(counts, rules, &format!("more than {rules} rules (push rules, extractors, steps and routes together)"))?;
    let values = filters.into_iter().map(|(field, filter)| (field, values(filter)));
    within(values, FILTER_VALUES, &format!("more than {FILTER_VALUES} values in all filters together"))
}

/// Checks that a list contains no element twice. The error names the second position.
pub(crate) fn each_once<T: Eq + Hash>(list: &[T], path: &str) -> Result<(), FieldError> {
    let mut seen = HashSet::with_capacity(list.len());
    match list.iter().position(|one| !seen.insert(one)) {
        Some(n) => Err(FieldError::new(format!("{path}[{n}]"), "is named twice; name it once")),
        None => Ok(()),
    }
}

/// Checks a filter of alerts before it is saved. `others`: the filters that are compiled together with it.
pub(crate) fn check_filter<'f>(
    filter: &Filter,
    path: &str,
    others: impl IntoIterator<Item = &'f Filter>,
) -> Result<(), FieldError> {
    if values(filter) > ALERT_FILTER_VALUES {
        let message = format!("more than {ALERT_FILTER_VALUES} groups, conditions and values");
        return Err(FieldError::new(path, message));
    }
    check_conditions(filter, path)?;
    for (g, group) in filter.any.iter().enumerate() {
        if let Some(c) = group.all.iter().position(|condition| condition.field == "content") {
            let message = "expected title, description, severity or labels.NAME: `content` is of messages only";
            return Err(FieldError::new(format!("{path}.any[{g}].all[{c}].field"), message));
        }
    }
    let mut patterns = Patterns::checked();
    for other in others {
        // An error in another filter is not an error of this filter.
        drop(Matcher::new(other, "", &mut patterns));
    }
    Matcher::new(filter, path, &mut patterns).map(drop)
}

fn values(filter: &Filter) -> usize {
    // A group or condition without values also has a cost.
    filter.any.iter().map(|group| 1 + group.all.iter().map(|condition| 1 + condition.values.len()).sum::<usize>()).sum()
}

/// Returns an error for the field at which the sum exceeds its limit.
fn within<'f>(parts: impl IntoIterator<Item = (&'f str, usize)>, max: usize, message: &str) -> Result<(), FieldError> {
    let mut sum = 0;
    for (field, count) in parts {
        sum += count;
        if sum > max {
            return Err(FieldError::new(field, message));
        }
    }
    Ok(())
}
