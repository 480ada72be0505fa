//! Puts the result of each step into words. A filter is explained by the conditions that hold or fail, and every other
//! step by a fixed sentence.

use alerting::base::field_error::FieldError;
use alerting::base::limits;
use alerting::base::moment::Moment;
use alerting::incident::detail::{Detail, HeldBy};
use alerting::people::destination::Language;
use alerting::rules::filter::{Condition, Filter};
use alerting::rules::trace::{Asked, Place, Trace, Tried, TriedResult};
use words::text::Text;
use words::timeline::in_api;
use words::{sentence, trace as texts};

/// The number of characters of a value that are shown. The beginning of a pattern is enough to recognize it.
const VALUE_CHARS: usize = 60;
/// The number of values of a condition that are shown.
const VALUES: usize = 3;

/// The language of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Voice(pub(crate) Language);

impl Voice {
    pub(crate) fn say(self, text: Text, with: &[(&str, &str)]) -> String {
        text.fill(self.0, with)
    }

    pub(crate) fn plain(self, text: Text) -> String {
        text.of(self.0).to_owned()
    }

    /// The text of a timeline entry's detail.
    pub(crate) fn detail(self, detail: &Detail) -> String {
        in_api(self.0).detail(detail)
    }

    /// Why an incident is held, from the stored text.
    pub(crate) fn held_by(self, stored: &str) -> String {
        in_api(self.0).held_by(&HeldBy::of(stored))
    }

    /// Joins the parts into one sentence.
    pub(crate) fn join(self, parts: &[String], between: Text) -> String {
        parts.join(&self.plain(between))
    }

    /// Lists the values as they were entered, shortened to a readable length.
    pub(crate) fn values<T: AsRef<str>>(self, values: &[T]) -> String {
        let shown: Vec<String> =
            values.iter().take(VALUES).map(|value| limits::cut_chars(value.as_ref(), VALUE_CHARS)).collect();
        let shown = self.join(&shown, sentence::LIST);
        match values.len().checked_sub(VALUES) {
            None | Some(0) => shown,
            Some(more) => self.say(texts::MORE, &[("values", &shown), ("count", &more.to_string())]),
        }
    }

    fn condition(self, condition: &Condition, asked: &Asked) -> String {
        let found = asked.value.and_then(|value| condition.values.get(value));
        let (words, values) = match found {
            _ if !asked.exists => (texts::NOT_SET, String::new()),
            Some(value) => (texts::MATCHES, self.values(&[value])),
            None if asked.cut => (texts::BEGINNING_MATCHES_NOT, self.values(&condition.values)),
            None => (texts::MATCHES_NOT, self.values(&condition.values)),
        };
        self.say(words, &[("field", &condition.field), ("values", &values)])
    }

    /// Why a filter matches or does not match. If it matches, lists the conditions of the group that holds; otherwise,
    /// lists the condition that fails in each group.
    fn filter(self, filter: &Filter, asked: &[Asked], matches: bool) -> String {
        let deciding = asked.iter().map(|asked| asked.group).max();
        let wanted = asked.iter().filter(|asked| asked.holds == matches && (!matches || Some(asked.group) == deciding));
        let condition = |asked: &Asked| Some((filter.any.get(asked.group)?.all.get(asked.condition)?, *asked));
        let text: Vec<String> =
            wanted.filter_map(condition).map(|(condition, asked)| self.condition(condition, &asked)).collect();
        match (text.is_empty(), matches) {
            (true, true) => self.plain(texts::TAKES_EVERYTHING),
            (true, false) => self.plain(texts::LEFT_OUT),
            (false, _) => self.join(&text, sentence::AND),
        }
    }
}

/// Puts one trace into words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Because<'a> {
    pub(crate) voice: Voice,
    pub(crate) trace: &'a Trace,
    /// The errors of the configuration, by field.
    pub(crate) problems: &'a [FieldError],
    /// The time for which time restrictions and silences were evaluated.
    pub(crate) at: Option<Moment>,
}

impl Because<'_> {
    /// The result and the reason for the step at `place`. `path` is the step's path in the configuration. `otherwise`
    /// is the reason to return if the step was not reached.
    pub(crate) fn of(&self, place: Place, path: &str, filter: &Filter, otherwise: &str) -> (&'static str, String) {
        match self.trace.at(place) {
            None => ("not_reached", otherwise.to_owned()),
            Some(tried) => (result(&tried.outcome), self.reason(tried, path, filter)),
        }
    }

    pub(crate) fn unusable(&self, path: &str) -> String {
        let problem = self.problems.iter().find(|problem| problem.field.starts_with(path));
        let problem = problem.map_or_else(|| self.voice.plain(texts::BAD_PATTERN), |problem| problem.message.clone());
        self.voice.say(texts::UNUSABLE, &[("problem", &problem)])
    }

    fn reason(&self, tried: &Tried, path: &str, filter: &Filter) -> String {
        let voice = self.voice;
        let matching = || voice.filter(filter, &tried.asked, true);
        match &tried.outcome {
            TriedResult::Matched => matching(),
            TriedResult::NoMatch => voice.filter(filter, &tried.asked, false),
            TriedResult::NotNow => {
                let at = self.at.map_or_else(String::new, |at| at.rfc3339());
                voice.say(texts::NOT_NOW, &[("at", &at)])
            }
            TriedResult::Unusable => self.unusable(path),
            TriedResult::TooCostly => voice.plain(texts::TOO_COSTLY),
            TriedResult::Changed(_) => voice.say(texts::CHANGED, &[("filter", &matching())]),
            TriedResult::Unchanged => voice.say(texts::UNCHANGED, &[("filter", &matching())]),
            TriedResult::Dropped => voice.say(texts::DROPPED, &[("filter", &matching())]),
            TriedResult::FoundNothing
            | TriedResult::FoundNothingInBeginning
            | TriedResult::FoundEmpty
            | TriedResult::Found(_) => voice.plain(texts::FOUND_NOTHING),
            TriedResult::TemplateFailed => voice.plain(texts::TEMPLATE_FAILED),
        }
    }
}

