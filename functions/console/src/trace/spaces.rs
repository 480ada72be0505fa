//! What became of the alert in one of its spaces: silence, grouping, incident, escalation, notices.

use alerting::base::ids::{IncidentId, SilenceId, SpaceId};
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::alert::Alert;
use alerting::incident::assignment::SpacePolicy;
use alerting::incident::detail::Detail;
use alerting::incident::grouping::group_values;
use alerting::incident::silence::Silence;
use alerting::incident::space::Space;
use alerting::incident::timeline::{Entry, EntryKind};
use alerting::rules::trace::Place as Where;
use store::incidents::Place;
use store::log::LogEntry;
use store::people::view;
use words::trace as texts;

use super::because::{Because, Voice};
use super::escalation;
use super::notices::{self, Noticed, Wanted};

use crate::app::App;
use crate::dto::trace::{
    EscalationTrace, GroupValue, GroupingTrace, IncidentTrace, SilenceTrace, SilenceTried, SpaceTrace,
};
use crate::error::ApiError;

/// What is known of the alert in one space.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) id: SpaceId,
    /// As it is now; `None`: deleted.
    pub(crate) space: Option<Space>,
    /// What stands at the alert's place.
    pub(crate) place: Option<Place>,
    /// The incident that its alert belongs to.
    pub(crate) incident: Option<Incident>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) notices: Vec<Noticed>,
    /// The message opened the alert, and the alert made the incident.
    pub(crate) made: bool,
}

/// The alert of a message, and what the message did to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Of<'a> {
    pub(crate) entry: &'a LogEntry,
    pub(crate) alert: &'a Alert,
    /// The message opened it.
    pub(crate) opens: bool,
    /// As it was then, if that is known.
    pub(crate) then: Option<&'a Alert>,
}

impl Story {
    pub(crate) async fn read(app: &App, id: &SpaceId, of: Of<'_>) -> Result<Self, ApiError> {
        let space = app.store.spaces().get(id).await?;
        let own = IncidentId::of(id, of.alert.opened_by);
        let place = app.store.place(&own).await?;
        let incident = match (&place, app.store.standing(&own).await?) {
            // Of the message that opened the alert its own incident is shown, though it was merged away later.
            (Some(Place::Incident(own)), _) if of.opens => Some(own.clone()),
            (_, Some(Place::Incident(standing))) => Some(standing),
            (_, Some(Place::Joined(_) | Place::Dropped(_)) | None) => None,
        };
        let made = of.opens && matches!(place, Some(Place::Incident(_)));
        let mut story = Self { id: id.clone(), space, place, incident, entries: Vec::new(), notices: Vec::new(), made };
        if let Some(incident) = &story.incident {
            story.entries = app.store.timeline(incident).await?;
            let wanted = if made { Wanted::All } else { Wanted::OfTheMessage };
            story.notices = notices::notices(app, incident, &story.entries, &of.entry.notices, wanted).await?;
        }
        Ok(story)
    }

    pub(crate) fn name(&self) -> &str {
        self.space.as_ref().map_or(self.id.as_str(), |space| &space.name)
    }

    /// The silence that made no incident of it, as recorded.
    pub(crate) fn dropped_by(&self) -> Option<&SilenceId> {
        match &self.place {
            Some(Place::Dropped(silence)) => Some(silence),
            Some(Place::Incident(_) | Place::Joined(_)) | None => None,
        }
    }

    /// What the timeline says held the incident back when it was made.
    pub(crate) fn held_back(&self) -> Option<&Detail> {
        let first = self.entries.iter().find(|entry| entry.kind == EntryKind::Triggered)?;
        let incident = self.incident.as_ref()?;
        let ended = self.entries.iter().any(|entry| entry.kind == EntryKind::SilenceEnded);
        // An incident that is held is assigned to nobody: no round began with the trigger.
        let never_given = incident.round == 0 && first.n == 1;
        let is_held = self.made && (incident.held.is_some() || ended || never_given);
        first.detail.as_ref().filter(|_| is_held)
    }

    /// The view, and the silence and rule that would be chosen now.
    pub(crate) fn view(self, voice: Voice, of: Of<'_>) -> (SpaceTrace, Chosen) {
        let (mut chosen, mut silence, mut grouping, mut escalation) = (Chosen::default(), None, None, None);
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

    /// What silences came to, as recorded, with every one that is tried by the time of the message.
    fn silences(&self, voice: Voice, of: Of<'_>) -> (SilenceTrace, Option<Taken>) {
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
        (SilenceTrace { result, because, silences: tried.collect() }, Some(Taken::of(silence, at)))
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

    pub(crate) fn silence_name(&self, id: &SilenceId) -> String {
        let silences = self.space.iter().flat_map(|space| &space.silences);
        let known = silences.into_iter().find(|silence| silence.id == *id);
        known.map_or_else(|| id.to_string(), |silence| format!("{} ({id})", silence.name))
    }

    fn grouping(&self, voice: Voice, of: Of<'_>) -> Option<GroupingTrace> {
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

/// What the configuration of now would choose, to be held to what is recorded.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// `None`: the silences were not asked.
    pub(crate) silence: Option<Taken>,
    /// The name of the rule, or that there is none; `None`: the rules were not asked.
    pub(crate) rule: Option<Option<String>>,
}

/// What the silences of now would do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    None,
    /// With what the timeline would say.
    Kept {
        by: String,
        detail: Detail,
    },
    Dropped(SilenceId),
}

impl Taken {
    fn of(silence: Option<&Silence>, at: Moment) -> Self {
        use alerting::incident::silence::SilenceAction::{Drop, Keep};
        match silence {
            None => Taken::None,
            Some(silence) => match silence.then {
                Drop => Taken::Dropped(silence.id.clone()),
                Keep => {
                    let hold = silence.hold(at);
                    Taken::Kept { detail: hold.detail(), by: hold.by }
                }
            },
        }
    }
}
