//! Numbers the messages that this process receives, by hour.

use std::collections::HashMap;
use std::sync::Mutex;

use alerting::base::moment::Moment;
use alerting::rules::message::Origin;
use lambda_kit::random;

/// How many messages this process has received, by hour: the source of the ledger's count of received messages.
///
/// If a send fails, the message may be in the queue all the same. Its number therefore stays taken, but the message
/// does not count as queued.
#[derive(Debug)]
pub struct RunningCount {
    process: String,
    hours: Mutex<HashMap<Moment, Hour>>,
}

#[derive(Debug, Default)]
struct Hour {
    given: u64,
    queued: u64,
}

impl RunningCount {
    pub fn new() -> Self {
        Self { process: random::base62(10), hours: Mutex::default() }
    }

    pub(crate) fn take(&self, hour: Moment) -> Origin {
        let mut hours = self.hours.lock().expect("nothing panics while it holds the counts");
        // No more messages are received for an earlier hour.
        hours.retain(|known, _| *known >= hour);
        let known = hours.entry(hour).or_default();
        known.given += 1;
        Origin::new(self.process.clone(), known.given, known.queued + 1)
    }

    pub(crate) fn is_queued(&self, hour: Moment) {
        let mut hours = self.hours.lock().expect("nothing panics while it holds the counts");
        if let Some(known) = hours.get_mut(&hour) {
            known.queued += 1;
        }
    }
}

impl Default for RunningCount {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hour_counts_from_one() {
        let counts = RunningCount::new();
        let take = |hours: i64| counts.take(Moment::from_secs(hours * 3600)).count;
        assert_eq!([take(1), take(1), take(2), take(2), take(3)], [1, 2, 1, 2, 1]);
    }
}
