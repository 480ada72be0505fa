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
use crate::requests::{self, Change};

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
    if stale(&delivery.cards, &picture).is_empty() {
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

/// The places of the cards to draw: those that show an older state, and older cards that still have buttons. Only the
/// newest card offers actions, because a person who scrolls up is not to press an old button.
fn stale(cards: &[SentCard], picture: &Card) -> Vec<usize> {
    let newest = newest(cards);
    let is_stale = |place: usize, card: &SentCard| card.shown < picture.n || (card.offers && Some(place) != newest);
    let live = cards.iter().enumerate().filter(|(_, card)| card.live);
    live.filter(|(place, card)| is_stale(*place, card)).map(|(place, _)| place).collect()
}

/// The place of the newest card that can be changed. Cards are stored newest first.
fn newest(cards: &[SentCard]) -> Option<usize> {
    cards.iter().position(|card| card.live)
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
    let newest = newest(cards);
    let without_acts = Card { acts: Vec::new(), ..picture.clone() };
    for place in stale(cards, picture) {
        let offers = Some(place) == newest;
        let (card, picture) = (&mut cards[place], if offers { picture } else { &without_acts });
        if let Permit::Wait(after) = requests::take_permits(app, address, Change::Update, now).await? {
            undrawn.wait = Some(after);
            break;
        }
        match draw(app, address, incident, picture, card, now).await? {
            Drawn::Shown => (card.shown, card.offers) = (picture.n, offers),
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
            requests::block(app, address, Change::Update, now + after).await?;
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

#[cfg(test)]
mod tests {
    use alerting::base::severity::Severity;
    use alerting::incident::card::State;

    use super::*;

    #[test]
    fn cards_of_an_older_state_and_older_cards_with_buttons_are_drawn() {
        let at = Moment::from_secs(1);
        let card = |shown, live, offers| SentCard { n: 1, shown, receipt: "m".to_owned(), at, live, offers };
        let picture = Card {
            state: State::Triggered,
            severity: Severity::Info,
            acts: Vec::new(),
            by: None,
            until: None,
            n: 7,
            episode: 0,
        };
        let rows: [(&[SentCard], &[usize]); 6] = [
            (&[], &[]),
            (&[card(7, true, true)], &[]),
            (&[card(6, true, true)], &[0]),
            (&[card(7, true, true), card(7, true, true), card(7, true, false)], &[1]),
            (&[card(7, true, true), card(6, true, false), card(6, false, true)], &[1]),
            // The newest one cannot be changed, so the next one keeps its buttons.
            (&[card(5, false, true), card(7, true, true), card(7, true, true)], &[2]),
        ];
        for (cards, expected) in rows {
            assert_eq!(stale(cards, &picture), expected, "{cards:?}");
        }
    }
}