/// The name of the result in the API.
pub(crate) const fn result(outcome: &TriedResult) -> &'static str {
    match outcome {
        TriedResult::Matched => "match",
        TriedResult::NoMatch => "no_match",
        TriedResult::NotNow => "not_now",
        TriedResult::Unusable => "unusable",
        TriedResult::TooCostly => "too_costly",
        TriedResult::Found(_) => "found",
        TriedResult::FoundEmpty => "found_empty",
        TriedResult::FoundNothing | TriedResult::FoundNothingInBeginning => "found_nothing",
        TriedResult::Changed(_) => "changed",
        TriedResult::Unchanged => "unchanged",
        TriedResult::Dropped => "dropped",
        TriedResult::TemplateFailed => "template_failed",
    }
}

#[cfg(test)]
mod tests {
    use alerting::rules::filter::{Group, Op};

    use super::*;

    const ENGLISH: Voice = Voice(Language::English);

    fn condition(field: &str, op: Op, values: &[&str]) -> Condition {
        Condition { field: field.to_owned(), op, values: values.iter().map(|value| (*value).to_owned()).collect() }
    }

    fn asked(group: usize, condition: usize, value: Option<usize>, holds: bool) -> Asked {
        Asked { group, condition, value, exists: true, cut: false, holds }
    }

    fn filter() -> Filter {
        let first = vec![
            condition("content", Op::Match, &["/RESOLVED/", "/OK/"]),
            condition("labels.host", Op::NotMatch, &["db-*"]),
        ];
        Filter { any: vec![Group { all: first }, Group { all: vec![condition("title", Op::Match, &["cpu"])] }] }
    }

    #[test]
    fn a_filter_that_matches_names_the_conditions_of_its_group() {
        let text = |asked: &[Asked]| ENGLISH.filter(&filter(), asked, true);
        let absent = Asked { exists: false, ..asked(0, 1, None, true) };
        assert_eq!(text(&[asked(0, 0, Some(1), true), absent]), "content matches /OK/ and labels.host is not set");
        let second = [asked(0, 0, None, false), asked(1, 0, Some(0), true)];
        assert_eq!(text(&second), "title matches cpu");
        assert_eq!(ENGLISH.filter(&Filter::default(), &[], true), "it takes everything");
    }

    #[test]
    fn a_filter_that_does_not_match_names_of_each_group_the_condition_that_fails() {
        let text = |asked: &[Asked]| ENGLISH.filter(&filter(), asked, false);
        let both = [asked(0, 0, Some(0), true), asked(0, 1, Some(0), false), asked(1, 0, None, false)];
        assert_eq!(text(&both), "labels.host matches db-* and title does not match cpu");
        assert_eq!(text(&[asked(0, 0, None, false)]), "content does not match /RESOLVED/, /OK/");
        let cut = Asked { cut: true, ..asked(0, 0, None, false) };
        assert_eq!(text(&[cut]), "the first 8 KiB of content do not match /RESOLVED/, /OK/; the rest is not searched");
        assert_eq!(text(&[]), "a text that it needs does not occur");
    }

    #[test]
    fn long_and_many_values_are_cut() {
        let long = format!("/{}/", "a".repeat(500));
        assert_eq!(ENGLISH.values(&[long.as_str()]).chars().count(), VALUE_CHARS);
        assert_eq!(ENGLISH.values(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
    }

    #[test]
    fn what_is_not_in_the_trace_was_not_come_to() {
        let mut trace = Trace::default();
        trace.tried.push(Tried { place: Place::Close(0), outcome: TriedResult::Unusable, asked: Vec::new() });
        let problems = [FieldError::new("push_mode.close[0].any[0]", "unclosed group")];
        let because = Because { voice: ENGLISH, trace: &trace, problems: &problems, at: None };
        let of = |place, path| because.of(place, path, &Filter::default(), "close[0] had decided before it");
        assert_eq!(
            of(Place::Close(0), "push_mode.close[0]"),
            ("unusable", "it cannot be used: unclosed group".to_owned())
        );
        assert_eq!(of(Place::Close(0), "push_mode.close[1]").1, "it cannot be used: a pattern of it does not compile");
        assert_eq!(
            of(Place::Close(1), "push_mode.close[1]"),
            ("not_reached", "close[0] had decided before it".to_owned())
        );
    }
}
