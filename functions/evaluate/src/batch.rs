//! The messages of one invocation, and the result of each.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use alerting::base::ids::{AlertId, IntegrationId, SpaceId};
use alerting::incident::alert::{AlertEvent, AlertKey, sort_key};
use alerting::incident::change::ChangeEvent;
use alerting::incident::notice::Notice;
use alerting::incident::refresh::Refresh;
use alerting::incident::timer::Timer;
use alerting::rules::integration::Integration;
use alerting::rules::message::{Acceptance, Received};
use alerting::rules::policy::{Decision, Judgement};
use dispatch::FollowUp;
use lambda_kit::sqs_batch::{self, Disposition, Handle, Records};
use store::log::{MessageOutcome, NoticeRef};

use crate::app::App;
use crate::error::EvaluateError;
use crate::outgoing::Outgoing;

/// The result of one message.
#[derive(Debug, Default)]
pub(crate) struct MessageResult {
    pub(crate) outcome: Option<MessageOutcome>,
    pub(crate) reason: Option<String>,
    pub(crate) alert: Option<AlertId>,
    /// Labels that were cut from its alert because the message's own labels left no room for them.
    pub(crate) cut_labels: Vec<String>,
    /// The spaces in which it took effect, each with the version of the space that decided.
    pub(crate) spaces: BTreeMap<SpaceId, u64>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) timers: Vec<Timer>,
    pub(crate) refreshes: Vec<Refresh>,
    pub(crate) changes: Vec<ChangeEvent>,
}

impl MessageResult {
    /// Adds what follows from a change of an incident.
    pub(crate) fn add(&mut self, follow_up: FollowUp) {
        self.notices.extend(follow_up.notices);
        self.timers.extend(follow_up.timers);
        self.refreshes.extend(follow_up.refreshes);
        self.changes.push(follow_up.change);
    }
}

/// One message of the batch.
pub(crate) struct Item {
    pub(crate) handle: Handle,
    pub(crate) received: Received,
    /// The version of the integration by which it was judged.
    pub(crate) version: Option<u64>,
    pub(crate) judgement: Option<Judgement>,
    pub(crate) result: Option<MessageResult>,
    pub(crate) notices: Vec<NoticeRef>,
    has_outgoing: bool,
    failed: bool,
}

/// Messages of one alert key, in the order in which they are applied.
pub(crate) struct Group {
    pub(crate) integration: Arc<Integration>,
    pub(crate) key: AlertKey,
    pub(crate) events: Vec<AlertEvent>,
    /// The position in the batch of each event's message.
    places: Vec<usize>,
}

pub(crate) struct Batch {
    pub(crate) items: Vec<Item>,
    unreadable: Vec<Handle>,
    integrations: HashMap<IntegrationId, Arc<Integration>>,
}

impl Batch {
    pub(crate) fn new(records: Records<Received>) -> Self {
        let items = records.readable.into_iter().map(|(handle, received)| Item {
            handle,
            received,
            version: None,
            judgement: None,
            result: None,
            notices: Vec::new(),
            has_outgoing: false,
            failed: false,
        });
        Self { items: items.collect(), unreadable: records.unreadable, integrations: HashMap::new() }
    }

    /// Judges every message by the rules of its integration.
    pub(crate) async fn judge(&mut self, app: &App) -> Result<(), EvaluateError> {
        let now = app.clock.now();
        let tables = app.store.cached_mapping_tables(now).await?;
        for item in &mut self.items {
            let id = item.received.integration.clone();
            let integration = match self.integrations.get(&id) {
                Some(integration) => Some(Arc::clone(integration)),
                None => {
                    app.store.cached_integration(&id, now).await?.map(|stored| Arc::new(stored.integration.clone()))
                }
            };
            item.judge(app, integration.as_deref(), &tables);
            if let Some(integration) = integration {
                self.integrations.insert(id, integration);
            }
        }
        Ok(())
    }

