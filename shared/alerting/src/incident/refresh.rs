//! Requests to update the cards of one incident at one destination. The queue holds them beside the notices; the ledger
//! does not count them.
//!
//! A card shows the current incident, so a refresh does not depend on one change: the worker draws the incident as it
//! is at that time. Several refreshes of one card cost one request.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::ids::{DestinationId, IncidentId, hash128};
use crate::base::moment::Moment;
use crate::incident::Incident;
use crate::incident::timeline::{Entry, EntryKind};

/// Changes by alerts update the cards of an incident at most once in this period.
const PERIOD: Duration = Duration::from_secs(30);
/// How often a refresh is tried before it is logged and dropped. The next change makes a new refresh.
const TRIES: u32 = 5;
/// The wait after the first failure of a refresh. It doubles with each further failure.
const FIRST_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    pub destination: DestinationId,
    pub incident: IncidentId,
    /// The number of the change that caused the refresh.
    pub n: u64,
    pub due: Moment,
    /// The number of failed attempts.
    #[serde(default)]
    pub tries: u32,
}

impl Refresh {
    pub fn new(incident: &Incident, destination: &DestinationId, n: u64, due: Moment) -> Self {
        Self { destination: destination.clone(), incident: incident.id.clone(), n, due, tries: 0 }
    }

    /// The id of the record, which is the same for every copy and different for each attempt.
    pub fn id(&self) -> String {
        let parts = [self.n, self.due.millis().unsigned_abs(), self.tries.into()].map(|part| part.to_string());
        let [n, due, tries] = parts.each_ref().map(String::as_str);
        hash128(&["refresh", self.incident.as_str(), self.destination.as_str(), n, due, tries])
    }

    /// The next attempt after one that failed at `now`. `None`: that attempt was the last.
    #[must_use]
    pub fn after_failure(&self, now: Moment) -> Option<Self> {
        let tries = self.tries + 1;
        let due = now + FIRST_WAIT * 2_u32.pow(self.tries.min(TRIES));
        (tries < TRIES).then(|| Self { tries, due, ..self.clone() })
    }

    /// The same refresh, postponed to another moment. The postponed attempt does not count.
    #[must_use]
    pub fn at(&self, due: Moment) -> Self {
        Self { due, ..self.clone() }
    }
}

/// When the existing cards must be updated after `entry`. `None`: the cards look the same as before. Changes by alerts
/// often come in large numbers, so their cards are updated at the end of the period.
pub fn due(entry: &Entry) -> Option<Moment> {
    let period = PERIOD.as_millis() as i64;
    match entry.kind {
        kind if !kind.changes_card() => None,
        EntryKind::AlertJoined | EntryKind::AlertRecovered => {
            Some(Moment::from_millis((entry.at.millis().div_euclid(period) + 1) * period))
        }
        _ => Some(entry.at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::timeline::Audience;

    fn entry(kind: EntryKind, secs: i64) -> Entry {
        let at = Moment::from_secs(secs);
        let (actor, audience) = ("source".to_owned(), Audience::Everyone);
        Entry { n: 2, at, kind, actor, by: None, action: None, detail: None, alert_n: None, alert: None, audience }
    }

    #[test]
    fn what_alerts_change_is_drawn_at_the_end_of_its_half_minute_and_the_rest_at_once() {
        for (kind, at, expected) in [
            (EntryKind::Snoozed, 100, Some(100)),
            (EntryKind::Closed, 100, Some(100)),
            (EntryKind::AlertJoined, 90, Some(120)),
            (EntryKind::AlertJoined, 119, Some(120)),
            (EntryKind::AlertRecovered, 120, Some(150)),
            (EntryKind::Commented, 100, None),
            (EntryKind::Repeated, 100, None),
        ] {
            assert_eq!(due(&entry(kind, at)), expected.map(Moment::from_secs), "{kind:?} at {at}");
        }
    }

    #[test]
    fn a_refresh_is_tried_five_times_later_each_time_and_each_try_has_a_name_of_its_own() {
        let now = Moment::from_secs(1000);
        let (destination, incident) = ("dst_a".parse().expect("valid"), "inc_a".parse().expect("valid"));
        let first = Refresh { destination, incident, n: 7, due: now, tries: 0 };
        let tries: Vec<Refresh> = std::iter::successors(Some(first), |refresh| refresh.after_failure(now)).collect();
        let waits: Vec<u64> = tries.iter().map(|refresh| refresh.due.since(now).as_secs()).collect();
        assert_eq!(waits, [0, 5, 10, 20, 40]);
        let names: std::collections::BTreeSet<String> = tries.iter().map(Refresh::id).collect();
        assert_eq!(names.len(), 5);
        assert_ne!(tries[0].at(now + PERIOD).id(), tries[0].id());
    }
}
