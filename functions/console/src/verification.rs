//! Sends what [`operations::verification`] decides: codes to addresses that members confirm, and a message to addresses
//! that were replaced.

mod letters;

use alerting::base::ids::MemberId;
use alerting::base::moment::Moment;
use alerting::people::{AddressedBy, Member};
use channels::outcome::Outcome;
use channels::registry::Destination;
use lambda_kit::random;
use operations::addresses::{Directory, NoChannel};
use operations::verification::{self, Noun};

use crate::app::App;
use crate::error::ApiError;
use crate::verification::letters::Text;

/// Sends a code to the member's address in the name of `who`; returns how long the code is valid. `base`: the address
/// of the console, for the link to the account.
pub(crate) async fn send_code(
    app: &App,
    id: &MemberId,
    by: AddressedBy,
    who: &str,
    base: &str,
) -> Result<Moment, ApiError> {
    let directory = directory(app);
    let (member, address) = verification::to_confirm(directory, id, by).await?;
    let channel = channel_to(app, by, &address).await?;
    let begun = verification::begin(directory, &member, by, &address).await?;
    let letter = letters::code(member.language, &begun.digits, who, base);
    let sent = post(app, &channel, &letter, directory.now).await;
    sent.map_err(|why| ApiError::conflict(format!("the code could not be sent: {why}")))?;
    Ok(begun.until)
}

/// Verifies the member's address if `text` is the code that was sent there. A replaced address is informed in the name
/// of `who`.
pub(crate) async fn enter_code(
    app: &App,
    id: &MemberId,
    by: AddressedBy,
    who: &str,
    text: &str,
) -> Result<Member, ApiError> {
    let (before, saved) = verification::confirm(directory(app), id, by, text).await?;
    notify_replaced(app, &before, &saved, who).await;
    Ok(saved)
}

/// Whether a code can be sent to addresses of this kind.
pub(crate) async fn can_confirm(app: &App, by: AddressedBy) -> Result<bool, ApiError> {
    Ok(directory(app).can_reach(by).await?)
}

/// Informs the verified addresses of a member that were replaced, because replacing them is the first step of an
/// account takeover. A failure is logged and changes nothing else.
pub(crate) async fn notify_replaced(app: &App, before: &Member, after: &Member, who: &str) {
    for by in AddressedBy::ALL {
        let Some(old) = before.verified_address(by).filter(|old| after.address(by) != Some(old)) else { continue };
        let now = app.clock.now();
        let sent = match channel_to(app, by, old).await {
            Ok(channel) => post(app, &channel, &letters::changed(before, by, who, now), now).await,
            Err(ApiError::Internal(error)) => {
                tracing::error!(
                    error = &*error as &dyn std::error::Error,
                    "the channel to an old address was not found"
                );
                continue;
            }
            Err(error) => Err(error.sentence()),
        };
        match sent {
            Ok(()) => {
                tracing::info!(member.id = %before.id, field = by.as_str(), "the old address was notified of the new");
            }
            Err(_) => {
                tracing::warn!(member.id = %before.id, field = by.as_str(), "the old address could not be notified of the new");
            }
        }
    }
}

/// The services by which addresses of members are looked up.
pub(crate) fn directory(app: &App) -> Directory<'_> {
    Directory { store: &app.store, sealer: &app.sealer, now: app.clock.now() }
}

async fn channel_to(app: &App, by: AddressedBy, address: &str) -> Result<Destination, ApiError> {
    let channel = directory(app).channel_to(by, address).await;
    channel.map_err(|error| match error {
        NoChannel::None => ApiError::conflict(format!("no channel for {}s is configured", Noun(by))),
        NoChannel::NotConfigured(_) => ApiError::conflict(error.to_string()),
        NoChannel::Settings(error) => error.into(),
        NoChannel::Address(error) => error.into(),
    })
}

/// Sends the text once. The error is the provider's answer.
async fn post(app: &App, channel: &Destination, text: &Text, now: Moment) -> Result<(), String> {
    let id = random::base62(16);
    let Some(request) = channel.letter(&text.letter(&id), now) else {
        return Err(format!("`{}` cannot carry it", channel.name()));
    };
    let sent = app.deliverer.send(channel, request, None).await;
    match sent.outcome {
        Outcome::Delivered { .. } | Outcome::Accepted { .. } => Ok(()),
        Outcome::Retry { reason, .. } | Outcome::Rejected { reason } => {
            Err(format!("{} ({})", sent.provider.message, reason.as_str()))
        }
    }
}
