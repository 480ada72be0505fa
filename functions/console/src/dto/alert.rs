//! Alerts as they are told.

use std::collections::BTreeMap;

use alerting::alert::{Alert, Status};
use alerting::ids::{AlertId, IncidentId, IntegrationId};
use alerting::severity::Severity;
use serde::Serialize;
use utoipa::ToSchema;

use super::Time;
use super::schema::{SeverityShape, StatusShape};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Alert)]
pub(crate) struct AlertView {
    #[schema(value_type = String)]
    id: AlertId,
    #[schema(value_type = String, example = "int_4fJk2LmNpQ")]
    integration: IntegrationId,
    /// `null` in the mode "each message".
    #[schema(required)]
    alert_key: Option<String>,
    title: String,
    description: String,
    #[schema(value_type = SeverityShape)]
    severity: Severity,
    #[schema(value_type = StatusShape)]
    status: Status,
    /// Messages that triggered or updated it.
    count: u64,
    labels: BTreeMap<String, String>,
    triggered_at: Time,
    updated_at: Time,
    #[schema(required)]
    closed_at: Option<Time>,
    /// One in each space that it was routed to.
    #[schema(value_type = Vec<String>)]
    incidents: Vec<IncidentId>,
}

impl From<Alert> for AlertView {
    fn from(alert: Alert) -> Self {
        let incidents = alert.spaces.iter().map(|space| IncidentId::of(space, alert.opened_by)).collect();
        Self {
            triggered_at: Time(alert.opened_by.received_at()),
            updated_at: Time(alert.updated_at),
            closed_at: alert.closed_at.map(Time),
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
