//! What a pressed button of a card does: finds the card and the member, and acts on the incident as that member.
//!
//! In: the account whose callback the vendor signed, and what it says ([`Pressed`]). Out: the incident as it then is, or
//! why nothing was done ([`NotDone`]). Example: Ada, who is linked to the Slack user `U1`, presses "Acknowledge" → the
//! incident is acknowledged by Ada.
//!
//! The value of the button gives no authority. The card has to be one that was sent to a destination of the same account
//! for the same incident, and the user has to be linked to a member whose role allows the action.

use std::time::Duration;

use alerting::base::actor::{NamedActor, Via};
use alerting::base::ids::DestinationId;
use alerting::incident::Incident;
use alerting::incident::action::ActionError;
use alerting::incident::card::{Act, Hours};
use alerting::incident::press::Press;
use alerting::people::Member;
use alerting::people::destination::{AppAccount, Language};
use alerting::people::medium::Medium;
use channels::callback::Pressed;
use channels::channel::ACCOUNT;
use channels::registry::Destination;
use dispatch::Dispatch;
use serde_json::Value;
use store::Store;
use store::errors::ReadError;

use crate::access::may_act;
use crate::idempotency::IdempotencyKey;
use crate::incidents::error::ActError;
use crate::incidents::requested::RequestedAction;
use crate::incidents::{ActionRequest, act};

/// Why a press changed nothing.
#[derive(Debug)]
pub enum NotDone {
    /// The button is not of a card that this deployment sent to a destination of the account.
    UnknownCard,
    /// The user is linked to no member.
    NotLinked,
    /// The member's role does not allow actions.
    Viewer,
    /// The incident does not allow the action now.
    Refused(ActionError),
    /// Another member acknowledged it: only they take it back.
    NotYours,
}

/// The result of a press, and the language in which the user is answered.
#[derive(Debug)]
pub struct PressResult {
    pub language: Language,
    pub outcome: Result<Incident, NotDone>,
}

/// Carries out the press, once for each [`Pressed::replay`].
pub async fn press(dispatch: &Dispatch, account: &AppAccount, pressed: &Pressed) -> Result<PressResult, ActError> {
    let store = &dispatch.store;
    let linked = store.member_with_link(&account.id, &pressed.user.id).await?;
    let language = linked.as_ref().map(|member| member.language);
    let not_done =
        |language: Option<Language>, why| Ok(PressResult { language: language.unwrap_or_default(), outcome: Err(why) });
    let Ok(press) = pressed.value.parse::<Press>() else { return not_done(language, NotDone::UnknownCard) };
    let Some(of_card) = language_of(dispatch, account, &press.destination).await? else {
        return not_done(language, NotDone::UnknownCard);
    };
    let language = Some(language.unwrap_or(of_card));
    if !is_card(store, &press, &pressed.receipt).await? {
        return not_done(language, NotDone::UnknownCard);
    }
    let Some(member) = linked else { return not_done(language, NotDone::NotLinked) };
    if !may_act(&member) {
        return not_done(language, NotDone::Viewer);
    }
    let request = request(account, &member, press, &pressed.replay);
    if let Some(why) = not_theirs(store, &request, &member).await? {
        return not_done(language, why);
    }
    match act(dispatch, &request).await {
        Ok(incident) => Ok(PressResult { language: member.language, outcome: Ok(incident) }),
        Err(ActError::Refused(error)) => not_done(language, NotDone::Refused(error)),
        Err(ActError::NoIncident(_)) => not_done(language, NotDone::UnknownCard),
        Err(error) => Err(error),
    }
}

fn request(account: &AppAccount, member: &Member, press: Press, replay: &str) -> ActionRequest {
    let Press { incident, episode, destination: _, act } = press;
    let action = match act {
        Act::Acknowledge => RequestedAction::Acknowledge,
        Act::Unacknowledge => RequestedAction::Unacknowledge,
        Act::Snooze(Hours(hours)) => RequestedAction::Snooze(Duration::from_secs(u64::from(hours) * 3600)),
        Act::Close => RequestedAction::Close,
    };
    let actor = NamedActor::member(member.id.clone(), &member.name, via(&account.channel));
    // A replay id that cannot be a key makes the press depend on the present state alone.
    let key = IdempotencyKey::new("replay", &format!("{}.{replay}", account.id)).ok();
    ActionRequest { incident, episode: Some(episode), action, actor, key }
}

fn via(channel: &str) -> Via {
    match Destination::medium(channel) {
        Some(Medium::Feishu) => Via::Feishu,
        Some(Medium::DingTalk) => Via::DingTalk,
        Some(Medium::WeCom) => Via::WeCom,
        Some(Medium::Teams) => Via::Teams,
        Some(Medium::Slack | Medium::Email | Medium::Sms | Medium::Voice) | None => Via::Slack,
    }
}

/// The language of the destination. `None`: it is not one of the account.
async fn language_of(
    dispatch: &Dispatch,
    account: &AppAccount,
    id: &DestinationId,
) -> Result<Option<Language>, ReadError> {
    let now = dispatch.clock.now();
    if let Some((medium, member)) = id.member() {
        let serves = Destination::medium(&account.channel).is_some_and(|served| served.as_str() == medium);
        let member = dispatch.store.cached_member(&member, now).await?.filter(|_| serves);
        let linked = member.filter(|member| member.links.iter().any(|link| link.account == account.id));
        return Ok(linked.map(|member| member.language));
    }
    let stored = dispatch.store.cached_destination(id, now).await?;
    let stored = stored.filter(|stored| stored.channel == account.channel);
    let is_of = |shown: Option<&Value>| shown.and_then(Value::as_str) == Some(account.id.as_str());
    Ok(stored.filter(|stored| is_of(stored.shown.get(ACCOUNT))).map(|stored| stored.language))
}

/// Whether the message shows this incident at this destination. A message whose process died before it was recorded is
/// taken for a card if the destination has a record of the incident: the vendor's signature says that the app sent it.
async fn is_card(store: &Store, press: &Press, receipt: &str) -> Result<bool, ReadError> {
    let Some(delivery) = store.delivery(&press.incident, &press.destination).await? else { return Ok(false) };
    Ok(delivery.cards.is_empty() || delivery.cards.iter().any(|card| card.receipt == receipt))
}

/// Why the member may not take the acknowledgement back, if so.
async fn not_theirs(store: &Store, request: &ActionRequest, member: &Member) -> Result<Option<NotDone>, ReadError> {
    if request.action != RequestedAction::Unacknowledge {
        return Ok(None);
    }
    let Some(incident) = store.incident(&request.incident).await? else { return Ok(Some(NotDone::UnknownCard)) };
    let by = &incident.acknowledged_by;
    let is_theirs = by.is_empty() || by.iter().any(|id| id == member.id.as_str());
    Ok((!is_theirs).then_some(NotDone::NotYours))
}
