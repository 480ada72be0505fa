//! Sends private answers to chat users. An answer is of use for a short time only: one that fails is logged and
//! forgotten.

use std::time::Duration;

use alerting::incident::notice::Say;
use channels::outcome::{Outcome, Reason};
use channels::post::Letter;
use lambda_kit::sqs_batch::Disposition;
use store::rates::Permit;

use crate::app::App;
use crate::error::NotifyError;
use crate::later::IN_QUEUE;
use crate::requests::{self, Change};

pub(crate) async fn say(app: &App, say: &Say) -> Result<Disposition, NotifyError> {
    let address = match app.addresses.of_chat(app.directory(), say).await? {
        Ok(address) => address,
        Err(none) => {
            tracing::warn!(account.id = %say.account, ?none, "a chat user got no answer, because the account cannot be used");
            return Ok(Disposition::Done);
        }
    };
    let now = app.parts.clock.now();
    // A chat's first line is no heading, so the answer has none.
    let letter = Letter { id: &say.id, subject: "", text: &say.text };
    let Some(request) = address.channel.letter(&letter, now) else { return Ok(Disposition::Done) };
    if let Permit::Wait(wait) = requests::take_permits(app, &address, Change::New, now).await? {
        return Ok(put_off(say, wait));
    }
    let outcome = requests::send(app, &address, request).await?.outcome;
    Ok(match outcome {
        Outcome::Delivered { .. } | Outcome::Accepted { .. } => Disposition::Done,
        Outcome::Retry { after: Some(wait), reason: Reason::RateLimited } => put_off(say, wait),
        // The record must not come back until it is a dead letter.
        Outcome::Retry { reason, .. } | Outcome::Rejected { reason } => {
            tracing::warn!(account.id = %say.account, reason = reason.as_str(), "a chat user got no answer");
            Disposition::Done
        }
    })
}

fn put_off(say: &Say, wait: Duration) -> Disposition {
    if wait <= IN_QUEUE {
        return Disposition::Retry { after: Some(wait) };
    }
    tracing::warn!(account.id = %say.account, "a chat user got no answer, because the vendor is too busy");
    Disposition::Done
}
