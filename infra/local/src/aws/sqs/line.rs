//! The order in which one queue hands out its messages. Pure: no clock, no storage.
//!
//! Both kinds of queue serve their groups (`MessageGroupId`) in turns, so that a group that floods the queue does not
//! delay the others:
//!
//! - **standard** (a fair queue): one message of a group per turn, oldest first. Messages without a group are one group.
//! - **FIFO**: as many messages of a group as fit per turn, strictly in order, and none while one of the group is in
//!   flight. A delayed message holds up those behind it.
//!
//! A message is *ready*, *delayed* or *in flight*; the last two become ready by [`Line::wake`].

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use alerting::base::moment::Moment;

/// A message's sequence number: unique over all queues, growing with the time of sending.
pub(crate) type Seq = i64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Standard,
    Fifo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Ready,
    Delayed(Moment),
    InFlight(Moment),
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) group: Arc<str>,
    pub(crate) place: Place,
    /// How often this queue handed the message out.
    pub(crate) receives: u32,
    /// The receives that do not count, because their receiver was killed.
    pub(crate) uncounted: u32,
    pub(crate) sent_at: Moment,
}

#[derive(Debug, Default)]
struct Group {
    /// Standard queue: the ready messages. FIFO queue: all messages that are not in flight.
    standing: BTreeSet<Seq>,
    /// The number of all messages of the group, in any place.
    members: usize,
    in_flight: usize,
    has_turn: bool,
}

/// The result of one receive.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) served: Vec<Seq>,
    /// Messages that were received too often. They are no longer in the line; the caller moves them to the dead queue.
    pub(crate) dead: Vec<Seq>,
}

/// The parameters of one receive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TakeRequest {
    pub(crate) max: usize,
    /// Until when the messages are in flight.
    pub(crate) until: Moment,
    pub(crate) max_receives: Option<u32>,
}

#[derive(Debug)]
pub(crate) struct Line {
    kind: Kind,
    entries: BTreeMap<Seq, Entry>,
    groups: HashMap<Arc<str>, Group>,
    /// Groups that have messages to hand out, or had some when they were put here.
    turns: VecDeque<Arc<str>>,
    hidden: BTreeSet<(Moment, Seq)>,
    in_flight: usize,
}

