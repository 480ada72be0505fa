//! Folds the notices of a digest into at most one line per incident.

use alerting::incident::notice::Notice;

/// Keeps the newest notice of each incident, so an incident that opened and closed while it waited is one line. Oldest
/// incidents first.
pub(crate) fn fold(notices: &[Notice]) -> Vec<Notice> {
    let mut folded: Vec<Notice> = Vec::new();
    for notice in notices {
        match folded.iter_mut().find(|kept| kept.incident == notice.incident) {
            Some(kept) if kept.n < notice.n => *kept = notice.clone(),
            Some(_) => {}
            None => folded.push(notice.clone()),
        }
    }
    folded
}

#[cfg(test)]
pub(crate) mod tests {
    use alerting::base::moment::Moment;
    use alerting::base::severity::Severity;
    use alerting::incident::Progress;
    use alerting::incident::timeline::EntryKind;

    use super::*;

    pub(crate) fn notice(incident: &str, n: u64) -> Notice {
        Notice {
            destination: "dst_a".parse().expect("valid"),
            n,
            kind: if n == 1 { EntryKind::Triggered } else { EntryKind::Recovered },
            at: Moment::from_secs(1),
            actor: "source".to_owned(),
            by: None,
            incident: incident.parse().expect("valid"),
            num: "ABC123".to_owned(),
            space: "spc_a".parse().expect("valid"),
            space_name: "Ops".to_owned(),
            title: "disk full".to_owned(),
            description: String::new(),
            severity: Severity::Warning,
            progress: Progress::Triggered,
            episode: 0,
            triggered_at: Moment::from_secs(1),
            closed_at: None,
            labels: Default::default(),
            integration_name: "a platform".to_owned(),
            alert_count: 1,
            rule: None,
            level: None,
            flapping: false,
            person: None,
            assigned: Vec::new(),
            mentions: Vec::new(),
        }
    }

    #[test]
    fn opened_and_closed_before_its_turn_is_one_line_the_newest_in_the_place_of_the_oldest() {
        let notices = [notice("inc_a", 1), notice("inc_b", 1), notice("inc_a", 2), notice("inc_b", 1)];
        let folded: Vec<_> = fold(&notices).into_iter().map(|line| (line.incident.to_string(), line.n)).collect();
        assert_eq!(folded, [("inc_a".to_owned(), 2), ("inc_b".to_owned(), 1)]);
    }
}
