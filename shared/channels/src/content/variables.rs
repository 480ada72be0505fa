//! The variables of a content template.

use std::sync::Arc;
use std::time::Duration;

use alerting::incident::notice::Notice;
use alerting::incident::shown::{self, is_shown_label, without_state};
use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use crate::clean::{clean_line, clean_text};
use crate::layout::tone::is_brief;
use crate::layout::words::{Words, local_time};
use crate::post::Post;

/// The documentation of one variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    pub name: &'static str,
    /// `text`, `number`, `boolean`, `map`.
    pub kind: &'static str,
    pub meaning: &'static str,
    pub example: &'static str,
}

const fn variable(name: &'static str, kind: &'static str, meaning: &'static str, example: &'static str) -> Variable {
    Variable { name, kind, meaning, example }
}

/// All variables. README.md has the same table.
pub const VARIABLES: [Variable; 20] = [
    variable("title", "text", "of the incident, without its sender's own FIRING or RESOLVED", "disk full on db-1"),
    variable(
        "description",
        "text",
        "of the alert, in lines, without a first line that repeats the title; shortened if the message would be too long",
        "usage is at 97%",
    ),
    variable("severity", "text", "in the language of the message", "Critical"),
    variable("severity_code", "text", "`Critical`, `Warning` or `Info` in every language", "Critical"),
    variable("event", "text", "what happened, in the language of the message", "Acknowledged"),
    variable("kind", "text", "the same as the timeline names it, in every language", "acknowledged"),
    variable(
        "brief",
        "boolean",
        "nobody has to act: it was acknowledged, recovered or closed; the channels' own templates then say nothing",
        "false",
    ),
    variable("status", "text", "what happened, and who did it", "Acknowledged by Li Lei"),
    variable("actor", "text", "who did it: a person or an API key by name, `source` or `timer`", "Li Lei"),
    variable("num", "text", "what people call the incident by", "7KQ2MD"),
    variable("space", "text", "name of the space", "Payments"),
    variable("source", "text", "name of the integration that the alert came from", "Zabbix"),
    variable("started", "text", "when it was triggered, in the receiver's time zone", "2026-01-05 18:00:00 +08:00"),
    variable("duration", "text", "since then, until it was closed; empty below a second", "5m 20s"),
    variable("assigned", "text", "names of those to whom it is assigned", "Li Lei, Wang Wei"),
    variable("level", "number", "level of the escalation rule that is told, from 1; 0 if none is", "2"),
    variable("alert_count", "number", "how many alerts the incident holds", "12"),
    variable("flapping", "boolean", "whether its alert opens and closes again and again", "true"),
    variable(
        "labels",
        "map",
        "of the alert: `labels.host`, `labels[\"card_color\"]`; a loop gets the names, the most telling first, and \
         fewer if the message would be too long; `card_color` is not among them",
        "db-1",
    ),
    variable(
        "more_labels",
        "text",
        "how many labels a loop does not get, in words; empty if it gets all",
        "… and 3 more labels",
    ),
];

pub(super) const NAMES: [&str; VARIABLES.len()] = {
    let mut names = [""; VARIABLES.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = VARIABLES[index].name;
        index += 1;
    }
    names
};

/// The variables of one notice, with all or some of its labels and its text.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The variables that are never shortened.
    fixed: Vec<(&'static str, Value)>,
    severity: &'static str,
    /// The most important first.
    labels: Arc<Vec<(String, String)>>,
    labels_shown: usize,
    /// How many labels a loop gets, from the first.
    labels_listed: usize,
    description: String,
    words: Words,
}

impl Seen {
    pub(crate) fn of(notice: &Notice, post: &Post<'_>) -> Self {
        let words = Words::of(post.language);
        let mut labels: Vec<_> =
            notice.labels.iter().map(|(name, value)| (clean_line(name), clean_line(value))).collect();
        labels.sort_by_key(|(name, _)| (!is_shown_label(name), label_rank(name)));
        let listed = labels.iter().filter(|(name, _)| is_shown_label(name)).count();
        Self {
            fixed: fixed(notice, post, words),
            severity: words.severity(notice.severity),
            labels_shown: listed,
            labels_listed: listed,
            labels: Arc::new(labels),
            description: shown::text(&clean_line(&notice.title), &clean_text(&notice.description)),
            words,
        }
    }

