//! The ledger: per hour of receipt, the result of every message and of every notice.

use serde::Serialize;
use store::ledger::{LedgerHour, Messages, Notices};
use utoipa::ToSchema;

use crate::dto::Time;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerHour)]
pub(crate) struct LedgerView {
    hour: Time,
    messages: MessagesView,
    notices: NoticesView,
    /// Whether everything is accounted for, or the hour is too recent to tell.
    balanced: bool,
}

/// `received` is counted by the intake; it equals the sum of the others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerMessages)]
struct MessagesView {
    received: u64,
    waiting: i64,
    refused: u64,
    discarded: u64,
    superseded: u64,
    updated: u64,
    triggered: u64,
    recovered: u64,
}

/// `created` equals the sum of the others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerNotices)]
struct NoticesView {
    created: u64,
    delivered: u64,
    folded: u64,
    /// Taken by the provider, not confirmed yet.
    accepted: u64,
    failed: u64,
    pending: u64,
}

impl From<LedgerHour> for LedgerView {
    fn from(ledger: LedgerHour) -> Self {
        let LedgerHour { hour, messages, notices, balanced } = ledger;
        let Messages { received, waiting, refused, discarded, superseded, updated, triggered, recovered } = messages;
        let messages =
            MessagesView { received, waiting, refused, discarded, superseded, updated, triggered, recovered };
        let Notices { created, delivered, folded, accepted, failed, pending } = notices;
        let notices = NoticesView { created, delivered, folded, accepted, failed, pending };
        Self { hour: Time(hour), messages, notices, balanced }
    }
}
