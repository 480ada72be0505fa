//! Numbers the messages of a process. The ledger learns the expected number of messages from these numbers alone.
//!
//! A number is taken before the send and is queued with the message, together with the number of messages that are known to be
//! in the queue by then. The first is an upper bound of the number of messages, the second a lower bound: a request that ended
//! before its send was answered (a timeout, a crash of the process) may have queued its message or not. Its sender received no
//! success, so the message may be missing, and the ledger must not wait for it.
//!
//! If a message is certainly not in the queue, its number is free again and the next message gets it. After a timeout the number
//! stays taken: if the message was queued after all, two messages would have the same number.
//!
//! The limit of this method: if a message is lost that was accepted while others of its process were in progress, the ledger
//! notices only when the process receives another one in that hour. On AWS a process has one request at a time.
//!
//! On a laptop requests run side by side, on AWS one at a time. The lock is held only while a number is counted.

use std::collections::BTreeSet;
use std::sync::Mutex;

use alerting::base::moment::Moment;
use alerting::rules::message::Origin;

/// Hours that are kept: the newest and the one before. A request takes only seconds.
const HOURS: usize = 2;

#[derive(Debug)]
pub struct Numbers {
    /// A random name of this process.
    process: String,
    hours: Mutex<Vec<Hour>>,
}

#[derive(Debug)]
struct Hour {
    at: Moment,
    last: u64,
    /// How many messages are known to be in the queue.
    queued: u64,
    /// Numbers below `last` that are free again.
    returned: BTreeSet<u64>,
}

impl Numbers {
    pub fn new(process: String) -> Self {
        Self { process, hours: Mutex::default() }
    }

    /// The smallest number that no message of the hour has.
    pub fn take(&self, hour: Moment) -> Origin {
        let next = |hour: &mut Hour| {
            hour.returned.pop_first().unwrap_or_else(|| {
                hour.last += 1;
                hour.last
            })
        };
        self.origin(hour, 1, next)
    }

    /// Takes `times` numbers in a row that no message of the hour has; returns the last of them.
    pub fn take_many(&self, hour: Moment, times: u64) -> Origin {
        let next = |hour: &mut Hour| {
            hour.last += times;
            hour.last
        };
        self.origin(hour, times, next)
    }

    fn origin(&self, at: Moment, times: u64, next: impl Fn(&mut Hour) -> u64) -> Origin {
        let mut hours = self.hours.lock().expect("nothing panics while it holds the numbers");
        let known = hours.iter().position(|known| known.at == at).unwrap_or_else(|| {
            if hours.len() == HOURS {
                hours.remove(0);
            }
            hours.push(Hour { at, last: 0, queued: 0, returned: BTreeSet::new() });
            hours.len() - 1
        });
        let hour = &mut hours[known];
        let count = next(hour);
        // The record is in the queue when its number is read, so it counts as queued.
        Origin::new(self.process.clone(), count, hour.queued + times)
    }

    /// Counts `times` more messages of the hour as queued.
    pub fn are_queued(&self, hour: Moment, times: u64) {
        let mut hours = self.hours.lock().expect("nothing panics while it holds the numbers");
        if let Some(known) = hours.iter_mut().find(|known| known.at == hour) {
            known.queued += times;
        }
    }

    /// Frees the `times` numbers up to that of `origin`, whose record is certainly not in the queue.
    pub fn give_back(&self, hour: Moment, origin: &Origin, times: u64) {
        let mut hours = self.hours.lock().expect("nothing panics while it holds the numbers");
        let Some(known) = hours.iter_mut().find(|known| known.at == hour) else { return };
        known.returned.extend(origin.count + 1 - times..=origin.count);
        while known.returned.last() == Some(&known.last) {
            known.returned.pop_last();
            known.last -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Moment = Moment::from_secs(3600);

    fn take(numbers: &Numbers, hour: Moment) -> u64 {
        numbers.take(hour).count
    }

    fn give_back(numbers: &Numbers, count: u64) {
        numbers.give_back(HOUR, &Origin { process: "p".to_owned(), count, queued: None }, 1);
    }

    // Proves: finding C2
    #[test]
    fn many_numbers_are_taken_and_given_back_together() {
        let numbers = Numbers::new("p".to_owned());
        assert_eq!(take(&numbers, HOUR), 1);
        let many = numbers.take_many(HOUR, 400);
        assert_eq!((many.count, take(&numbers, HOUR)), (401, 402));
        numbers.give_back(HOUR, &many, 400);
        assert_eq!([take(&numbers, HOUR), take(&numbers, HOUR)], [2, 3]);
    }

    #[test]
    fn every_hour_counts_from_one() {
        let numbers = Numbers::new("p".to_owned());
        assert_eq!([take(&numbers, HOUR), take(&numbers, HOUR)], [1, 2]);
        assert_eq!(take(&numbers, Moment::from_secs(7200)), 1);
        assert_eq!(take(&numbers, HOUR), 3);
        assert_eq!(take(&numbers, Moment::from_secs(10800)), 1);
        assert_eq!(take(&numbers, Moment::from_secs(7200)), 2);
    }

    #[test]
    fn a_returned_number_is_the_next_one() {
        let numbers = Numbers::new("p".to_owned());
        let taken: Vec<u64> = (0..4).map(|_| take(&numbers, HOUR)).collect();
        assert_eq!(taken, [1, 2, 3, 4]);
        give_back(&numbers, 2);
        give_back(&numbers, 4);
        assert_eq!([take(&numbers, HOUR), take(&numbers, HOUR), take(&numbers, HOUR)], [2, 4, 5]);
    }

    #[test]
    fn a_message_carries_how_many_are_known_to_be_queued() {
        let numbers = Numbers::new("p".to_owned());
        let queued = |numbers: &Numbers| numbers.take(HOUR).queued();
        assert_eq!(queued(&numbers), 1);
        numbers.are_queued(HOUR, 1);
        assert_eq!([queued(&numbers), queued(&numbers)], [2, 2], "two requests side by side");
        numbers.are_queued(HOUR, 1);
        assert_eq!(queued(&numbers), 3, "the other one was cut off, and nothing waits for it");
        assert_eq!(numbers.take(Moment::from_secs(7200)).queued(), 1);
    }

    #[test]
    fn after_any_failures_the_largest_number_is_the_count_of_what_was_sent() {
        let numbers = Numbers::new("p".to_owned());
        let mut sent = BTreeSet::new();
        for n in 0..1000_u64 {
            let count = take(&numbers, HOUR);
            if n % 3 == 0 {
                give_back(&numbers, count);
            } else {
                assert!(sent.insert(count), "{count} was given twice");
            }
        }
        assert_eq!(sent.last().copied(), Some(sent.len() as u64));
    }
}
