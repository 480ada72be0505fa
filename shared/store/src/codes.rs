//! One-time codes: the last one that was sent to each address of a member, and how many were sent.
//!
//! The rules of a code are in [`alerting::people::code`]. Here every answer to a guess is a conditional write over the
//! state that it was judged by, so concurrent guesses are counted one after the other.

use std::time::Duration;

use alerting::base::ids::MemberId;
use alerting::base::moment::Moment;
use alerting::people::AddressedBy;
use alerting::people::code::{self, Code, Entered, Void};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Reader, expiry, item, json, number};
use crate::keys::{self, Key};
use crate::table::{Condition, Reading, Table, Write};

/// How often a decision is made again because another request changed the state meanwhile.
const ROUNDS: usize = 8;
/// How long an expired code is kept, so that a late guess gets the reason.
const AFTERLIFE: Duration = Duration::from_secs(24 * 3600);

/// The result of entering a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guess {
    Judged(Entered),
    Void(Void),
    /// No code was sent, or so long ago that nothing is stored of it.
    NoneSent,
}

impl Store {
    /// Takes the right to send a code to `address` of the member, or says how long to wait.
    pub async fn take_code(
        &self,
        member: &MemberId,
        address: &str,
        now: Moment,
    ) -> Result<Result<(), Duration>, WriteError> {
        for key in [keys::codes_sent_to_member(member), keys::codes_sent_to_address(address)] {
            let sent = self.decide(&key, now, |sent: Option<&Vec<Moment>>| {
                code::send(sent.map_or(&[], Vec::as_slice), now).map(|sent| (sent, ()))
            });
            if let Err(wait) = sent.await? {
                return Ok(Err(wait));
            }
        }
        Ok(Ok(()))
    }

    /// Stores the code that is about to be sent. The code before it becomes void.
    pub async fn begin_code(
        &self,
        member: &MemberId,
        by: AddressedBy,
        code: &Code,
        now: Moment,
    ) -> Result<(), WriteError> {
        let key = keys::code(member, by);
        self.decide(&key, now, |_: Option<&Code>| Ok::<_, Void>((code.clone(), ()))).await.map(|_| ())
    }

    /// Judges an entered code, and uses up the code or one of its tries.
    pub async fn enter_code(
        &self,
        member: &MemberId,
        by: AddressedBy,
        hash: &str,
        now: Moment,
    ) -> Result<Guess, WriteError> {
        let key = keys::code(member, by);
        let judged = self.decide(&key, now, |code: Option<&Code>| match code {
            Some(code) => code.enter(hash, now).map_err(Guess::Void),
            None => Err(Guess::NoneSent),
        });
        Ok(match judged.await? {
            Ok(entered) => Guess::Judged(entered),
            Err(other) => other,
        })
    }

    /// Reads, decides, and writes the decision if nobody wrote meanwhile; else decides again with the newer state.
    async fn decide<T: Serialize + DeserializeOwned, A, E>(
        &self,
        key: &Key,
        now: Moment,
        decide: impl Fn(Option<&T>) -> Result<(T, A), E>,
    ) -> Result<Result<A, E>, WriteError> {
        let mut stored = self.get(Table::Config, key, Reading::Latest).await?;
        for _ in 0..ROUNDS {
            let reader = stored.as_ref().map(Reader::new);
            let version = reader.as_ref().map(|reader| reader.number::<u64>("version")).transpose()?;
            let before: Option<T> = reader.map(|reader| reader.json("doc")).transpose()?;
            let (next, answer) = match decide(before.as_ref()) {
                Ok(decided) => decided,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let attributes = [
                ("doc", json(key, &next)?),
                ("version", number(version.unwrap_or(0) + 1)),
                ("expires_at", expiry(now + AFTERLIFE)),
            ];
            let unchanged = Condition::unchanged("version", version);
            match self.put(Table::Config, key, item(key, attributes), Some(unchanged)).await? {
                Write::Done(_) => return Ok(Ok(answer)),
                Write::Refused(other) => stored = other,
            }
        }
        Err(ReadError::throttled(key).into())
    }
}
