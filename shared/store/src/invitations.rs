//! One-time links: the first administrator's, and one that lets a member choose a password.
//!
//! There is at most one of each: a new link replaces the previous one. Only the hash of a link's token is stored. Using
//! up a link and saving its effect are one transaction, so if two people use it at once, one succeeds.

use alerting::base::ids::MemberId;
use alerting::base::moment::Moment;
use alerting::people::Member;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};

use crate::accounts::{self, Account};
use crate::config::{Expect, encode};
use crate::connection::Store;
use crate::errors::{ReadError, SaveError, WriteError};
use crate::item::{Item, Reader, expiry, item, number, text};
use crate::keys::{self, Key};
use crate::table::{Condition, Reading, Table};

/// How often the transaction is tried when another one uses the same items.
const ROUNDS: usize = 4;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// `None`: the person with the link becomes the first administrator.
    pub member: Option<MemberId>,
    /// [`keys::secret_hash`] of the link's token.
    pub hash: String,
    pub until: Moment,
}

/// The result of using an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    Done,
    /// It was used or replaced, or it has expired.
    Gone,
    /// The account or the member was changed meanwhile: read them again.
    Changed,
}

impl Store {
    /// Stores an invitation in place of the previous one.
    pub async fn invite(&self, invitation: &Invitation) -> Result<(), WriteError> {
        let key = keys::invitation(invitation.member.as_ref());
        let Invitation { member: _, hash, until } = invitation;
        let attributes = [("hash", text(hash)), ("until", number(until.millis())), ("expires_at", expiry(*until))];
        self.put(Table::Config, &key, item(&key, attributes), None).await?;
        Ok(())
    }

    /// The newest invitation for this member, or for the first administrator, unless it is used or has expired.
    pub async fn invitation(&self, member: Option<&MemberId>, now: Moment) -> Result<Option<Invitation>, ReadError> {
        let item = self.get(Table::Config, &keys::invitation(member), Reading::Latest).await?;
        let Some(item) = item else { return Ok(None) };
        let reader = Reader::new(&item);
        let until = Moment::from_millis(reader.number("until")?);
        let found = Invitation { member: member.cloned(), hash: reader.text("hash")?.to_owned(), until };
        Ok(Some(found).filter(|found| now < found.until))
    }

    /// Uses up the invitation and saves its effect: the account, and the member if there is one to be saved.
    pub async fn accept(
        &self,
        invitation: &Invitation,
        account: &Account,
        member: Option<(&Member, Expect)>,
        now: Moment,
    ) -> Result<Accepted, SaveError> {
        let mut writes = vec![self.using_up(invitation, now)];
        let (key, item, condition) = accounts::next(account)?;
        writes.push(self.guarded(item, condition));
        if let Some((member, expect)) = member {
            let (member, _, item) = encode(member, expect)?;
            self.members().point_at(&member).await?;
            writes.push(self.guarded(item, expect.condition()));
        }
        let accepted = self.transact(&key, writes).await;
        if let Some((member, _)) = member {
            self.members().changed(&member.id);
        }
        Ok(accepted?)
    }

    async fn transact(&self, key: &Key, writes: Vec<TransactWriteItem>) -> Result<Accepted, WriteError> {
        let mut round = 1;
        loop {
            let request = self.client().transact_write_items().set_transact_items(Some(writes.clone()));
            let Err(error) = request.send().await else { return Ok(Accepted::Done) };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() else {
                return Err(WriteError::aws(key, error));
            };
            let reasons = canceled.cancellation_reasons().iter().map(|reason| reason.code());
            let mut failed = reasons.enumerate().filter(|(_, code)| *code == Some("ConditionalCheckFailed"));
            match failed.next() {
                Some((0, _)) => return Ok(Accepted::Gone),
                Some(_) => return Ok(Accepted::Changed),
                // Another transaction uses the same items.
                None if round < ROUNDS => round += 1,
                None => return Err(WriteError::aws(key, error)),
            }
        }
    }

    fn using_up(&self, invitation: &Invitation, now: Moment) -> TransactWriteItem {
        let key = keys::invitation(invitation.member.as_ref());
        let delete = Delete::builder().table_name(self.table_name(Table::Config)).set_key(Some(key.attributes()));
        let delete = delete
            .condition_expression("#hash = :hash AND #until > :now")
            .expression_attribute_names("#hash", "hash")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":hash", text(&invitation.hash))
            .expression_attribute_values(":now", number(now.millis()));
        TransactWriteItem::builder().delete(delete.build().expect("table and key are set")).build()
    }

    fn guarded(&self, item: Item, condition: Condition) -> TransactWriteItem {
        let put = Put::builder().table_name(self.table_name(Table::Config)).set_item(Some(item));
        TransactWriteItem::builder().put(condition.guard(put).build().expect("table and item are set")).build()
    }
}
