//! The result for the alert in one of its spaces: silence, grouping, incident, escalation, notices.

use alerting::base::ids::SilenceId;
use alerting::base::moment::Moment;
use alerting::incident::assignment::SpacePolicy;
use alerting::incident::detail::Detail;
use alerting::incident::grouping::group_values;
use alerting::incident::silence::Silence;
use alerting::rules::trace::Place as Where;
use store::incidents::Place;
use store::people::view;
use words::trace as texts;

use super::because::{Because, Voice};
use super::escalation;
use super::space_record::{MessageAlert, SpaceRecord};
use crate::dto::trace::{
    EscalationTrace, GroupValue, GroupingTrace, IncidentTrace, SilenceTrace, SilenceTried, SpaceTrace,
};

impl SpaceRecord {
    /// The view, together with the silence and the rule that the current configuration chooses.
    pub(crate) fn view(self, voice: Voice, of: MessageAlert<'_>) -> (SpaceTrace, CurrentChoice) {
        let (mut chosen, mut silence, mut grouping, mut escalation) = (CurrentChoice::default(), None, None, None);
        if of.opens {
            let (tried, now) = self.silences(voice, of);
            (silence, chosen.silence) = (Some(tried), now);
            grouping = self.grouping(voice, of);
        }
        if let Some(incident) = &self.incident {
            let asked = escalation::ask(voice, &self, incident, of);
            chosen.rule = asked.chosen;
            escalation = Some(asked.view);
        }
        (self.into_view(silence, grouping, escalation), chosen)
    }

    fn into_view(
        self,
        silence: Option<SilenceTrace>,
        grouping: Option<GroupingTrace>,
        escalation: Option<EscalationTrace>,
    ) -> SpaceTrace {
        let made = self.made;
        let incident = self.incident.map(|incident| IncidentTrace {
            id: incident.id,
            num: incident.num,
            title: incident.title,
            progress: incident.progress,
            flapping: incident.flapping,
            made,
        });
        SpaceTrace {
            space: self.id,
            name: self.space.map(|space| space.name),
            silence,
            grouping,
            incident,
            escalation,
            notices: self.notices.into_iter().map(|notice| notice.view).collect(),
        }
    }

    /// The recorded result of the silences, and each current silence evaluated as of the time of the message.
    fn silences(&self, voice: Voice, of: MessageAlert<'_>) -> (SilenceTrace, Option<SilenceResult>) {
        let (result, because) = self.silenced(voice);
        let (Some(space), Some(then)) = (&self.space, of.then) else {
            return (SilenceTrace { result, because, silences: Vec::new() }, None);
        };
        let at = of.alert.opened_by.received_at();
        let (silence, trace) = SpacePolicy::new(space).trace_silence(space, &view(then, then.severity), at);
        let words = Because { voice, trace: &trace, problems: &[], at: Some(at) };
        let decided = silence.map_or("", |silence| &silence.name);
        let otherwise = voice.say(texts::NOT_REACHED, &[("decided", decided)]);
        let tried = space.silences.iter().enumerate().map(|(n, silence)| {
            let (result, because) = words.of(Where::Silence(n), "", &silence.filter, &otherwise);
            SilenceTried { silence: silence.id.clone(), name: silence.name.clone(), result, because }
        });
        (SilenceTrace { result, because, silences: tried.collect() }, Some(SilenceResult::of(silence, at)))
    }

    fn silenced(&self, voice: Voice) -> (&'static str, String) {
        if let Some(silence) = self.dropped_by() {
            return ("dropped", voice.say(texts::SILENCE_DROPPED, &[("silence", &self.silence_name(silence))]));
        }
        match self.held_back() {
            None => ("none", voice.plain(texts::SILENCE_NONE)),
            Some(detail) if detail.is_muted() => ("muted", voice.plain(texts::SILENCE_MUTED)),
            Some(detail) => ("kept", voice.say(texts::SILENCE_KEPT, &[("by", &voice.detail(detail))])),
        }
    }

    fn grouping(&self, voice: Voice, of: MessageAlert<'_>) -> Option<GroupingTrace> {
        let joined = matches!(self.place, Some(Place::Joined(_)));
        let settings = self.space.as_ref().and_then(|space| space.grouping.as_ref());
        if self.dropped_by().is_some() || self.place.is_none() {
            return None;
        }
        let alert = of.then.unwrap_or(of.alert);
        let values: Vec<GroupValue> = settings
            .into_iter()
            .flat_map(|grouping| group_values(grouping, alert))
            .map(|(field, value)| GroupValue { field: field.to_owned(), value: value.map(str::to_owned) })
            .collect();
        let lacks =
            settings.is_some_and(|grouping| alerting::incident::grouping::group_key(grouping, alert, None).is_none());
        let num = self.incident.as_ref().map_or("", |incident| incident.num.as_str());
        let (result, because) = match settings {
            _ if joined => ("joined", voice.say(texts::GROUPING_JOINED, &[("num", num)])),
            None => ("off", voice.plain(texts::GROUPING_OFF)),
            Some(_) if lacks => ("alone", voice.plain(texts::GROUPING_ALONE)),
            Some(_) => ("first", voice.plain(texts::GROUPING_FIRST)),
        };
        Some(GroupingTrace { result, because, by: values })
    }
}

/// The choices of the current configuration, for comparison with the recorded ones.
#[derive(Debug, Default)]
pub(crate) struct CurrentChoice {
    /// `None`: the silences were not evaluated.
    pub(crate) silence: Option<SilenceResult>,
    /// The name of the rule, or `Some(None)` if no rule matches. `None`: the rules were not evaluated.
    pub(crate) rule: Option<Option<String>>,
}

/// The result of applying the current silences.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SilenceResult {
    None,
    /// The incident is held. `detail` is the text that the timeline would show.
    Kept {
        by: String,
        detail: Detail,
    },
    Dropped(SilenceId),
}

impl SilenceResult {
    fn of(silence: Option<&Silence>, at: Moment) -> Self {
        use alerting::incident::silence::SilenceAction::{Drop, Keep};
        match silence {
            None => SilenceResult::None,
            Some(silence) => match silence.then {
                Drop => SilenceResult::Dropped(silence.id.clone()),
                Keep => {
                    let hold = silence.hold(at);
                    SilenceResult::Kept { detail: hold.detail(), by: hold.by }
                }
            },
        }
    }
}
