//! Accounts of members who can sign in, and members by the address that a person types or the subject that a sign-in
//! provider names.
//!
//! Members are found by pointers, which are written with the member and never deleted. So a pointer may be outdated:
//! the member that it names counts only if they have the address, or are that subject, now.

use alerting::base::ids::{AccountId, MemberId};
use alerting::base::moment::Moment;
use alerting::people::{Member, chat_link};
use serde::{Deserialize, Serialize};

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, item, json, number};
use crate::keys::{self, Key};
use crate::member_pointers::SUBJECT;
use crate::table::{Condition, Part, Reading, Table, Write};

/// The password account of a member. A member without an account may still sign in by a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub member: MemberId,
    pub version: u64,
    pub password: PasswordHash,
    /// Grows with every new password, which ends all earlier sessions.
    pub epoch: u64,
    pub changed_at: Moment,
}

/// The hash in PHC's format, with its salt and costs. It is never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Store {
    /// The current account.
    pub async fn account(&self, member: &MemberId) -> Result<Option<Account>, ReadError> {
        let item = self.get(Table::Config, &Key::new(keys::ACCOUNT, member), Reading::Latest).await?;
        item.as_ref().map(|item| Reader::new(item).json("doc")).transpose()
    }

    /// All accounts: one for each person who signs in.
    pub async fn accounts(&self) -> Result<Vec<Account>, ReadError> {
        let part = Part::all(keys::ACCOUNT).latest();
        self.query_all(Table::Config, &part, |item| Reader::new(item).json("doc")).await
    }

    /// Saves the account if the stored one has the same version (0: nothing is stored). Returns `false` if it has not.
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

    /// The member who is this user of the account now.
    pub async fn member_with_link(&self, account: &AccountId, user: &str) -> Result<Option<Member>, ReadError> {
        let has = |member: &Member| chat_link::has(&member.links, account, user);
        // A user is one member: saving a link removes it from another one. Of two, neither is believed.
        let mut found = self.members_in(&keys::members_with_link(account, user), has).await?;
        Ok(if found.len() == 1 { found.pop() } else { None })
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

/// The key and item of the account in its next version, and the condition that the version before is stored.
pub(crate) fn next(account: &Account) -> Result<(Key, Item, Condition), WriteError> {
    let key = Key::new(keys::ACCOUNT, &account.member);
    let before = (account.version > 0).then_some(account.version);
    let account = Account { version: account.version + 1, ..account.clone() };
    let item = item(&key, [("doc", json(&key, &account)?), ("version", number(account.version))]);
    Ok((key, item, Condition::unchanged("version", before)))
}
