//! Whether an address is a member's own: a one-time code is sent there, and has to come back.
//!
//! The rules are [`alerting::people::code`]'s, and counting is the store's. The code itself is kept nowhere: what is stored is its
//! hash under the data key, together with the member and the address, so that it is worth nothing for another one.

mod letters;

use alerting::base::ids::MemberId;
use alerting::base::moment::Moment;
use alerting::people::code::{Code, Entered};
use alerting::people::{AddressedBy, Member, Verified};
use channels::outcome::Outcome;
use channels::registry::Destination;
use lambda_kit::random;
use store::codes::Guess;
use store::config::Expect;

use crate::app::App;
use crate::error::ApiError;
use crate::saved::{member as found, save_over};
use crate::test_notice::provider;
use crate::verification::letters::Text;

const DIGITS: usize = 6;

/// Sends a code to the member's address, for `who`; how long it works. `base`: where the member's account is.
pub(crate) async fn send_code(
    app: &App,
    id: &MemberId,
    by: AddressedBy,
    who: &str,
    base: &str,
) -> Result<Moment, ApiError> {
    let member = found(app, id).await?;
    let address = to_confirm(&member, by)?;
    let way = way(app, by, address).await?;
    let now = app.clock.now();
    if let Err(after) = app.store.take_code(id, address, now).await? {
        let message = "too many codes were sent; wait, and look for those that are on their way".to_owned();
        return Err(ApiError::TooMany { after, message });
    }
    let digits = random::digits(DIGITS);
    let code = Code::new(hash(app, &member, by, address, &digits).await?, now);
    app.store.begin_code(id, by, &code, now).await?;
    let sent = post(app, &way, &letters::code(member.language, &digits, who, base), now).await;
    sent.map_err(|why| ApiError::conflict(format!("the code could not be sent: {why}")))?;
    Ok(code.until)
}

/// The member, whose address is verified if `text` is the code that was sent there.
///
/// A new address takes the place of the old one, which is informed of it in the name of `who`.
pub(crate) async fn enter_code(
    app: &App,
    id: &MemberId,
    by: AddressedBy,
    who: &str,
    text: &str,
) -> Result<Member, ApiError> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ApiError::invalid("code", format!("expected the {DIGITS} digits of the code")));
    }
    let member = found(app, id).await?;
    if member.verified(by).is_some() && member.pending(by).is_none() {
        return Ok(member); // pressed twice
    }
    let address = to_confirm(&member, by)?;
    let now = app.clock.now();
    let hash = hash(app, &member, by, address, &digits).await?;
    match app.store.enter_code(id, by, &hash, now).await? {
        Guess::Judged(Entered::Right) => {}
        Guess::Judged(Entered::Wrong(left)) => return Err(ApiError::invalid("code", wrong(left))),
        Guess::Void(void) => return Err(ApiError::conflict(void.to_string())),
        Guess::NoneSent => return Err(ApiError::conflict("no code was sent to this address; have one sent first")),
    }
    let verified = Verified { at: now, vouched_by: None };
    let saved = save_over(|| async {
        let before = found(app, id).await?;
        if before.to_confirm(by) != Some(address) {
            return Err(ApiError::conflict("the address was changed meanwhile; have a code sent to the new one"));
        }
        let (expect, mut after) = (Expect::Version(before.version), before.clone());
        after.set_address(by, Some(address.to_owned()));
        after.set_verified(by, Some(verified.clone()));
        after.set_pending(by, None);
        Ok(app.store.members().put(&after, expect).await.map(|saved| (before, saved)))
    });
    let (before, saved) = saved.await?;
    tell_old(app, &before, &saved, who).await;
    Ok(saved)
}

/// Whether a code can be sent to addresses of this kind.
pub(crate) async fn can_confirm(app: &App, by: AddressedBy) -> Result<bool, ApiError> {
    let Some(channel) = channel_to(by) else { return Ok(false) };
    Ok(!Destination::needs_provider(channel) || provider(app, channel).await?.is_some())
}

/// Tells addresses that were a member's own that they are not any more: whoever took an account over would begin by
/// this. That it cannot be told stops nothing, but is logged.
pub(crate) async fn tell_old(app: &App, before: &Member, after: &Member, who: &str) {
    for by in AddressedBy::ALL {
        let Some(old) = before.verified_address(by).filter(|old| after.address(by) != Some(old)) else { continue };
        let now = app.clock.now();
        let told = match way(app, by, old).await {
            Ok(way) => post(app, &way, &letters::changed(before, by, who, now), now).await,
            Err(ApiError::Internal(error)) => {
                tracing::error!(error = &*error as &dyn std::error::Error, "the way to an old address was not found");
                continue;
            }
            Err(error) => Err(error.sentence()),
        };
        match told {
            Ok(()) => {
                tracing::info!(member.id = %before.id, field = by.as_str(), "the old address was told of the new")
            }
            Err(_) => {
                tracing::warn!(member.id = %before.id, field = by.as_str(), "the old address could not be notified of the new");
            }
        }
    }
}

/// The channel by which something is sent to such an address, if there is one.
pub(crate) fn channel_to(by: AddressedBy) -> Option<&'static str> {
    Destination::channels_of(by.confirmed_by()).next()
}

/// How to send something to such an address.
async fn way(app: &App, by: AddressedBy, address: &str) -> Result<Destination, ApiError> {
    let Some(channel) = channel_to(by) else {
        return Err(ApiError::conflict(format!("no channel for {}s is configured", noun(by))));
    };
    let provider = provider(app, channel).await?;
    if provider.is_none() && Destination::needs_provider(channel) {
        let message = format!("`{channel}` has no provider in this deployment; an administrator has to configure it");
        return Err(ApiError::conflict(message));
    }
    Ok(Destination::parse(channel, &Destination::settings_to(address), provider.as_ref())?)
}

/// Sends once. The error is the provider's own words.
async fn post(app: &App, way: &Destination, text: &Text, now: Moment) -> Result<(), String> {
    let id = random::base62(16);
    let Some(request) = way.letter(&text.letter(&id), now) else {
        return Err(format!("`{}` cannot carry it", way.name()));
    };
    let sent = app.deliverer.send(way, request, None).await;
    match sent.outcome {
        Outcome::Delivered { .. } | Outcome::Accepted { .. } => Ok(()),
        Outcome::Retry { reason, .. } | Outcome::Rejected { reason } => {
            Err(format!("{} ({})", sent.provider.message, reason.as_str()))
        }
    }
}

/// The address that a code is for.
fn to_confirm(member: &Member, by: AddressedBy) -> Result<&str, ApiError> {
    if let Some(address) = member.to_confirm(by) {
        return Ok(address);
    }
    Err(match member.address(by) {
        Some(_) => ApiError::conflict(format!("the {} is verified already", noun(by))),
        None => ApiError::invalid("field", format!("the member has no {}; give one first", noun(by))),
    })
}

async fn hash(app: &App, member: &Member, by: AddressedBy, address: &str, code: &str) -> Result<String, ApiError> {
    Ok(app.sealer.keyed_hash(&["one-time code", member.id.as_str(), by.as_str(), address, code]).await?)
}

fn wrong(left: u32) -> String {
    match left {
        0 => "that is not the code, and no try is left; have a new one sent".to_owned(),
        1 => "that is not the code; one try is left".to_owned(),
        left => format!("that is not the code; {left} tries are left"),
    }
}

const fn noun(by: AddressedBy) -> &'static str {
    match by {
        AddressedBy::Email => "email address",
        AddressedBy::Phone => "phone number",
    }
}
