//! Sends one message about one or several incidents, and records the result for each.

use operations::addresses::Address;
use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::incident::card::{self, Card};
use alerting::incident::notice::Notice;
use alerting::incident::timeline::EntryKind;
use channels::channel::Kind;
use channels::content::Failure;
use channels::fit::RenderError;
use channels::outcome::{Outcome, Reason};
use channels::post::{Form, Post};
use channels::request::Request;
use futures::{StreamExt as _, stream};
use lambda_kit::random::base62;
use store::deliveries::{AttemptOutcome, Claim, DeliveryState, Mark};

use crate::app::App;
use crate::error::NotifyError;
use crate::links::MessageLinks;
use crate::requests::{self, Change};
use crate::settle::{Claimed, Message, Settled, hand_over, settle};

/// The lease of a claim: longer than the function may run, shorter than a record stays invisible.
const LEASE: Duration = Duration::from_secs(45);
/// Claims and marks of one message that are written at the same time.
const CONCURRENT_WRITES: usize = 16;
/// The longest block of a destination that throttled a notice without naming a time. Each notice has its own schedule
/// of retries; the block keeps new notices from being sent to a throttled destination meanwhile.
const BLOCK: Duration = Duration::from_secs(60);

/// The content of one message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sending<'a> {
    /// One notice per incident.
    pub(crate) notices: &'a [Notice],
    /// When a person requested that it is sent again. Such a notice is always a message of its own.
    pub(crate) asked: Option<Moment>,
}

/// Sends one message for the notices, one line per incident. The caller has taken the permit of the destination's rate
/// already.
pub(crate) async fn send(app: &App, address: &Address, sending: Sending<'_>) -> Result<Vec<Settled>, NotifyError> {
    let owner = base62(12);
    let (mut claimed, mut settled) = claim(app, sending, &owner).await?;
    if claimed.is_empty() {
        return Ok(settled);
    }
    let behind = claimed.split_off(together(&claimed));
    let notices: Vec<Notice> = claimed.iter().map(|claimed| claimed.notice.clone()).collect();
    let links = MessageLinks::of(app, address, &notices).await?;
    let template = own_template(app, address, &notices).await?;
    let picture = picture(app, address, &notices).await?;
    let post = Post {
        notices: &notices,
        links: &links,
        language: address.language,
        time_zone: &address.time_zone,
        form: if claimed.iter().any(Claimed::was_refused_rich) { Form::Plain } else { Form::Rich },
        template: template.as_deref(),
        card: picture.as_ref(),
    };
    let now = app.parts.clock.now();
    let receipt = card_to_change(&claimed, &post);
    let change = if receipt.is_some() { Change::Update } else { Change::New };
    let Tried { outcome, shown, template } = attempt(app, address, &post, receipt, now).await?;
    let message = Message {
        outcome: Some(&outcome),
        form: post.form,
        together: shown,
        template: template.as_deref(),
        can_change: address.channel.kind() == Kind::Card,
        picture: picture.as_ref().map(|picture| picture.n),
    };
    let results = stream::iter(claimed.into_iter().chain(behind).enumerate())
        .map(|(index, claimed)| {
            let outcome = message.outcome.filter(|_| index < shown);
            settle(app, claimed, Message { outcome, ..message }, &owner)
        })
        .buffered(CONCURRENT_WRITES)
        .collect::<Vec<_>>()
        .await;
    for result in results {
        settled.push(result?);
    }
    if let Outcome::Retry { after, reason: Reason::RateLimited } = &outcome {
        let longest = settled.iter().filter_map(|settled| settled.wait).max().unwrap_or(BLOCK);
        requests::block(app, address, change, now + after.unwrap_or(longest.min(BLOCK))).await?;
    }
    Ok(settled)
}

/// One request and its outcome.
struct Tried {
    outcome: Outcome,
    /// How many notices the message showed.
    shown: usize,
    /// Why the escalation rule's template was not used.
    template: Option<String>,
}

/// The present incident of a single notice, for a channel that shows it as a card. It is read after the claim: a later
/// change finds the delivery and redraws the card.
async fn picture(app: &App, address: &Address, notices: &[Notice]) -> Result<Option<Card>, NotifyError> {
    let ([notice], Kind::Card) = (notices, address.channel.kind()) else { return Ok(None) };
    let incident = app.parts.store.incident(&notice.incident).await?;
    Ok(incident.as_ref().map(card::of))
}

/// The receipt of the card that a notice changes instead of sending a message. A change that asks nobody to act updates
/// the card silently.
fn card_to_change<'c>(claimed: &'c [Claimed], post: &Post<'_>) -> Option<&'c str> {
    let ([claimed], Some(_)) = (claimed, post.card) else { return None };
    let is_quiet = matches!(claimed.notice.kind, EntryKind::Acknowledged | EntryKind::Closed | EntryKind::Recovered);
    let newest = claimed.delivery.cards.first().filter(|card| card.live && is_quiet && claimed.asked.is_none());
    newest.map(|card| card.receipt.as_str())
}

/// Updates the card of this receipt if there is one and it can still be changed; otherwise sends a message.
async fn attempt(
    app: &App,
    address: &Address,
    post: &Post<'_>,
    receipt: Option<&str>,
    now: Moment,
) -> Result<Tried, NotifyError> {
    if let Some(update) = receipt.and_then(|receipt| address.channel.update(post, receipt, now)) {
        requests::count_update(app, address, now).await?;
        let tried = request(app, address, post, update).await?;
        if tried.outcome != (Outcome::Rejected { reason: Reason::CardGone }) {
            return Ok(tried);
        }
    }
    request(app, address, post, address.channel.request(post, now)).await
}

