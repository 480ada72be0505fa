//! Reviews the holds that keep incidents from notifying, after a silence ended or was changed, or the alert was
//! changed.
//!
//! An incident is held as long as each of its open alerts is held. This depends on the silences that are in force now,
//! not on what was recorded when the incident was made. An incident that is open before a silence begins is held when
//! its next level or repetition is due, or at once if the silence was made for it.

use alerting::base::ids::{IncidentId, SpaceId};
use alerting::base::moment::Moment;
use alerting::incident::apply::Change;
use alerting::incident::change_result::entry_of_action;
use alerting::incident::space::Space;
use alerting::incident::{Hold, Incident, Progress};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use store::Store;
use store::errors::ReadError;
use store::incidents::IncidentQuery;

use crate::ALERTS_AT_A_TIME;
use crate::due::{DueError, DueWork};

/// The most incidents of a space that one piece of work reviews.
const INCIDENTS: usize = 100;

/// Reviews one incident. The work is due when the hold was to end, or now.
pub async fn review(work: DueWork<'_>, id: &IncidentId) -> Result<(), DueError> {
    let store = &work.dispatch.store;
    let Some(incident) = store.incident(id).await? else { return Ok(()) };
    let space = store.spaces().get(&incident.space).await?;
    review_one(work, &incident, space.as_ref()).await
}

/// Reviews held incidents of a space, newest first, starting below the place `below` of their list, and as many as one
/// piece of work takes. Returns the place from which the rest is to be reviewed; `None`: there are no more.
pub async fn review_space(work: DueWork<'_>, id: &SpaceId, below: Option<&str>) -> Result<Option<String>, DueError> {
    let store = &work.dispatch.store;
    let Some(space) = store.spaces().get(id).await? else { return Ok(None) };
    let after = below.and_then(|below| below.parse().ok());
    let query = IncidentQuery { progress: None, spaces: vec![id.clone()], after, limit: INCIDENTS };
    let page = store.incidents(query).await?;
    for incident in page.items.iter().filter(|incident| is_to_review(incident, work.action)) {
        Box::pin(review_one(work, incident, Some(&space))).await?;
    }
    Ok(page.next)
}

/// Whether an incident is reviewed: it is held, or an earlier copy of the same work has released it and may have died
/// before it notified anybody.
fn is_to_review(incident: &Incident, action: &str) -> bool {
    let is_held = incident.held.is_some() && incident.progress != Progress::Closed;
    is_held || entry_of_action(incident, action).is_some()
}

async fn review_one(work: DueWork<'_>, incident: &Incident, space: Option<&Space>) -> Result<(), DueError> {
    let hold = match (unfinished_mute(incident, work.now), space) {
        (Some(mute), _) => Some(mute.clone()),
        (None, Some(space)) => hold_of(&work.dispatch.store, incident, space, work.now).await?,
        (None, None) => None,
    };
    work.change(&incident.id, &Change::HoldReviewed { hold }).await
}

/// The mute of a flapping alert always lasts to its end. Silences do not shorten it.
fn unfinished_mute(incident: &Incident, at: Moment) -> Option<&Hold> {
    let is_unfinished = |held: &&Hold| held.by == Hold::FLAPPING && held.until.is_some_and(|until| until > at);
    incident.held.as_ref().filter(is_unfinished)
}

/// The hold on an incident of which a level is due. A silence may have begun since the last change of the incident: a
/// recurring one begins every week without a change by anyone.
pub(crate) async fn present(store: &Store, id: &IncidentId, now: Moment) -> Result<Option<Hold>, ReadError> {
    let Some(incident) = store.incident(id).await? else { return Ok(None) };
    if incident.is_quiet() || incident.progress == Progress::Closed {
        return Ok(None);
    }
    match store.cached_space(&incident.space, now).await? {
        Some(space) => hold_of(store, &incident, &space, now).await,
        None => Ok(None),
    }
}

