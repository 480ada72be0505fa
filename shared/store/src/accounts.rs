//! Accounts of members who can sign in, and members by the address that a person types or the subject that a sign-in
//! provider names.
//!
//! Members are found by pointers that are written with them and never taken back, so a pointer is a hint: what it leads to
//! counts only if the member has the address, or is that subject, now.

use alerting::base::ids::MemberId;
use alerting::base::moment::Moment;
use alerting::people::Member;
use serde::{Deserialize, Serialize};

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, item, json, number};
use crate::keys::{self, Key};
use crate::member_pointers::SUBJECT;
use crate::table::{Condition, Part, Reading, Table, Write};

/// What a member signs in with. A member without one may still sign in by a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub member: MemberId,
    pub version: u64,
    pub password: PasswordHash,
    /// Grows with every new password; sessions of before are over.
    pub epoch: u64,
    pub changed_at: Moment,
}

/// In PHC's format, with its salt and costs. Shown nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Store {
    /// As it is now.
    pub async fn account(&self, member: &MemberId) -> Result<Option<Account>, ReadError> {
        let item = self.get(Table::Config, &Key::new(keys::ACCOUNT, member), Reading::Latest).await?;
        item.as_ref().map(|item| Reader::new(item).json("doc")).transpose()
    }

    /// All accounts: one for each person who signs in.
    pub async fn accounts(&self) -> Result<Vec<Account>, ReadError> {
        let part = Part::all(keys::ACCOUNT).latest();
        self.query_all(Table::Config, &part, |item| Reader::new(item).json("doc")).await
    }

    /// Saves the account in place of the one in its version (0: of none); `false` if that is not what is stored.
    pub async fn save_account(&self, account: &Account) -> Result<bool, WriteError> {
        let (key, item, condition) = next(account)?;
        Ok(match self.put(Table::Config, &key, item.clone(), Some(condition)).await? {
            Write::Done(_) => true,
            Write::Refused(stored) => stored == Some(item),
        })
    }

    pub async fn delete_account(&self, member: &MemberId) -> Result<bool, WriteError> {
        self.delete(Table::Config, &Key::new(keys::ACCOUNT, member)).await
    }

    /// Members who have this address now, in any case.
    pub async fn members_with_email(&self, email: &str) -> Result<Vec<Member>, ReadError> {
        let wanted = email.to_lowercase();
        let has = |member: &Member| member.email.as_deref().is_some_and(|email| email.to_lowercase() == wanted);
        self.members_in(&keys::members_with_email(email), has).await
    }

    /// Members who are this subject of this sign-in provider now: pinned to it, or noted and not pinned to another one.
    pub async fn members_with_subject(&self, issuer: &str, subject: &str) -> Result<Vec<Member>, ReadError> {
        let is = |member: &Member| match &member.sign_in {
            Some(pinned) if pinned.issuer == issuer => pinned.subject == subject,
            Some(_) => false,
            None => member.identities.get(SUBJECT).is_some_and(|known| known == subject),
        };
        self.members_in(&keys::members_with_subject(subject), is).await
    }

    async fn members_in(&self, partition: &str, is_meant: impl Fn(&Member) -> bool) -> Result<Vec<Member>, ReadError> {
        let pointed_at = |item: &Item| {
            let name = Reader::new(item).name();
            name.sk.parse::<MemberId>().map_err(|_| ReadError::missing(name, "sk"))
        };
        let ids = self.query_all(Table::Config, &Part::all(partition).latest(), pointed_at).await?;
        let mut found = self.members().get_all(ids).await?;
        found.retain(is_meant);
        Ok(found)
    }
}

/// The account in its next version, as it is stored, and what it replaces.
pub(crate) fn next(account: &Account) -> Result<(Key, Item, Condition), WriteError> {
    let key = Key::new(keys::ACCOUNT, &account.member);
    let before = (account.version > 0).then_some(account.version);
    let account = Account { version: account.version + 1, ..account.clone() };
    let item = item(&key, [("doc", json(&key, &account)?), ("version", number(account.version))]);
    Ok((key, item, Condition::unchanged("version", before)))
}
