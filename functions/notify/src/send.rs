//! Sends one message that tells of one or several incidents, and records what came of it for each.

use std::time::Duration;

use alerting::ids::IncidentId;
use alerting::notice::{Notice, NoticeRecord, assigns};
use alerting::timer::{Timer, Work};
use channels::content::Failure;
use channels::outcome::{Outcome, Reason};
use channels::{Form, Post};
use futures::StreamExt as _;
use futures::stream;
use lambda_kit::queue::Entry;
use lambda_kit::random::base62;
use lambda_kit::sqs_batch::Disposition;
use store::deliveries::{Attempt, AttemptOutcome, Claim, Delivery, DeliveryState, Mark, Marked};

use crate::addresses::Address;
use crate::links::MessageLinks;
use crate::{App, NotifyError, retry};

/// Longer than the function may run, shorter than a record stays invisible.
const LEASE: Duration = Duration::from_secs(45);
/// Claims and marks of one message that are under way at a time.
const CONCURRENT_WRITES: usize = 16;

/// What became of one incident's notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) incident: IncidentId,
    /// `None`: told, folded, failed for good or told before; there is nothing left to do.
    pub(crate) wait: Option<Duration>,
}

impl Fate {
    pub(crate) fn disposition(&self) -> Disposition {
        self.wait.map_or(Disposition::Done, |wait| Disposition::Retry { after: Some(wait) })
    }
}

/// A notice that this process alone may send now.
struct Claimed {
    notice: Notice,
    delivery: Delivery,
}

/// A message that was sent, or could not be.
struct Message<'a> {
    /// `None`: it had no room for the notice, which takes the next one.
    outcome: Option<&'a Outcome>,
    form: Form,
    /// How many notices it was made of.
    together: usize,
    /// Why the escalation rule's template was not used.
    template: Option<&'a str>,
}

/// Sends one message for the notices, one line per incident. The token of the destination's rate is taken already.
pub(crate) async fn send(app: &App, address: &Address, notices: &[Notice]) -> Result<Vec<Fate>, NotifyError> {
    let owner = base62(12);
    let (claimed, mut fates) = claim(app, address, notices, &owner).await?;
    if claimed.is_empty() {
        return Ok(fates);
    }
    let notices: Vec<Notice> = claimed.iter().map(|claimed| claimed.notice.clone()).collect();
    let links = MessageLinks::of(app, address, &notices).await?;
    let template = own_template(app, address, &notices).await?;
    let post = Post {
        notices: &notices,
        links: &links,
        language: address.language,
        time_zone: &address.time_zone,
        form: form(&claimed),
        template: template.as_deref(),
    };
    let now = app.parts.clock.now();
    let (outcome, shown, template) = match address.channel.request(&post, now) {
        Ok(request) => {
            let (shown, failure) = (request.shown, request.template.as_ref().map(Failure::to_string));
            (app.parts.deliverer.send(&address.channel, request).await.outcome, shown, failure)
        }
        Err(error) => {
            tracing::error!(%error, destination.id = %address.id, "a message could not be laid out");
            (Outcome::Rejected { reason: Reason::TooLarge }, notices.len(), None)
        }
    };
    if let Outcome::Retry { after: Some(after), reason: Reason::RateLimited } = &outcome {
        app.parts.store.block(&address.id, now + *after).await?;
    }
    let settled = stream::iter(claimed.into_iter().enumerate())
        .map(|(index, claimed)| {
            let outcome = if index < shown { Some(&outcome) } else { None };
            let message = Message { outcome, form: post.form, together: notices.len(), template: template.as_deref() };
            settle(app, claimed, message, &owner)
        })
        .buffered(CONCURRENT_WRITES)
        .collect::<Vec<_>>()
        .await;
    for fate in settled {
        fates.push(fate?);
    }
    Ok(fates)
}

