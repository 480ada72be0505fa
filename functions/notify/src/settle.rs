//! Handles the result of one try to send a notice: records it, and schedules a retry or gives the notice up after a
//! failure.

use std::time::Duration;

use alerting::base::ids::IncidentId;
use alerting::base::moment::Moment;
use alerting::incident::notice::{Notice, NoticeRecord, assigns};
use alerting::incident::refresh::Refresh;
use alerting::incident::timer::{Timer, Work};
use channels::outcome::{Outcome, Reason};
use channels::post::Form;
use lambda_kit::metric;
use lambda_kit::queue::Entry;
use lambda_kit::sqs_batch::Disposition;
use store::dead_letters::DeadLetter;
use store::deliveries::cards::{self, SentCard};
use store::deliveries::{Attempt, AttemptOutcome, Delivery, DeliveryState, Mark, Marked};

use crate::app::App;
use crate::error::NotifyError;
use crate::later::{put_off, set_timer, watch};
use crate::retry::{self, Next, Tries};

/// The result for one incident's notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) incident: IncidentId,
    /// `None`: delivered, folded, given up or sent before, so nothing is left to do.
    pub(crate) wait: Option<Duration>,
}

impl Settled {
    pub(crate) fn disposition(&self) -> Disposition {
        self.wait.map_or(Disposition::Done, |wait| Disposition::Retry { after: Some(wait) })
    }
}

/// A notice that this process has claimed: no other process may send it now.
pub(crate) struct Claimed {
    pub(crate) notice: Notice,
    pub(crate) delivery: Delivery,
    /// When a person requested that it is sent again.
    pub(crate) asked: Option<Moment>,
}

/// A message, and the outcome of sending it.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    /// `None`: the message had no room for the notice, which goes into the next message.
    pub(crate) outcome: Option<&'a Outcome>,
    pub(crate) form: Form,
    /// How many notices the message showed.
    pub(crate) together: usize,
    /// Why the escalation rule's template was not used.
    pub(crate) template: Option<&'a str>,
    /// Whether its channel can change a message that was sent.
    pub(crate) can_change: bool,
    /// The number of the change that its card shows.
    pub(crate) picture: Option<u64>,
}

/// The next step for a notice after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    /// The provider accepted the message.
    Delivered(DeliveryState),
    Wait(Duration),
    /// `again`: the time after which it is tried once more.
    GiveUp {
        again: Option<Duration>,
    },
}

impl Claimed {
    /// The most notices that the next message with this one may hold: half as many as in the last message that was
    /// refused. A single line that the provider does not take is found in a few tries and fails alone.
    pub(crate) fn room(&self) -> usize {
        let refused =
            self.tries().filter(|attempt| attempt.outcome == AttemptOutcome::Rejected && attempt.together > 1);
        refused.map(|attempt| attempt.together as usize / 2).min().unwrap_or(usize::MAX)
    }

    /// Whether the provider refused the rich form of this notice before.
    pub(crate) fn was_refused_rich(&self) -> bool {
        let wants_plain = [Reason::TooLarge.as_str(), Reason::Refused.as_str()];
        self.tries().any(|attempt| attempt.reason.as_deref().is_some_and(|reason| wants_plain.contains(&reason)))
    }

    /// The tries of this change; after a request to send it again, only the tries since then.
    fn tries(&self) -> impl Iterator<Item = &Attempt> {
        let of_this = |attempt: &&Attempt| attempt.n == self.notice.n && Some(attempt.at) >= self.asked;
        self.delivery.attempts.iter().filter(of_this)
    }

    /// The failed tries that could have succeeded.
    fn failures(&self) -> impl Iterator<Item = &Attempt> {
        self.tries().filter(|attempt| matches!(attempt.outcome, AttemptOutcome::Retry | AttemptOutcome::Unknown))
    }

    /// Whether the notice was reported as failed before.
    fn was_given_up(&self) -> bool {
        let last = self.delivery.changes.iter().rev().find(|change| change.n == self.notice.n);
        last.is_some_and(|change| change.state == DeliveryState::Failed)
    }

    /// The messages that show the incident at the destination after this one. `None`: unchanged. The receipt of a
    /// message about several incidents is not kept, because such a message is never updated.
    fn cards(&self, message: Message<'_>, at: Moment) -> Option<Vec<SentCard>> {
        let receipt = message.outcome.and_then(Outcome::receipt).filter(|_| message.together == 1)?;
        let n = self.notice.n;
        let shown = message.picture.unwrap_or(n);
        let card = SentCard { n, shown, receipt: receipt.to_owned(), at, live: message.can_change, offers: true };
        let cards = cards::with_new(&self.delivery.cards, card);
        if cards.is_none() {
            tracing::warn!(incident.id = %self.notice.incident, destination.id = %self.notice.destination, "a receipt is too long to be kept");
        }
        cards
    }

