//! The stored records of an alert in one of its spaces.

use alerting::base::ids::{IncidentId, SilenceId, SpaceId};
use alerting::incident::Incident;
use alerting::incident::alert::Alert;
use alerting::incident::detail::Detail;
use alerting::incident::space::Space;
use alerting::incident::timeline::{Entry, EntryKind};
use store::incidents::Place;
use store::log::LogEntry;

use super::notices::{self, NoticeFilter, TracedNotice};
use crate::app::App;
use crate::error::ApiError;

/// The stored records of the alert in one space.
#[derive(Debug)]
pub(crate) struct SpaceRecord {
    pub(crate) id: SpaceId,
    /// The current space. `None`: the space has been deleted.
    pub(crate) space: Option<Space>,
    /// The stored result of the alert in this space: incident, joined or dropped.
    pub(crate) place: Option<Place>,
    /// The incident that its alert belongs to.
    pub(crate) incident: Option<Incident>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) notices: Vec<TracedNotice>,
    /// Whether the message opened the alert and the alert created the incident.
    pub(crate) made: bool,
}

/// The alert of a message, and the effect of the message on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MessageAlert<'a> {
    pub(crate) entry: &'a LogEntry,
    pub(crate) alert: &'a Alert,
    /// Whether the message opened the alert.
    pub(crate) opens: bool,
    /// The alert at the time of the message, if it can be reconstructed.
    pub(crate) then: Option<&'a Alert>,
}

impl SpaceRecord {
    pub(crate) async fn read(app: &App, id: &SpaceId, of: MessageAlert<'_>) -> Result<Self, ApiError> {
        let space = app.store.spaces().get(id).await?;
        let own = IncidentId::of(id, of.alert.opened_by);
        let place = app.store.place(&own).await?;
        let incident = match (&place, app.store.standing(&own).await?) {
            // For the message that opened the alert, show the alert's own incident even if it was merged away later.
            (Some(Place::Incident(own)), _) if of.opens => Some(own.clone()),
            (_, Some(Place::Incident(standing))) => Some(standing),
            (_, Some(Place::Joined(_) | Place::Dropped(_)) | None) => None,
        };
        let made = of.opens && matches!(place, Some(Place::Incident(_)));
        let mut record =
            Self { id: id.clone(), space, place, incident, entries: Vec::new(), notices: Vec::new(), made };
        if let Some(incident) = &record.incident {
            record.entries = app.store.timeline(incident).await?;
            let wanted = if made { NoticeFilter::All } else { NoticeFilter::OfTheMessage };
            record.notices = notices::notices(app, incident, &record.entries, &of.entry.notices, wanted).await?;
        }
        Ok(record)
    }

    pub(crate) fn name(&self) -> &str {
        self.space.as_ref().map_or(self.id.as_str(), |space| &space.name)
    }

    /// The silence that dropped the alert so that no incident was created, as recorded.
    pub(crate) fn dropped_by(&self) -> Option<&SilenceId> {
        match &self.place {
            Some(Place::Dropped(silence)) => Some(silence),
            Some(Place::Incident(_) | Place::Joined(_)) | None => None,
        }
    }

    /// What held the incident when it was created, according to the timeline.
    pub(crate) fn held_back(&self) -> Option<&Detail> {
        let first = self.entries.iter().find(|entry| entry.kind == EntryKind::Triggered)?;
        let incident = self.incident.as_ref()?;
        let ended = self.entries.iter().any(|entry| entry.kind == EntryKind::SilenceEnded);
        // A held incident is not assigned, so the trigger starts no assignment round.
        let never_given = incident.round == 0 && first.n == 1;
        let is_held = self.made && (incident.held.is_some() || ended || never_given);
        first.detail.as_ref().filter(|_| is_held)
    }

    pub(crate) fn silence_name(&self, id: &SilenceId) -> String {
        let silences = self.space.iter().flat_map(|space| &space.silences);
        let known = silences.into_iter().find(|silence| silence.id == *id);
        known.map_or_else(|| id.to_string(), |silence| format!("{} ({id})", silence.name))
    }
}