async fn claim(
    app: &App,
    address: &Address,
    notices: &[Notice],
    owner: &str,
) -> Result<(Vec<Claimed>, Vec<Fate>), NotifyError> {
    let now = app.parts.clock.now();
    let claims = stream::iter(notices.to_vec())
        .map(|notice| async move {
            let claim = app.parts.store.claim(&notice.incident, &address.id, notice.n, owner, now, LEASE).await;
            (notice, claim)
        })
        .buffered(CONCURRENT_WRITES)
        .collect::<Vec<_>>()
        .await;
    let (mut claimed, mut fates) = (Vec::new(), Vec::new());
    for (notice, claim) in claims {
        let incident = notice.incident.clone();
        match claim? {
            Claim::Claimed(delivery) => claimed.push(Claimed { notice, delivery }),
            Claim::AlreadySent => fates.push(Fate { incident, wait: None }),
            Claim::Busy { until } => fates.push(Fate { incident, wait: Some(until.since(now)) }),
        }
    }
    Ok((claimed, fates))
}

/// What the escalation rule of a notice by itself says instead of the channel's usual content; nothing, if the rule is
/// gone.
async fn own_template(app: &App, address: &Address, notices: &[Notice]) -> Result<Option<String>, NotifyError> {
    let [Notice { rule: Some(rule), space, .. }] = notices else { return Ok(None) };
    let space = app.parts.store.cached_space(space, app.parts.clock.now()).await?;
    let rule = space.as_ref().and_then(|space| space.escalation_rules.iter().find(|known| known.id == *rule));
    Ok(rule.and_then(|rule| rule.template(address.channel.name(), address.language)).map(str::to_owned))
}

/// Rich, unless the provider refused that form of one of these notices before.
fn form(claimed: &[Claimed]) -> Form {
    let refused = claimed.iter().any(|claimed| was_refused_rich(&claimed.delivery, claimed.notice.n));
    if refused { Form::Plain } else { Form::Rich }
}

fn was_refused_rich(delivery: &Delivery, n: u64) -> bool {
    let wants_plain = [Reason::TooLarge.as_str(), Reason::Refused.as_str()];
    delivery
        .attempts
        .iter()
        .any(|attempt| attempt.n == n && attempt.reason.as_deref().is_some_and(|reason| wants_plain.contains(&reason)))
}

/// Records what came of one notice.
async fn settle(app: &App, claimed: Claimed, message: Message<'_>, owner: &str) -> Result<Fate, NotifyError> {
    let Message { outcome, form, together, template } = message;
    let notice = &claimed.notice;
    let counting = |attempt: &&Attempt| attempt.n == notice.n && counts(attempt);
    let failures = 1 + claimed.delivery.attempts.iter().filter(counting).count();
    let (state, wait) = match outcome {
        None => (DeliveryState::Pending, Some(Duration::ZERO)),
        Some(Outcome::Delivered { .. }) if together > 1 => (DeliveryState::Folded, None),
        Some(Outcome::Delivered { .. }) => (DeliveryState::Delivered, None),
        // Waiting for one's turn is no failure; the provider's block keeps the next try away for as long as it takes.
        Some(Outcome::Retry { after, reason: Reason::RateLimited }) => {
            (DeliveryState::Pending, Some(after.unwrap_or(Duration::from_secs(1))))
        }
        Some(Outcome::Retry { after, reason: _ }) => match retry::wait(failures, *after, draw(notice)) {
            Some(wait) => (DeliveryState::Pending, Some(wait)),
            None => (DeliveryState::Failed, None),
        },
        Some(Outcome::Rejected { reason }) if reason.wants_plain() && form == Form::Rich => {
            (DeliveryState::Pending, Some(Duration::from_secs(1)))
        }
        Some(Outcome::Rejected { .. }) => (DeliveryState::Failed, None),
    };
    // Taken before the failure is handed over: on the timeline, what follows from an attempt stands behind it.
    let at = app.parts.clock.now();
    if state == DeliveryState::Failed {
        fail(app, notice, outcome.and_then(Outcome::reason).map_or("", Reason::as_str)).await?;
    }
    let mark = Mark {
        at,
        state,
        outcome: outcome.map(attempt_outcome),
        reason: outcome.and_then(Outcome::reason).map(|reason| reason.as_str().to_owned()),
        template: template.map(str::to_owned),
    };
    let marked = app.parts.store.mark(&notice.incident, &notice.destination, notice.n, owner, mark).await?;
    if marked == Marked::NotOurs {
        tracing::warn!(incident.id = %notice.incident, destination.id = %notice.destination, "a lease ran out while its notice was sent");
        // Whoever has the lease may be telling something older, and nobody has recorded this. If it was recorded, it is
        // known when it comes back.
        return Ok(Fate { incident: notice.incident.clone(), wait: Some(wait.unwrap_or_default()) });
    }
    Ok(Fate { incident: notice.incident.clone(), wait })
}

