//! Alerts as the API shows them.

use std::collections::BTreeMap;

use alerting::base::ids::{AlertId, IncidentId, IntegrationId, Stamp};
use alerting::base::severity::Severity;
use alerting::incident::alert::{Alert, ClosingMessage, Status};
use serde::Serialize;
use utoipa::ToSchema;

use super::Time;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Alert)]
pub(crate) struct AlertView {
    id: AlertId,
    integration: IntegrationId,
    /// `null` in the mode "each message".
    #[schema(required)]
    alert_key: Option<String>,
    title: String,
    description: String,
    severity: Severity,
    status: Status,
    /// Messages that triggered or updated it.
    count: u64,
    labels: BTreeMap<String, String>,
    triggered_at: Time,
    updated_at: Time,
    #[schema(required)]
    closed_at: Option<Time>,
    /// The message that closed it, `null` if none did: a close changes the status and nothing else of an alert.
    #[schema(required)]
    closing_message: Option<ClosingMessageView>,
    /// One in each space that it was routed to.
    incidents: Vec<IncidentId>,
}

/// A message that closed an alert, as it was received.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClosingMessage)]
pub(crate) struct ClosingMessageView {
    id: Stamp,
    received_at: Time,
    title: String,
    content: String,
}

impl From<ClosingMessage> for ClosingMessageView {
    fn from(message: ClosingMessage) -> Self {
        let ClosingMessage { stamp, title, text } = message;
        Self { id: stamp, received_at: Time(stamp.received_at()), title, content: text }
    }
}

impl From<Alert> for AlertView {
    fn from(alert: Alert) -> Self {
        let incidents = alert.spaces.iter().map(|space| IncidentId::of(space, alert.opened_by)).collect();
        Self {
            triggered_at: Time(alert.opened_by.received_at()),
            updated_at: Time(alert.updated_at),
            closed_at: alert.closed_at.map(Time),
            closing_message: alert.closing.map(ClosingMessageView::from),
            id: alert.id,
            integration: alert.integration,
            alert_key: alert.alert_key,
            title: alert.title,
            description: alert.description,
            severity: alert.severity,
            status: alert.status,
            count: alert.count,
            labels: alert.labels,
            incidents,
        }
    }
}