impl Line {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            entries: BTreeMap::new(),
            groups: HashMap::new(),
            turns: VecDeque::new(),
            hidden: BTreeSet::new(),
            in_flight: 0,
        }
    }

    pub(crate) fn add(&mut self, seq: Seq, entry: Entry) {
        let (group, place) = (entry.group.clone(), entry.place);
        self.entries.insert(seq, entry);
        self.groups.entry(group.clone()).or_default().members += 1;
        self.enter(seq, &group, place);
        self.give_turn(&group);
    }

    /// The group's name as the line holds it, so that its messages share one text.
    pub(crate) fn group_name(&self, name: Option<&str>) -> Arc<str> {
        let name = name.unwrap_or_default();
        self.groups.get_key_value(name).map_or_else(|| name.into(), |(name, _)| name.clone())
    }

    pub(crate) fn get(&self, seq: Seq) -> Option<&Entry> {
        self.entries.get(&seq)
    }

    pub(crate) fn remove(&mut self, seq: Seq) {
        let Some(entry) = self.entries.remove(&seq) else { return };
        self.leave(seq, &entry.group, entry.place).members -= 1;
        self.give_turn(&entry.group);
    }

    /// Puts a message into another place, e.g. back to ready.
    pub(crate) fn put(&mut self, seq: Seq, place: Place) {
        let Some(entry) = self.entries.get_mut(&seq) else { return };
        let before = std::mem::replace(&mut entry.place, place);
        let group = entry.group.clone();
        self.leave(seq, &group, before);
        self.enter(seq, &group, place);
        self.give_turn(&group);
    }

    /// Makes messages ready whose delay or visibility timeout has ended at `now`.
    pub(crate) fn wake(&mut self, now: Moment) {
        while let Some((at, seq)) = self.hidden.first().copied()
            && at <= now
        {
            self.put(seq, Place::Ready);
        }
    }

    pub(crate) fn take(&mut self, ask: TakeRequest) -> Taken {
        let mut taken = Taken::default();
        while taken.served.len() < ask.max
            && let Some(name) = self.turns.pop_front()
        {
            if let Some(group) = self.groups.get_mut(&name) {
                group.has_turn = false;
            }
            self.take_turn(&name, ask, &mut taken);
            self.give_turn(&name);
        }
        taken
    }

    pub(crate) fn messages(&self) -> impl Iterator<Item = (Seq, &Entry)> {
        self.entries.iter().map(|(seq, entry)| (*seq, entry))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(crate) fn delayed(&self) -> usize {
        self.hidden.len() - self.in_flight
    }

    /// Serves one group's turn.
    fn take_turn(&mut self, name: &Arc<str>, ask: TakeRequest, taken: &mut Taken) {
        if self.group_waits(name) {
            return;
        }
        let most = match self.kind {
            Kind::Standard => taken.served.len() + 1,
            Kind::Fifo => ask.max,
        };
        while taken.served.len() < most
            && let Some(seq) = self.groups.get(name).and_then(|group| group.standing.first().copied())
        {
            let entry = self.entries.get_mut(&seq).expect("what stands in a group is in the line");
            if entry.place != Place::Ready {
                return;
            }
            if ask.max_receives.is_some_and(|max| entry.receives - entry.uncounted >= max) {
                self.remove(seq);
                taken.dead.push(seq);
                continue;
            }
            entry.receives += 1;
            self.put(seq, Place::InFlight(ask.until));
            taken.served.push(seq);
        }
    }

    /// Whether no message of the group may be handed out because one of its messages is in flight.
    fn group_waits(&self, name: &Arc<str>) -> bool {
        self.kind == Kind::Fifo && self.groups.get(name).is_some_and(|group| group.in_flight > 0)
    }

    fn enter(&mut self, seq: Seq, group: &Arc<str>, place: Place) {
        let group = self.groups.get_mut(group).expect("a message's group is in the line");
        match place {
            Place::Ready => drop(group.standing.insert(seq)),
            Place::Delayed(until) => {
                self.hidden.insert((until, seq));
                if self.kind == Kind::Fifo {
                    group.standing.insert(seq);
                }
            }
            Place::InFlight(until) => {
                self.hidden.insert((until, seq));
                self.in_flight += 1;
                group.in_flight += 1;
            }
        }
    }

    fn leave(&mut self, seq: Seq, group: &Arc<str>, place: Place) -> &mut Group {
        let group = self.groups.get_mut(group).expect("a message's group is in the line");
        group.standing.remove(&seq);
        match place {
            Place::Ready => {}
            Place::Delayed(until) => drop(self.hidden.remove(&(until, seq))),
            Place::InFlight(until) => {
                self.hidden.remove(&(until, seq));
                self.in_flight -= 1;
                group.in_flight -= 1;
            }
        }
        group
    }

    /// Puts a group with messages to hand out at the end of the turns, and removes a group without any messages.
    fn give_turn(&mut self, name: &Arc<str>) {
        let Some(group) = self.groups.get_mut(name) else { return };
        if group.has_turn {
            return;
        }
        if group.members == 0 {
            self.groups.remove(name);
            return;
        }
        let Some(first) = group.standing.first() else { return };
        let waits = self.kind == Kind::Fifo && group.in_flight > 0;
        if !waits && self.entries.get(first).is_some_and(|entry| entry.place == Place::Ready) {
            group.has_turn = true;
            self.turns.push_back(name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64) -> Moment {
        Moment::from_millis(ms)
    }

    fn ask(max: usize, until: i64) -> TakeRequest {
        TakeRequest { max, until: at(until), max_receives: None }
    }

    fn line(kind: Kind, messages: &[(Seq, &str)]) -> Line {
        let mut line = Line::new(kind);
        for (seq, group) in messages {
            line.add(
                *seq,
                Entry { group: (*group).into(), place: Place::Ready, receives: 0, uncounted: 0, sent_at: at(0) },
            );
        }
        line
    }

    #[test]
    fn a_flooding_group_takes_turns_with_the_others() {
        let mut messages: Vec<(Seq, &str)> = (0..1_000).map(|seq| (seq, "flood")).collect();
        messages.extend([(1_000, "quiet"), (1_001, "calm")]);
        let mut line = line(Kind::Standard, &messages);
        assert_eq!(line.take(ask(5, 10)).served, [0, 1_000, 1_001, 1, 2]);
    }

    #[test]
    fn a_fifo_group_is_handed_out_in_one_run_and_locked_until_all_of_it_is_back() {
        let mut line = line(Kind::Fifo, &[(1, "a"), (2, "a"), (3, "b"), (4, "a")]);
        assert_eq!(line.take(ask(2, 10)).served, [1, 2]);
        assert_eq!(line.take(ask(10, 10)).served, [3]);
        line.remove(1);
        assert_eq!(line.take(ask(10, 10)).served, [] as [Seq; 0]);
        line.put(2, Place::Ready);
        assert_eq!(line.take(ask(10, 10)).served, [2, 4]);
    }

    #[test]
    fn a_delayed_message_holds_up_its_fifo_group_but_not_a_standard_one() {
        for (kind, expected) in [(Kind::Fifo, vec![]), (Kind::Standard, vec![2])] {
            let mut line = line(kind, &[]);
            for (seq, place) in [(1, Place::Delayed(at(50))), (2, Place::Ready)] {
                line.add(seq, Entry { group: "a".into(), place, receives: 0, uncounted: 0, sent_at: at(0) });
            }
            assert_eq!(line.take(ask(10, 99)).served, expected);
            line.wake(at(50));
            assert_eq!(line.take(ask(10, 99)).served.first(), Some(&1));
        }
    }

    #[test]
    fn a_message_received_too_often_leaves_the_line_and_frees_the_next_one() {
        let mut line = line(Kind::Fifo, &[(1, "a"), (2, "a")]);
        let twice = |until| TakeRequest { max: 1, until: at(until), max_receives: Some(2) };
        for round in [10, 20] {
            assert_eq!(line.take(twice(round)).served, [1]);
            line.wake(at(round));
        }
        assert_eq!(line.take(twice(30)), Taken { served: vec![2], dead: vec![1] });
    }

    #[derive(Debug, Clone)]
    enum Step {
        Send(u8),
        Receive(usize),
        Delete(usize),
        GiveBack(usize),
        Pass(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (0_u8..4).prop_map(Step::Send),
            3 => (1_usize..6).prop_map(Step::Receive),
            2 => any::<usize>().prop_map(Step::Delete),
            1 => any::<usize>().prop_map(Step::GiveBack),
            1 => (1_i64..40).prop_map(Step::Pass),
        ]
    }

    proptest! {
        /// For any order of sends, receives, deletions, releases and timeouts: a group's messages are finished in the order
        /// in which they were sent, none is handed out while an older one of its group exists that is not in the same
        /// receive, and none is lost.
        #[test]
        fn a_fifo_group_is_never_out_of_order(steps in prop::collection::vec(step(), 1..200)) {
            let mut line = line(Kind::Fifo, &[]);
            let (mut now, mut sent) = (0, 0);
            let mut left: BTreeMap<Seq, u8> = BTreeMap::new();
            for step in steps {
                let in_flight: Vec<Seq> =
                    line.messages().filter(|(_, e)| matches!(e.place, Place::InFlight(_))).map(|(seq, _)| seq).collect();
                match step {
                    Step::Send(group) => {
                        sent += 1;
                        left.insert(sent, group);
                        let entry = Entry { group: group.to_string().into(), place: Place::Ready, receives: 0, uncounted: 0, sent_at: at(now) };
                        line.add(sent, entry);
                    }
                    Step::Receive(max) => {
                        let served = line.take(ask(max, now + 20)).served;
                        prop_assert!(served.len() <= max);
                        for (index, seq) in served.iter().enumerate() {
                            prop_assert!(!in_flight.iter().any(|other| left[other] == left[seq]), "group lock");
                            let older = left.range(..seq).filter(|(_, group)| **group == left[seq]);
                            prop_assert!(older.map(|(older, _)| older).all(|older| served[..index].contains(older)));
                        }
                    }
                    Step::Delete(n) if !in_flight.is_empty() => {
                        let seq = in_flight[n % in_flight.len()];
                        line.remove(seq);
                        left.remove(&seq);
                    }
                    Step::GiveBack(n) if !in_flight.is_empty() => line.put(in_flight[n % in_flight.len()], Place::Ready),
                    Step::Pass(ms) => {
                        now += ms;
                        line.wake(at(now));
                    }
                    Step::Delete(_) | Step::GiveBack(_) => {}
                }
            }
            line.wake(at(now + 20));
            let mut rest = Vec::new();
            loop {
                let served = line.take(ask(3, now + 40)).served;
                if served.is_empty() {
                    break;
                }
                served.iter().for_each(|seq| line.remove(*seq));
                rest.extend(served);
            }
            rest.sort_unstable();
            prop_assert_eq!(rest, left.into_keys().collect::<Vec<_>>());
            prop_assert!(line.groups.is_empty() && line.hidden.is_empty() && line.in_flight == 0);
        }
    }
}
