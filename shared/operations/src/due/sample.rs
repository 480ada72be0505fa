//! An incident for tests of decisions.

use alerting::base::ids::{AlertId, IncidentId, IntegrationId, SpaceId, Stamp};
use alerting::base::moment::Moment;
use alerting::base::severity::Severity;
use alerting::incident::apply::{Change, apply};
use alerting::incident::change_result::ChangeResult;
use alerting::incident::source::{SourceChange, SourceKind};
use alerting::incident::{Incident, Linked};

/// An incident triggered at second 1, with an alert for each entry, which says whether the alert is open.
pub(crate) fn incident(alerts: &[bool]) -> Incident {
    let space: SpaceId = "spc_a".parse().expect("valid");
    let stamp = |n: usize| Stamp::from_parts(Moment::from_secs(1), n as u128);
    let trigger = Change::Source(SourceChange {
        incident: IncidentId::of(&space, stamp(0)),
        alert: alert(0),
        opened_by: stamp(0),
        space,
        alert_n: 1,
        kind: SourceKind::Trigger,
        title: "disk full".to_owned(),
        severity: Severity::Warning,
        hold: None,
        flapping: false,
        storm_thresholds: Vec::new(),
    });
    let Ok(ChangeResult::Changed(incident, _)) = apply(None, &trigger, None, Moment::from_secs(1)) else {
        panic!("a trigger makes an incident");
    };
    let linked = |(n, is_open): (usize, &bool)| Linked { alert: alert(n), n: 1, is_open: *is_open };
    Incident { alerts: alerts.iter().enumerate().map(linked).collect(), ..incident }
}

pub(crate) fn alert(n: usize) -> AlertId {
    let integration: IntegrationId = "int_a".parse().expect("valid");
    AlertId::of(&integration, Stamp::from_parts(Moment::from_secs(1), n as u128))
}