    fn decide(&self, message: Message<'_>, now: Moment) -> Decision {
        match message.outcome {
            None => Decision::Wait(Duration::ZERO),
            Some(Outcome::Accepted { .. }) => Decision::Delivered(DeliveryState::Accepted),
            Some(Outcome::Delivered { .. }) if message.together > 1 => Decision::Delivered(DeliveryState::Folded),
            Some(Outcome::Delivered { .. }) => Decision::Delivered(DeliveryState::Delivered),
            Some(Outcome::Retry { after, reason }) => {
                let first = self.failures().map(|attempt| attempt.at).min().unwrap_or(now);
                let failures = 1 + self.failures().count();
                let tries = Tries { failures, since_first: now.since(first), reason: *reason };
                match retry::next(tries, *after, draw(&self.notice)) {
                    Next::Again(wait) => Decision::Wait(wait),
                    Next::GivenUp(again) => Decision::GiveUp { again },
                }
            }
            Some(Outcome::Rejected { reason }) if reason.wants_plain() && message.form == Form::Rich => {
                Decision::Wait(Duration::from_secs(1))
            }
            // One line may be what the provider does not take.
            Some(Outcome::Rejected { reason }) if reason.wants_plain() && message.together > 1 => {
                Decision::Wait(Duration::ZERO)
            }
            Some(Outcome::Rejected { .. }) => Decision::GiveUp { again: None },
        }
    }
}

/// Records the result of one notice. The steps that follow from the result are queued before, so that they are repeated
/// after a crash in between.
pub(crate) async fn settle(
    app: &App,
    claimed: Claimed,
    message: Message<'_>,
    owner: &str,
) -> Result<Settled, NotifyError> {
    let notice = &claimed.notice;
    let Message { outcome, together, template, .. } = message;
    // The time is taken before the next steps, so that they stand behind the attempt on the timeline.
    let at = app.parts.clock.now();
    let reason = outcome.and_then(Outcome::reason).map(Reason::as_str);
    if message.can_change {
        refresh_older(app, &claimed, at).await?;
    }
    let (state, wait) = match claimed.decide(message, at) {
        Decision::Delivered(state) => {
            if claimed.was_given_up() {
                app.parts.store.delete_dead_letter(&DeadLetter::id_of_notice(notice)).await?;
            }
            (state, None)
        }
        Decision::Wait(wait) => {
            if let Some(reason) = reason.filter(|_| !wait.is_zero()) {
                watch(app, notice, first_try(&claimed, at), at + wait, reason).await?;
            }
            (DeliveryState::Pending, Some(wait))
        }
        Decision::GiveUp { again } => {
            fail(app, &claimed, reason.unwrap_or_default(), again.map(|again| at + again)).await?;
            (DeliveryState::Failed, None)
        }
    };
    let mark = Mark {
        at,
        state,
        outcome: outcome.map(attempt_outcome),
        reason: reason.map(str::to_owned),
        template: template.map(str::to_owned),
        together: u32::try_from(together).unwrap_or(u32::MAX),
        asked: claimed.asked,
        cards: claimed.cards(message, at),
    };
    let marked = app.parts.store.mark(&notice.incident, &notice.destination, notice.n, owner, mark).await?;
    if marked == Marked::NotOurs {
        tracing::warn!(incident.id = %notice.incident, destination.id = %notice.destination, "a lease ran out while its notice was sent");
        // Another worker has the lease and may be sending something older, so this try is not recorded. If it was
        // recorded after all, the next claim finds it.
        return Ok(Settled { incident: notice.incident.clone(), wait: Some(wait.unwrap_or_default()) });
    }
    Ok(Settled { incident: notice.incident.clone(), wait })
}

/// Redraws the older cards of this destination after the message: they show an older state, and their buttons may no
/// longer work.
async fn refresh_older(app: &App, claimed: &Claimed, at: Moment) -> Result<(), NotifyError> {
    if !claimed.delivery.cards.iter().any(|card| card.live) {
        return Ok(());
    }
    let Notice { incident, destination, n, .. } = &claimed.notice;
    let refresh = Refresh { destination: destination.clone(), incident: incident.clone(), n: *n, due: at, tries: 0 };
    Ok(app.parts.notices.send(Entry::of_notice(&NoticeRecord::Refresh(refresh))).await?)
}

