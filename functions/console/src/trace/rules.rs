//! The push rules, key extractors, pipeline and routes of the integration, with the result of each.

use alerting::incident::alert::EventKind;
use alerting::rules::filter::Filter;
use alerting::rules::flag::Flag;
use alerting::rules::integration::{
    Action, AddLabel, Integration, KeyExtractor, KeyField, PushMode, Routing, Step, Then, Unmatched,
};
use alerting::rules::policy::{Decision, DiscardReason};
use alerting::rules::trace::{Place, TriedResult};
use words::text::Text;
use words::trace as texts;

use super::again::Rejudged;
use super::because::{Because, Voice, result};
use crate::dto::trace::{ChangeView, PipelineTrace, RouteTrace, StepView};

/// The rules of an integration and their results.
pub(crate) struct Rules<'a> {
    pub(crate) voice: Voice,
    pub(crate) integration: &'a Integration,
    pub(crate) judged: &'a Rejudged,
}

impl Rules<'_> {
    fn because(&self) -> Because<'_> {
        Because { voice: self.voice, trace: &self.judged.trace, problems: &self.judged.problems, at: None }
    }

    pub(crate) const fn kind(&self) -> &'static str {
        match self.integration.push_mode {
            PushMode::EachMessage => "each_message",
            PushMode::ByTitle => "by_title",
            PushMode::ByRules { .. } => "by_rules",
        }
    }

    /// The close rules, the trigger rules, the result if no rule matches, and the key extractors.
    pub(crate) fn push_mode(&self) -> Vec<StepView> {
        let alone = |step: &str, because| {
            vec![StepView { step: step.to_owned(), result: "match", because: self.voice.plain(because) }]
        };
        match &self.integration.push_mode {
            PushMode::EachMessage => alone("each_message", texts::EACH_MESSAGE),
            PushMode::ByTitle => alone("by_title", texts::BY_TITLE),
            PushMode::ByRules { trigger, close, key, unmatched } => {
                let mut steps = self.filters(close, "close", Place::Close);
                steps.extend(self.filters(trigger, "trigger", Place::Trigger));
                steps.extend(self.unmatched(*unmatched));
                steps.extend(self.keys(key));
                steps
            }
        }
    }

    fn filters(&self, filters: &[Filter], name: &str, place: impl Fn(usize) -> Place) -> Vec<StepView> {
        let otherwise = match self.decided_by() {
            None => self.voice.plain(texts::RULES_TOO_COSTLY),
            Some(decided) => self.voice.say(texts::NOT_REACHED, &[("decided", &decided)]),
        };
        let step = |(n, filter): (usize, &Filter)| {
            let step = format!("{name}[{n}]");
            let (result, because) = self.because().of(place(n), &format!("push_mode.{step}"), filter, &otherwise);
            StepView { step, result, because }
        };
        filters.iter().enumerate().map(step).collect()
    }

    /// The push rule that matched.
    fn decided_by(&self) -> Option<String> {
        let mut matched = self.judged.trace.tried.iter().filter(|tried| tried.outcome == TriedResult::Matched);
        matched.find_map(|tried| match tried.place {
            Place::Close(n) => Some(format!("close[{n}]")),
            Place::Trigger(n) => Some(format!("trigger[{n}]")),
            Place::Key(_) | Place::Step(_) | Place::Route(_) | Place::Silence(_) | Place::EscalationRule(_) => None,
        })
    }

    /// The step for a message that no rule matches. `None`: a rule matched.
    fn unmatched(&self, choice: Unmatched) -> Option<StepView> {
        if self.decided_by().is_some() {
            return None;
        }
        let is_rule = |place: &Place| matches!(place, Place::Close(_) | Place::Trigger(_));
        let mut rules = self.judged.trace.tried.iter().filter(|tried| is_rule(&tried.place));
        let is_discarded = self.judged.judgement.decision == Decision::Discard(DiscardReason::Unmatched);
        let (result, because) = match choice {
            _ if rules.any(|tried| tried.outcome == TriedResult::TooCostly) => ("trigger", texts::RULES_TOO_COSTLY),
            Unmatched::Trigger => ("trigger", texts::UNMATCHED_TRIGGER),
            Unmatched::Discard if is_discarded => ("discard", texts::UNMATCHED_DISCARD),
            Unmatched::Discard => ("trigger", texts::UNMATCHED_DOUBT),
        };
        Some(StepView { step: "unmatched".to_owned(), result, because: self.voice.plain(because) })
    }

    fn keys(&self, extractors: &[KeyExtractor]) -> Vec<StepView> {
        let is_discarded = self.judged.judgement.decision == Decision::Discard(DiscardReason::Unmatched);
        let found = (0..extractors.len()).find(|n| matches!(self.outcome(Place::Key(*n)), Some(TriedResult::Found(_))));
        let otherwise = match found {
            Some(n) => self.voice.say(texts::NOT_REACHED, &[("decided", &format!("key[{n}]"))]),
            None if is_discarded => self.voice.plain(texts::NOT_JUDGED),
            None => self.voice.plain(texts::RULES_TOO_COSTLY),
        };
        let mut steps: Vec<StepView> =
            extractors.iter().enumerate().map(|(n, extractor)| self.key(n, extractor, &otherwise)).collect();
        if self.judged.judgement.flags.contains(&Flag::KeyFallback) {
            let because = self.voice.plain(texts::KEY_TITLE);
            steps.push(StepView { step: "title".to_owned(), result: "found", because });
        }
        steps
    }

    fn key(&self, n: usize, extractor: &KeyExtractor, otherwise: &str) -> StepView {
        let field = match extractor.field {
            KeyField::Title => "title",
            KeyField::Content => "content",
        };
        let step = format!("key[{n}]");
        let values = self.voice.values(&[&extractor.pattern]);
        let say = |words, key: &str| self.voice.say(words, &[("field", field), ("values", &values), ("key", key)]);
        let outcome = self.outcome(Place::Key(n));
        let because = match outcome {
            Some(TriedResult::Found(key)) => say(texts::KEY_FOUND, &self.voice.values(&[key])),
            Some(TriedResult::FoundEmpty) => say(texts::KEY_EMPTY, ""),
            Some(TriedResult::Unusable) => self.because().unusable(&format!("push_mode.{step}")),
            Some(TriedResult::TooCostly) => self.voice.plain(texts::TOO_COSTLY),
            Some(TriedResult::FoundNothingInBeginning) => say(texts::BEGINNING_MATCHES_NOT, ""),
            Some(_) => say(texts::MATCHES_NOT, ""),
            None => otherwise.to_owned(),
        };
        StepView { step, result: outcome.map_or("not_reached", result), because }
    }

    fn outcome(&self, place: Place) -> Option<&TriedResult> {
        self.judged.trace.at(place).map(|tried| &tried.outcome)
    }

    pub(crate) fn pipeline(&self) -> Vec<PipelineTrace> {
        let dropped = (0..self.integration.pipeline.len())
            .find(|n| self.outcome(Place::Step(*n)) == Some(&TriedResult::Dropped))
            .map(|n| self.voice.say(texts::NOT_REACHED, &[("decided", &format!("pipeline[{n}]"))]));
        let otherwise = dropped.unwrap_or_else(|| self.voice.plain(texts::NOT_JUDGED));
        let everything = Filter::default();
        let view = |(n, step): (usize, &Step)| {
            let (place, path) = (Place::Step(n), format!("pipeline[{n}]"));
            let when = step.when.as_ref().unwrap_or(&everything);
            let (result, because) = self.because().of(place, &path, when, &otherwise);
            let changes = match self.outcome(place) {
                Some(TriedResult::Changed(changes)) => changes.iter().map(ChangeView::from).collect(),
                Some(_) | None => Vec::new(),
            };
            PipelineTrace { step: path, action: action(&step.action), result, because, changes }
        };
        self.integration.pipeline.iter().enumerate().map(view).collect()
    }

    pub(crate) fn routes(&self) -> Vec<RouteTrace> {
        let (routes, default_spaces) = match &self.integration.routing {
            Routing::Dedicated { space } => {
                let (result, because) = self.routed(("match", texts::ONE_SPACE));
                let (step, spaces) = ("space".to_owned(), vec![space.clone()]);
                return vec![RouteTrace { step, result, because, spaces }];
            }
            Routing::Shared { routes, default_spaces } => (routes, default_spaces),
        };
        let matched = |n: &usize| self.outcome(Place::Route(*n)) == Some(&TriedResult::Matched);
        let stopped = (0..routes.len()).find(|n| matched(n) && routes[*n].then == Then::Stop);
        let otherwise = match stopped {
            Some(n) => self.voice.say(texts::ROUTE_STOPPED, &[("decided", &format!("routes[{n}]"))]),
            None => self.routed(("not_reached", texts::NOT_JUDGED)).1,
        };
        let mut views = Vec::with_capacity(routes.len() + 1);
        for (n, route) in routes.iter().enumerate() {
            let step = format!("routes[{n}]");
            let path = format!("{step}.");
            let (result, because) = self.because().of(Place::Route(n), &path, &route.filter, &otherwise);
            views.push(RouteTrace { step, result, because, spaces: route.spaces.clone() });
        }
        let any = (0..routes.len()).any(|n| matched(&n));
        let default = if any { ("not_reached", texts::DEFAULT_NOT) } else { ("match", texts::DEFAULT_TAKES) };
        let (result, because) = self.routed(default);
        let (step, spaces) = ("default_spaces".to_owned(), default_spaces.clone());
        views.push(RouteTrace { step, result, because, spaces });
        views
    }

    /// The given result if the message is routed. Otherwise `not_reached` with the reason.
    fn routed(&self, (result, because): (&'static str, Text)) -> (&'static str, String) {
        let (result, because) = match &self.judged.judgement.decision {
            Decision::Event(event) if event.kind == EventKind::Trigger => (result, because),
            Decision::Event(_) => ("not_reached", texts::CLOSES),
            Decision::Discard(_) => ("not_reached", texts::NOT_JUDGED),
        };
        (result, self.voice.plain(because))
    }
}

impl From<&alerting::rules::trace::FieldChange> for ChangeView {
    fn from(change: &alerting::rules::trace::FieldChange) -> Self {
        Self { field: change.field.clone(), before: change.before.clone(), after: change.after.clone() }
    }
}

/// The name of the action's field in a pipeline step.
const fn action(action: &Action) -> &'static str {
    match action {
        Action::SetTitle(_) => "set_title",
        Action::SetDescription(_) => "set_description",
        Action::SetSeverity(_) => "set_severity",
        Action::AddLabel(AddLabel::Extract { .. } | AddLabel::Compose { .. }) => "add_label",
        Action::MapLabels { .. } => "map_labels",
        Action::DeleteLabel(_) => "delete_label",
        Action::Drop(_) => "drop",
    }
}