/// What would have brought an incident to a person goes on to the person's next contact, or to the next level; anything
/// else goes to the dead-letter queue, where an alarm watches. Done before the failure is recorded, so that a crash in
/// between does it again.
async fn fail(app: &App, notice: &Notice, reason: &str) -> Result<(), NotifyError> {
    if hand_over(app, notice, reason).await? {
        tracing::warn!(
            incident.id = %notice.incident, destination.id = %notice.destination, reason,
            "a person could not be told and another contact is tried"
        );
        return Ok(());
    }
    app.parts.dead.send(Entry::of_notice(&NoticeRecord::Tell(notice.clone()))).await?;
    tracing::error!(
        incident.id = %notice.incident, destination.id = %notice.destination, reason,
        "a notice cannot be delivered and was moved to the dead-letter queue"
    );
    Ok(())
}

/// Whether the notice would have brought its incident to one person.
async fn hand_over(app: &App, notice: &Notice, reason: &str) -> Result<bool, NotifyError> {
    if notice.person.is_none() || !assigns(notice.kind) {
        return Ok(false);
    }
    let now = app.parts.clock.now();
    let work = Work::ContactFailed {
        incident: notice.incident.clone(),
        n: notice.n,
        destination: notice.destination.clone(),
        reason: reason.to_owned(),
    };
    app.parts.due.send(Entry::of_timer(&Timer::new(now, work), now)).await?;
    Ok(true)
}

fn attempt_outcome(outcome: &Outcome) -> AttemptOutcome {
    match outcome {
        Outcome::Delivered { .. } => AttemptOutcome::Delivered,
        Outcome::Retry { reason, .. } if reason.is_unknown() => AttemptOutcome::Unknown,
        Outcome::Retry { .. } => AttemptOutcome::Retry,
        Outcome::Rejected { .. } => AttemptOutcome::Rejected,
    }
}

/// Whether an attempt counts against the schedule.
fn counts(attempt: &Attempt) -> bool {
    attempt.reason.as_deref().is_some_and(|reason| reason != Reason::RateLimited.as_str())
}

/// Fails a notice that there is nowhere to send to, like one that the provider rejected.
pub(crate) async fn give_up(app: &App, notice: Notice, reason: Reason) -> Result<Fate, NotifyError> {
    let (store, now, owner) = (&app.parts.store, app.parts.clock.now(), base62(12));
    let incident = notice.incident.clone();
    match store.claim(&notice.incident, &notice.destination, notice.n, &owner, now, LEASE).await? {
        Claim::Claimed(delivery) => {
            let outcome = Outcome::Rejected { reason };
            let message = Message { outcome: Some(&outcome), form: Form::Plain, together: 1, template: None };
            settle(app, Claimed { notice, delivery }, message, &owner).await
        }
        Claim::AlreadySent => Ok(Fate { incident, wait: None }),
        Claim::Busy { until } => Ok(Fate { incident, wait: Some(until.since(now)) }),
    }
}

/// Records that a notice ends because its destination was deleted, which is nobody's failure. A person is told elsewhere.
pub(crate) async fn drop_notice(app: &App, notice: &Notice) -> Result<(), NotifyError> {
    hand_over(app, notice, Reason::BadDestination.as_str()).await?;
    let (store, now, owner) = (&app.parts.store, app.parts.clock.now(), base62(12));
    let claim = store.claim(&notice.incident, &notice.destination, notice.n, &owner, now, LEASE).await?;
    if let Claim::Claimed(_) = claim {
        let mark = Mark {
            at: now,
            state: DeliveryState::Failed,
            outcome: Some(AttemptOutcome::Rejected),
            reason: Some(Reason::BadDestination.as_str().to_owned()),
            template: None,
        };
        store.mark(&notice.incident, &notice.destination, notice.n, &owner, mark).await?;
    }
    Ok(())
}

/// Spreads waits without a random source: the same notice always draws the same, different ones differ.
fn draw(notice: &Notice) -> u8 {
    notice.id().bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte))
}
