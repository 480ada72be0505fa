//! An alert in the pipeline, before it becomes an alert event.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::base::limits;
use crate::base::severity::Severity;
use crate::rules::compiled::Run;
use crate::rules::flag::Flag;
use crate::rules::matcher::View;
use crate::rules::message::Message;
use crate::rules::trace::{FieldChange, SHOWN_CHARS};

/// The content that an alert of the message would show after the steps so far.
#[derive(Debug, Clone)]
pub(crate) struct AlertDraft<'m> {
    pub title: Cow<'m, str>,
    pub description: Cow<'m, str>,
    pub severity: Severity,
    pub labels: BTreeMap<String, String>,
    pub(crate) content: &'m str,
}

impl<'m> AlertDraft<'m> {
    pub(crate) fn of(message: &'m Message) -> Self {
        Self {
            title: Cow::Borrowed(&message.title),
            description: Cow::Borrowed(&message.content),
            severity: Severity::default(),
            labels: message.labels.clone(),
            content: &message.content,
        }
    }

    pub(crate) fn view(&self) -> View<'_> {
        View {
            title: &self.title,
            description: &self.description,
            content: self.content,
            severity: self.severity,
            labels: &self.labels,
        }
    }

    /// Sets a label within the limits. A value that is too long is cut, and a label above the limit is left out. Both
    /// set a flag.
    pub(crate) fn set_label(&mut self, name: &str, value: &str, run: &mut Run<'_>) {
        if value.is_empty() {
            return;
        }
        if self.labels.len() >= limits::LABELS && !self.labels.contains_key(name) {
            return run.flag(Flag::LabelsCut);
        }
        self.labels.insert(name.to_owned(), cut(value, limits::LABEL_VALUE_CHARS, run));
    }

    /// Cuts or removes the message's own labels to keep them within the limits.
    pub(crate) fn fit_labels(&mut self, run: &mut Run<'_>) {
        let fits = |(name, value): (&String, &String)| {
            name.chars().count() <= limits::LABEL_NAME_CHARS && value.chars().count() <= limits::LABEL_VALUE_CHARS
        };
        if self.labels.len() <= limits::LABELS && self.labels.iter().all(fits) {
            return;
        }
        for (name, value) in std::mem::take(&mut self.labels) {
            self.set_label(&limits::cut_chars(&name, limits::LABEL_NAME_CHARS), &value, run);
        }
    }
}

fn cut(value: &str, max: usize, run: &mut Run<'_>) -> String {
    let fitted = limits::cut_chars(value, max);
    if fitted.len() != value.len() {
        run.flag(Flag::LabelsCut);
    }
    fitted
}

/// The differences between the alert before and after a step.
pub(crate) fn changes(before: &AlertDraft<'_>, after: &AlertDraft<'_>) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let mut compare = |field: &str, before: Option<&str>, after: Option<&str>| {
        if before != after {
            let shown = |text: Option<&str>| text.map(|text| limits::cut_chars(text, SHOWN_CHARS));
            changes.push(FieldChange { field: field.to_owned(), before: shown(before), after: shown(after) });
        }
    };
    compare("title", Some(&before.title), Some(&after.title));
    compare("description", Some(&before.description), Some(&after.description));
    compare("severity", Some(before.severity.as_str()), Some(after.severity.as_str()));
    let names: BTreeMap<&String, ()> = before.labels.keys().chain(after.labels.keys()).map(|name| (name, ())).collect();
    for name in names.into_keys() {
        let value = |draft: &'_ AlertDraft<'_>| draft.labels.get(name).cloned();
        compare(&format!("labels.{name}"), value(before).as_deref(), value(after).as_deref());
    }
    changes
}