    /// The word that is shown in the message's colour.
    pub(crate) fn severity(&self) -> &str {
        self.severity
    }

    pub(crate) fn labels(&self) -> usize {
        self.labels_listed
    }

    pub(crate) fn description_chars(&self) -> usize {
        self.description.chars().count()
    }

    /// With so many labels and so many characters of the description, with a mark.
    pub(crate) fn shortened(&self, labels: usize, description: usize) -> Self {
        let mut shorter = Self { labels_shown: labels.min(self.labels_listed), ..self.clone() };
        if let Some((end, _)) = self.description.char_indices().nth(description) {
            shorter.description = format!("{}{}", &self.description[..end], self.words.shortened());
        }
        shorter
    }

    pub(super) fn context(&self) -> Value {
        let hidden = self.labels_listed - self.labels_shown;
        let more_labels = if hidden > 0 { self.words.more_labels(hidden) } else { String::new() };
        let labels = Labels { all: Arc::clone(&self.labels), shown: self.labels_shown };
        let shortened = [
            ("description", Value::from(self.description.as_str())),
            ("labels", Value::from_object(labels)),
            ("more_labels", Value::from(more_labels)),
        ];
        Value::from_pairs(self.fixed.iter().cloned().chain(shortened))
    }
}

fn fixed(notice: &Notice, post: &Post<'_>, words: Words) -> Vec<(&'static str, Value)> {
    let line = |text: &str| Value::from(clean_line(text));
    let lasted = notice.closed_at.unwrap_or(notice.at).since(notice.triggered_at);
    let duration = if lasted >= Duration::from_secs(1) { words.duration(lasted) } else { String::new() };
    vec![
        ("title", Value::from(without_state(&clean_line(&notice.title)))),
        // A card shows the incident, whatever changed last.
        ("brief", Value::from(post.card.is_none() && is_brief(notice.kind))),
        ("severity", Value::from(words.severity(notice.severity))),
        ("severity_code", Value::from(notice.severity.as_str())),
        ("event", Value::from(words.event(notice.kind))),
        ("kind", Value::from(notice.kind.as_str())),
        ("status", line(&words.status_of(notice))),
        ("actor", line(&notice.actor)),
        ("num", line(&notice.num)),
        ("space", line(&notice.space_name)),
        ("source", line(&notice.integration_name)),
        ("started", Value::from(local_time(notice.triggered_at, post.time_zone))),
        ("duration", Value::from(duration)),
        ("assigned", line(&notice.assigned.join(words.comma()))),
        ("level", Value::from(notice.level.unwrap_or_default())),
        ("alert_count", Value::from(notice.alert_count)),
        ("flapping", Value::from(notice.flapping)),
    ]
}

/// All labels by name. A loop gets only the first names.
#[derive(Debug)]
struct Labels {
    all: Arc<Vec<(String, String)>>,
    shown: usize,
}

impl Object for Labels {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        self.all.iter().find(|(known, _)| known == name).map(|(_, value)| Value::from(value.as_str()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.all[..self.shown].iter().map(|(name, _)| Value::from(name.as_str())).collect())
    }
}

/// Labels that usually name the broken object, most important first. The other labels are left out first.
const TELLING_LABELS: [&str; 14] = [
    "host",
    "hostname",
    "instance",
    "resource",
    "service",
    "app",
    "cluster",
    "namespace",
    "pod",
    "container",
    "env",
    "region",
    "alertname",
    "job",
];

fn label_rank(name: &str) -> usize {
    TELLING_LABELS.iter().position(|known| known.eq_ignore_ascii_case(name)).unwrap_or(TELLING_LABELS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_name_the_broken_thing_come_first() {
        let mut names = ["card_color", "region", "host"];
        names.sort_by_key(|name| label_rank(name));
        assert_eq!(names, ["host", "region", "card_color"]);
    }
}
