//! Whether a notice that was given up is still worth sending.

use alerting::incident::notice::Notice;
use alerting::incident::{Incident, Progress};
use store::Store;
use store::errors::ReadError;

/// Whether the notice still describes its incident. A notice that does not is not sent late.
pub async fn is_current(store: &Store, notice: &Notice) -> Result<bool, ReadError> {
    let incident = store.incident(&notice.incident).await?;
    Ok(incident.is_some_and(|incident| is_unchanged(&incident, notice.progress, notice.episode)))
}

fn is_unchanged(incident: &Incident, progress: Progress, episode: u32) -> bool {
    incident.progress == progress
        && incident.episode == episode
        && incident.merged_into.is_none()
        && !incident.is_quiet()
}

#[cfg(test)]
mod tests {
    use alerting::base::moment::Moment;

    use super::*;
    use crate::due::sample;

    #[test]
    fn a_notice_is_sent_late_only_if_its_incident_is_unchanged() {
        let unchanged = sample::incident(&[true]);
        let rows = [
            ("unchanged", unchanged.clone(), true),
            ("closed", Incident { progress: Progress::Closed, ..unchanged.clone() }, false),
            ("reopened", Incident { episode: 1, ..unchanged.clone() }, false),
            ("merged", Incident { merged_into: Some(unchanged.id.clone()), ..unchanged.clone() }, false),
            ("snoozed", Incident { snoozed_until: Some(Moment::from_secs(9)), ..unchanged.clone() }, false),
        ];
        for (name, incident, expected) in rows {
            assert_eq!(is_unchanged(&incident, Progress::Triggered, 0), expected, "{name}");
        }
    }
}
