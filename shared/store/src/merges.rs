//! Merges of incidents, each written in one transaction.
//!
//! A transaction costs twice the write units of two writes, which is acceptable because people rarely merge. In return
//! no other change can come between the two halves.

use alerting::base::actor::NamedActor;
use alerting::base::ids::IncidentId;
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::change_result::entry_of_action;
use alerting::incident::merge::{Merge, merge};
use alerting::incident::timeline::Entry;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use crate::changes::{ChangeError, RACES, pause};
use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::incidents::Replaces;
use crate::keys::Key;
use crate::table::Table;

impl Store {
    /// Merges `source` into `target`. Returns the changes that were made, by this call or by an earlier one of the same
    /// name; none if the incidents were merged already.
    pub async fn merge_incidents(
        &self,
        source: &IncidentId,
        target: &IncidentId,
        actor: &NamedActor,
        action: &str,
        now: Moment,
    ) -> Result<Vec<(Incident, Entry)>, ChangeError> {
        for races in 1..=RACES {
            let (from, into) = (self.mergeable(source).await?, self.mergeable(target).await?);
            if let Some(entry) = entry_of_action(&into, action) {
                // This call wrote the merge before, and its answer was lost.
                let left = entry_of_action(&from, action).cloned().map(|entry| (from.clone(), entry));
                return Ok(left.into_iter().chain([(into.clone(), entry.clone())]).collect());
            }
            let Some(Merge { source: left, target: joined }) = merge(&from, &into, actor, action, now)? else {
                return Ok(Vec::new());
            };
            let before: Vec<u64> = left.iter().map(|_| from.n).chain([into.n]).collect();
            let changed: Vec<(Incident, Entry)> = left.into_iter().chain([joined]).collect();
            let mut writes = Vec::with_capacity(changed.len());
            for ((incident, _), n) in changed.iter().zip(before) {
                writes.push(self.incident_put(incident, n).await?);
            }
            if self.write_all(source, writes).await? {
                return Ok(changed);
            }
            pause(races).await;
        }
        Err(WriteError::Read(ReadError::throttled(source)).into())
    }

    /// An incident that takes part in a merge. One that represents a circle counts as not merged.
    async fn mergeable(&self, id: &IncidentId) -> Result<Incident, WriteError> {
        let Some(incident) = self.incident(id).await? else {
            return Err(ReadError::missing(id, "the incident").into());
        };
        if incident.merged_into.is_some() && self.stands_for_circle(id).await?.as_ref() == Some(id) {
            return Ok(incident.out_of_circle());
        }
        Ok(incident)
    }

    async fn incident_put(&self, incident: &Incident, before: u64) -> Result<TransactWriteItem, WriteError> {
        let (_, item) = self.incident_item(incident).await?;
        let put = Put::builder().table_name(self.table_name(Table::Alerts)).set_item(Some(item));
        let put = Replaces::Incident(before).condition().guard(put);
        Ok(TransactWriteItem::builder().put(put.build().expect("table and item are set")).build())
    }

    /// Writes all or nothing. Returns `false` if one of the items was changed since, or is being changed; then nothing
    /// was written.
    async fn write_all(&self, id: &IncidentId, writes: Vec<TransactWriteItem>) -> Result<bool, WriteError> {
        let Err(error) = self.client().transact_write_items().set_transact_items(Some(writes)).send().await else {
            return Ok(true);
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() {
            let lost = |code: &str| matches!(code, "ConditionalCheckFailed" | "TransactionConflict");
            let mut codes = canceled.cancellation_reasons().iter().filter_map(|reason| reason.code());
            if codes.any(lost) {
                return Ok(false);
            }
        }
        Err(WriteError::aws(Key::new("INCIDENT", id), error))
    }
}