    /// The groups to work on. Their messages have no result until [`Batch::set_results`].
    pub(crate) fn take_groups(&self) -> Vec<Group> {
        let mut keyed: HashMap<(&IntegrationId, &AlertKey), Vec<(usize, &AlertEvent)>> = HashMap::new();
        let mut groups = Vec::new();
        for (place, item) in self.items.iter().enumerate() {
            let Some(Judgement { decision: Decision::Event(event), .. }) = &item.judgement else { continue };
            match &event.key {
                AlertKey::Unique => groups.push(self.group(item, vec![(place, event)])),
                AlertKey::Named(_) => {
                    keyed.entry((&item.received.integration, &event.key)).or_default().push((place, event));
                }
            }
        }
        groups.extend(keyed.into_values().map(|events| self.group(&self.items[events[0].0], events)));
        groups
    }

    fn group(&self, item: &Item, mut events: Vec<(usize, &AlertEvent)>) -> Group {
        events.sort_by_key(|(_, event)| sort_key(event));
        Group {
            integration: Arc::clone(&self.integrations[&item.received.integration]),
            key: events[0].1.key.clone(),
            places: events.iter().map(|(place, _)| *place).collect(),
            events: events.into_iter().map(|(_, event)| event.clone()).collect(),
        }
    }

    /// Takes the results of a group's messages, in the order of its events.
    pub(crate) fn set_results(&mut self, group: &Group, results: Vec<MessageResult>) {
        for (place, result) in group.places.iter().zip(results) {
            self.items[*place].result = Some(result);
        }
    }

    /// Takes everything to send out of the batch. Each message keeps the names of its notices for its log entry.
    pub(crate) fn take_outgoing(&mut self) -> Outgoing {
        let mut outgoing = Outgoing::default();
        for item in &mut self.items {
            let Some(result) = &mut item.result else { continue };
            let is_empty = result.notices.is_empty() && result.timers.is_empty() && result.changes.is_empty();
            item.has_outgoing = !is_empty;
            outgoing.timers.append(&mut result.timers);
            result.refreshes.drain(..).for_each(|refresh| outgoing.refresh(refresh));
            for change in result.changes.drain(..) {
                outgoing.change(&change);
            }
            for notice in result.notices.drain(..) {
                item.notices.push(NoticeRef::of(&notice));
                outgoing.notice(notice);
            }
        }
        outgoing
    }

    pub(crate) fn fail_those_with_outgoing(&mut self) {
        for item in &mut self.items {
            item.failed |= item.has_outgoing;
        }
    }

    pub(crate) fn all_failed(&self) -> Vec<(Handle, Disposition)> {
        sqs_batch::all(self.items.iter().map(|item| &item.handle).chain(&self.unreadable).cloned(), &Disposition::LATER)
    }

    pub(crate) fn dispositions(self) -> Vec<(Handle, Disposition)> {
        let items = self.items.into_iter().map(|item| {
            let done = item.result.is_some() && !item.failed;
            (item.handle, if done { Disposition::Done } else { Disposition::LATER })
        });
        items.chain(sqs_batch::all(self.unreadable, &Disposition::AT_ONCE)).collect()
    }
}

impl Item {
    fn judge(
        &mut self,
        app: &App,
        integration: Option<&Integration>,
        tables: &[alerting::rules::integration::MappingTable],
    ) {
        let discarded = |reason: &str| {
            Some(MessageResult {
                outcome: Some(MessageOutcome::Discarded),
                reason: Some(reason.to_owned()),
                ..MessageResult::default()
            })
        };
        match (&self.received.acceptance, integration) {
            (Acceptance::Refused { reason, .. }, _) => {
                self.result = Some(MessageResult {
                    outcome: Some(MessageOutcome::Refused),
                    reason: Some(reason.as_str().to_owned()),
                    ..MessageResult::default()
                });
            }
            (Acceptance::Accepted(_), None) => self.result = discarded("integration_deleted"),
            (Acceptance::Accepted(message), Some(integration)) => {
                let judgement = app.policies.of(integration, tables).judge(message, self.received.stamp);
                if let Decision::Discard(reason) = &judgement.decision {
                    self.result = discarded(reason.as_str());
                }
                self.version = Some(integration.version);
                self.judgement = Some(judgement);
            }
        }
    }

    /// Whether the message's record may be written: it has a result, and what follows from it was sent.
    pub(crate) fn is_done(&self) -> bool {
        self.result.is_some() && !self.failed
    }

    pub(crate) fn fail(&mut self) {
        self.failed = true;
    }
}