fn first_try(claimed: &Claimed, now: Moment) -> Moment {
    claimed.tries().map(|attempt| attempt.at).min().unwrap_or(now)
}

/// Gives up a notice and reports it. If the notice was to assign its incident to a person, the next contact or level is
/// notified. Any other notice becomes a dead letter and raises an alarm. `again`: when the notice is tried once more,
/// in case its incident is still open then.
async fn fail(app: &App, claimed: &Claimed, reason: &str, again: Option<Moment>) -> Result<(), NotifyError> {
    let (notice, now) = (&claimed.notice, app.parts.clock.now());
    if let Some(again) = again {
        put_off(app, notice, claimed.asked, again, true).await?;
    }
    if claimed.was_given_up() && claimed.asked.is_none() {
        return Ok(());
    }
    hand_over(app, notice, reason).await?;
    if notice.person.is_some() && assigns(notice.kind) {
        tracing::warn!(
            incident.id = %notice.incident, destination.id = %notice.destination, reason,
            "a person could not be notified and another contact is tried"
        );
        return Ok(());
    }
    app.parts.store.put_dead_letter(&DeadLetter::of_notice(notice, reason, now)).await?;
    metric::count_missing_notification(now);
    tracing::error!(
        incident.id = %notice.incident, destination.id = %notice.destination, reason,
        "a notice could not be delivered and is a dead letter now"
    );
    Ok(())
}

/// Notifies the next contact or level of the incident, if this notice was to bring the incident to someone.
pub(crate) async fn hand_over(app: &App, notice: &Notice, reason: &str) -> Result<(), NotifyError> {
    if !assigns(notice.kind) || (notice.person.is_none() && notice.level.is_none()) {
        return Ok(());
    }
    let work = Work::ContactFailed {
        incident: notice.incident.clone(),
        n: notice.n,
        destination: notice.destination.clone(),
        reason: reason.to_owned(),
    };
    set_timer(app, &Timer::new(app.parts.clock.now(), work)).await
}

fn attempt_outcome(outcome: &Outcome) -> AttemptOutcome {
    match outcome {
        Outcome::Delivered { .. } => AttemptOutcome::Delivered,
        Outcome::Accepted { .. } => AttemptOutcome::Accepted,
        Outcome::Retry { reason, .. } if reason.is_unknown() => AttemptOutcome::Unknown,
        Outcome::Retry { .. } => AttemptOutcome::Retry,
        Outcome::Rejected { .. } => AttemptOutcome::Rejected,
    }
}

/// Spreads waits without a random source: a notice always has the same value, and different notices have different
/// ones.
fn draw(notice: &Notice) -> u8 {
    notice.id().bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::tests::notice;

    fn message(outcome: &Outcome) -> Message<'_> {
        Message {
            outcome: Some(outcome),
            form: Form::Rich,
            together: 1,
            template: None,
            can_change: true,
            picture: None,
        }
    }

    fn claimed() -> Claimed {
        Claimed { notice: notice("inc_a", 2), delivery: Delivery::default(), asked: None }
    }

    #[test]
    fn the_receipt_of_a_message_about_one_incident_is_kept_and_of_one_about_several_is_not() {
        let at = Moment::from_secs(7);
        let kept = SentCard { n: 2, shown: 2, receipt: "m1".to_owned(), at, live: true, offers: true };
        for outcome in
            [Outcome::Delivered { receipt: Some("m1".to_owned()) }, Outcome::Accepted { receipt: "m1".to_owned() }]
        {
            let alone = message(&outcome);
            assert_eq!(claimed().cards(alone, at), Some(vec![kept.clone()]));
            assert_eq!(claimed().cards(Message { together: 2, ..alone }, at), None);
            let fixed = claimed().cards(Message { can_change: false, ..alone }, at);
            assert_eq!(fixed, Some(vec![SentCard { live: false, ..kept.clone() }]));
        }
        for outcome in [Outcome::Delivered { receipt: None }, Outcome::Rejected { reason: Reason::Refused }] {
            assert_eq!(claimed().cards(message(&outcome), at), None);
        }
    }

    #[test]
    fn what_a_provider_accepted_is_not_sent_again_and_not_called_delivered() {
        let outcome = Outcome::Accepted { receipt: "c1".to_owned() };
        let decision = claimed().decide(message(&outcome), Moment::from_secs(7));
        assert_eq!(decision, Decision::Delivered(DeliveryState::Accepted));
    }
}