/// The hold that ends when the first of its alerts is no longer held; `None`: one of the alerts is not held.
async fn hold_of(store: &Store, incident: &Incident, space: &Space, at: Moment) -> Result<Option<Hold>, ReadError> {
    if !space.silences.iter().any(|silence| silence.is_active(at)) {
        return Ok(None);
    }
    let reads =
        stream::iter(deciding_alerts(incident)).map(|place| store.alert_as_stored(&incident.alerts[place].alert));
    let mut alerts = reads.buffered(ALERTS_AT_A_TIME);
    let mut first: Option<Hold> = None;
    while let Some(alert) = alerts.try_next().await? {
        let Some(alert) = alert else { continue };
        let Some(hold) = store.hold_of(space, &alert, at) else { return Ok(None) };
        first = Some(first.map_or_else(|| hold.clone(), |first| earlier(first, hold.clone())));
    }
    Ok(first)
}

/// The places of the alerts that decide whether an incident is held: the open ones or, without any, the one that made
/// it.
fn deciding_alerts(incident: &Incident) -> Vec<usize> {
    let open: Vec<usize> = (0..incident.alerts.len()).filter(|place| incident.alerts[*place].is_open).collect();
    if open.is_empty() && !incident.alerts.is_empty() { vec![0] } else { open }
}

/// The hold that ends first.
fn earlier(one: Hold, other: Hold) -> Hold {
    let end = |hold: &Hold| (hold.until.is_none(), hold.until);
    if end(&other) < end(&one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use alerting::incident::timeline::Entry;

    use super::*;
    use crate::due::sample;

    fn hold(by: &str, until: Option<i64>) -> Hold {
        Hold { until: until.map(Moment::from_secs), by: by.to_owned() }
    }

    #[test]
    fn the_open_alerts_decide_or_else_the_first_one() {
        for (alerts, deciding) in [
            (&[true, false, true][..], vec![0, 2]),
            (&[false, true], vec![1]),
            (&[false, false], vec![0]),
            (&[], vec![]),
        ] {
            assert_eq!(deciding_alerts(&sample::incident(alerts)), deciding, "{alerts:?}");
        }
    }

    #[test]
    fn an_incident_is_held_until_the_first_hold_ends_and_one_without_end_ends_last() {
        for (one, other, first) in [
            (Some(5), Some(9), Some(5)),
            (Some(9), Some(5), Some(5)),
            (None, Some(9), Some(9)),
            (Some(9), None, Some(9)),
            (None, None, None),
        ] {
            assert_eq!(earlier(hold("a", one), hold("a", other)), hold("a", first), "{one:?} {other:?}");
        }
    }

    #[test]
    fn only_a_mute_that_has_not_ended_is_kept_without_asking_the_silences() {
        let at = Moment::from_secs(5);
        for (held, is_kept) in [
            (hold(Hold::FLAPPING, Some(6)), true),
            (hold(Hold::FLAPPING, Some(5)), false),
            (hold("silence", Some(6)), false),
        ] {
            let incident = Incident { held: Some(held.clone()), ..sample::incident(&[true]) };
            assert_eq!(unfinished_mute(&incident, at), is_kept.then_some(&held), "{held:?}");
        }
        assert_eq!(unfinished_mute(&sample::incident(&[true]), at), None);
    }

    #[test]
    fn held_incidents_are_reviewed_and_those_that_the_same_work_has_released() {
        let plain = sample::incident(&[true]);
        let held = Incident { held: Some(hold("silence", None)), ..plain.clone() };
        let closed = Incident { progress: Progress::Closed, ..held.clone() };
        let mut released = plain.clone();
        let last: &mut Entry = released.timeline.last_mut().expect("an incident has an entry");
        last.action = Some("review".to_owned());
        for (name, incident, expected) in
            [("held", held, true), ("not held", plain, false), ("closed", closed, false), ("released", released, true)]
        {
            assert_eq!(is_to_review(&incident, "review"), expected, "{name}");
        }
    }
}
