//! Redraws the cards of an incident at one destination, so that each card that can still be changed shows the present
//! state.
//!
//! The incident is read after the delivery. A change that is written later queues a refresh or a notice of its own
//! behind this one. A refresh never delays notices: if it has to wait or fails, it leaves the queue and returns as due
//! work. A refresh is not counted in the ledger and never becomes a dead letter.

use operations::addresses::Address;
use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::card::{self, Card};
use alerting::incident::refresh::Refresh;
use alerting::incident::timer::{Timer, Work};
use channels::channel::Kind;
use channels::outcome::{Outcome, Reason};
use channels::post::{Form, Post};
use store::deliveries::cards::SentCard;
use store::rates::Permit;

use crate::app::App;
use crate::error::NotifyError;
use crate::later::set_timer;
use crate::links::MessageLinks;
use crate::requests;

/// The wait after another worker changed the delivery at the same time.
const CONTENDED: Duration = Duration::from_secs(1);

/// The result for one card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drawn {
    Shown,
    /// The card cannot be changed any more.
    Gone,
    Throttled(Duration),
    Failed,
}

pub(crate) async fn refresh(app: &App, address: &Address, refresh: &Refresh) -> Result<(), NotifyError> {
    if address.channel.kind() != Kind::Card {
        return Ok(());
    }
    let store = &app.parts.store;
    let Some(delivery) = store.delivery(&refresh.incident, &refresh.destination).await? else { return Ok(()) };
    let now = app.parts.clock.now();
    if let Some(until) = delivery.lease_until.filter(|until| *until > now) {
        // Another worker is sending a notice, or died while sending; its message may show an older state.
        return later(app, refresh.at(until)).await;
    }
    let Some(incident) = store.incident(&refresh.incident).await? else { return Ok(()) };
    let picture = card::of(&incident);
    if !delivery.cards.iter().any(|card| is_stale(card, &picture)) {
        return Ok(());
    }
    let mut cards = delivery.cards.clone();
    let Undrawn { mut wait, has_failed } = draw_all(app, address, &incident, &picture, &mut cards, now).await?;
    if cards != delivery.cards
        && !store.replace_cards(&refresh.incident, &refresh.destination, &delivery.cards, &cards).await?
    {
        wait = Some(CONTENDED);
    }
    match wait {
        Some(wait) => later(app, refresh.at(now + wait)).await,
        None if has_failed => again(app, refresh, now).await,
        None => Ok(()),
    }
}

const fn is_stale(card: &SentCard, picture: &Card) -> bool {
    card.live && card.shown < picture.n
}

/// What keeps cards from being drawn now.
#[derive(Debug, Default)]
struct Undrawn {
    /// The vendor's rate: the time until there is room for the next request.
    wait: Option<Duration>,
    has_failed: bool,
}

/// Draws the stale cards one after the other, and notes the result in each.
async fn draw_all(
    app: &App,
    address: &Address,
    incident: &Incident,
    picture: &Card,
    cards: &mut [SentCard],
    now: Moment,
) -> Result<Undrawn, NotifyError> {
    let mut undrawn = Undrawn::default();
    for card in cards.iter_mut().filter(|card| is_stale(card, picture)) {
        if let Permit::Wait(after) = requests::take_permits(app, address, now).await? {
            undrawn.wait = Some(after);
            break;
        }
        match draw(app, address, incident, picture, card, now).await? {
            Drawn::Shown => card.shown = picture.n,
            Drawn::Gone => card.live = false,
            Drawn::Throttled(after) => undrawn.wait = Some(after),
            Drawn::Failed => undrawn.has_failed = true,
        }
    }
    Ok(undrawn)
}

async fn draw(
    app: &App,
    address: &Address,
    incident: &Incident,
    picture: &Card,
    card: &SentCard,
    now: Moment,
) -> Result<Drawn, NotifyError> {
    let notice = [dispatch::newest_notice(&app.parts.store, incident, &address.id, now).await?];
    let links = MessageLinks::of(app, address, &notice).await?;
    let post = Post {
        notices: &notice,
        links: &links,
        language: address.language,
        time_zone: &address.time_zone,
        form: Form::Rich,
        template: None,
        card: Some(picture),
    };
    let request = match address.channel.update(&post, &card.receipt, now) {
        Some(Ok(request)) => request,
        Some(Err(error)) => {
            tracing::error!(%error, incident.id = %incident.id, destination.id = %address.id, "a card could not be laid out");
            return Ok(Drawn::Failed);
        }
        None => return Ok(Drawn::Gone),
    };
    Ok(match requests::send(app, address, request).await?.outcome {
        Outcome::Delivered { .. } | Outcome::Accepted { .. } => Drawn::Shown,
        Outcome::Rejected { reason: Reason::CardGone } => Drawn::Gone,
        Outcome::Retry { after, reason: Reason::RateLimited } => {
            let after = after.unwrap_or(CONTENDED);
            requests::block(app, address, now + after).await?;
            Drawn::Throttled(after)
        }
        Outcome::Retry { .. } | Outcome::Rejected { .. } => Drawn::Failed,
    })
}

async fn again(app: &App, refresh: &Refresh, now: Moment) -> Result<(), NotifyError> {
    match refresh.after_failure(now) {
        Some(next) => later(app, next).await,
        None => {
            tracing::error!(incident.id = %refresh.incident, destination.id = %refresh.destination, "a card shows an older state of its incident, and cannot be drawn again");
            Ok(())
        }
    }
}

async fn later(app: &App, refresh: Refresh) -> Result<(), NotifyError> {
    set_timer(app, &Timer::new(refresh.due, Work::Refresh(refresh))).await
}