async fn request(
    app: &App,
    address: &Address,
    post: &Post<'_>,
    request: Result<Request, RenderError>,
) -> Result<Tried, NotifyError> {
    let request = match request {
        Ok(request) => request,
        Err(error) => {
            tracing::error!(%error, destination.id = %address.id, "a message could not be laid out");
            let outcome = Outcome::Rejected { reason: Reason::TooLarge };
            return Ok(Tried { outcome, shown: post.notices.len(), template: None });
        }
    };
    let (shown, template) = (request.shown, request.template.as_ref().map(Failure::to_string));
    let sent = requests::send(app, address, request).await?;
    let outcome = match sent.moved {
        Some(moved) if app.directory().move_destination(&address.id, &moved).await? => {
            Outcome::Retry { after: None, reason: Reason::Moved }
        }
        _ => sent.outcome,
    };
    Ok(Tried { outcome, shown, template })
}

async fn claim(app: &App, sending: Sending<'_>, owner: &str) -> Result<(Vec<Claimed>, Vec<Settled>), NotifyError> {
    let claims = stream::iter(sending.notices.to_vec())
        .map(|notice| async move {
            let claim = claim_one(app, &notice, sending.asked, owner).await;
            (notice, claim)
        })
        .buffered(CONCURRENT_WRITES)
        .collect::<Vec<_>>()
        .await;
    let (mut claimed, mut settled) = (Vec::new(), Vec::new());
    for (notice, claim) in claims {
        let incident = notice.incident.clone();
        match claim? {
            Claim::Claimed(delivery) => claimed.push(Claimed { notice, delivery, asked: sending.asked }),
            Claim::AlreadySent => settled.push(Settled { incident, wait: None }),
            Claim::Busy { until } => {
                settled.push(Settled { incident, wait: Some(until.since(app.parts.clock.now())) });
            }
        }
    }
    Ok((claimed, settled))
}

async fn claim_one(app: &App, notice: &Notice, asked: Option<Moment>, owner: &str) -> Result<Claim, NotifyError> {
    let (store, now) = (&app.parts.store, app.parts.clock.now());
    let Notice { incident, destination, n, .. } = notice;
    Ok(match asked {
        None => store.claim(incident, destination, *n, owner, now, LEASE).await?,
        Some(asked) => store.claim_again(incident, destination, *n, asked, owner, now, LEASE).await?,
    })
}

/// How many of the claimed notices, counted from the first, one message may hold.
fn together(claimed: &[Claimed]) -> usize {
    let mut room = usize::MAX;
    let fits = claimed.iter().enumerate().take_while(|(index, claimed)| {
        room = room.min(claimed.room());
        *index < room.max(1)
    });
    fits.count()
}

/// The template of the escalation rule, for a message about a single notice. `None` if the rule has no template or was
/// deleted.
async fn own_template(app: &App, address: &Address, notices: &[Notice]) -> Result<Option<String>, NotifyError> {
    let [Notice { rule: Some(rule), space, .. }] = notices else { return Ok(None) };
    let space = app.parts.store.cached_space(space, app.parts.clock.now()).await?;
    let rule = space.as_ref().and_then(|space| space.escalation_rules.iter().find(|known| known.id == *rule));
    Ok(rule.and_then(|rule| rule.template(address.channel.name(), address.language)).map(str::to_owned))
}

/// Fails a notice that has no address to send to, in the same way as one that the provider rejected.
pub(crate) async fn give_up(
    app: &App,
    notice: Notice,
    asked: Option<Moment>,
    reason: Reason,
) -> Result<Settled, NotifyError> {
    let owner = base62(12);
    let incident = notice.incident.clone();
    match claim_one(app, &notice, asked, &owner).await? {
        Claim::Claimed(delivery) => {
            let outcome = Outcome::Rejected { reason };
            let message = Message {
                outcome: Some(&outcome),
                form: Form::Plain,
                together: 1,
                template: None,
                can_change: false,
                picture: None,
            };
            settle(app, Claimed { notice, delivery, asked }, message, &owner).await
        }
        Claim::AlreadySent => Ok(Settled { incident, wait: None }),
        Claim::Busy { until } => Ok(Settled { incident, wait: Some(until.since(app.parts.clock.now())) }),
    }
}

/// Ends a notice whose destination was deleted. This is not a failure; a member is notified by another contact.
pub(crate) async fn drop_notice(app: &App, notice: &Notice) -> Result<(), NotifyError> {
    hand_over(app, notice, Reason::BadDestination.as_str()).await?;
    let (store, now, owner) = (&app.parts.store, app.parts.clock.now(), base62(12));
    let claim = claim_one(app, notice, None, &owner).await?;
    if let Claim::Claimed(_) = claim {
        let mark = Mark {
            at: now,
            state: DeliveryState::Failed,
            outcome: Some(AttemptOutcome::Rejected),
            reason: Some(Reason::BadDestination.as_str().to_owned()),
            template: None,
            together: 1,
            asked: None,
            cards: None,
        };
        store.mark(&notice.incident, &notice.destination, notice.n, &owner, mark).await?;
    }
    Ok(())
}
