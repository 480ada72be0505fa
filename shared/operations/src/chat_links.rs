//! Links a chat user to a member, and ends such a link.
//!
//! A link needs two proofs: that the request is the member's (a one-time code that the member made when signed in), and
//! that it is the chat user's (the vendor's signature on the message with the code).

use std::time::Duration;

use alerting::base::ids::{AccountId, MemberId};
use alerting::base::moment::Moment;
use alerting::people::Member;
use alerting::people::chat_link::{self, ChatLink};
use channels::callback::ChatUser;
use lambda_kit::random;
use store::Store;
use store::config::Expect;
use store::errors::{ReadError, SaveError, WriteError};
use store::keys::secret_hash;
use store::link_codes::LinkCode;

use crate::saving::{Raced, save_over};

/// How long a code may be used.
pub const CODE_LIFE: Duration = Duration::from_secs(15 * 60);
/// Random base62 characters of a code: 59 bits, more than anyone can try in a chat.
const CODE_CHARS: usize = 10;

/// What a member sends to the app.
pub fn command(code: &str) -> String {
    format!("{COMMAND} {code}")
}

/// The word before a code, which is read in any case.
pub const COMMAND: &str = "linkUser";

/// A code to send to the app in a private chat.
#[derive(Debug)]
pub struct Begun {
    /// It must not be stored.
    pub code: String,
    pub until: Moment,
}

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("there is no member {0}")]
    NoMember(MemberId),
    #[error("there is no account {0}")]
    NoAccount(AccountId),
    /// The code is unknown, was used, has expired, or is of another account.
    #[error("the code is not valid; make a new one")]
    NotACode,
    #[error(transparent)]
    Raced(#[from] Raced),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Makes a code by which the member links a user of the account.
pub async fn begin(store: &Store, account: AccountId, member: &MemberId, now: Moment) -> Result<Begun, LinkError> {
    if store.app_accounts().get(&account).await?.is_none() {
        return Err(LinkError::NoAccount(account));
    }
    let member = store.members().get(member).await?.ok_or_else(|| LinkError::NoMember(member.clone()))?;
    let (code, until) = (random::base62(CODE_CHARS), now + CODE_LIFE);
    store.keep_link_code(&secret_hash(&code), &LinkCode { account, member: member.id, until }).await?;
    Ok(Begun { code, until })
}

/// Links the user who sent the code. Returns the member. The code is used up, and another member's link with the same
/// user ends.
pub async fn finish(
    store: &Store,
    account: &AccountId,
    (user, chat): (&ChatUser, &str),
    code: &str,
    now: Moment,
) -> Result<Member, LinkError> {
    let hash = secret_hash(code);
    let known = store.link_code(&hash, now).await?.filter(|known| &known.account == account);
    let Some(LinkCode { member, .. }) = known else { return Err(LinkError::NotACode) };
    if !store.use_link_code(&hash).await? {
        return Err(LinkError::NotACode);
    }
    if let Some(other) = store.member_with_link(account, &user.id).await?.filter(|other| other.id != member) {
        unlink(store, account, &other.id).await?;
    }
    let link = ChatLink {
        account: account.clone(),
        user: user.id.clone(),
        chat: Some(chat.to_owned()),
        name: user.name.clone(),
        since: now,
    };
    change(store, &member, |member| chat_link::link(&mut member.links, link.clone())).await
}

/// Ends the member's link with the account. Returns the member.
pub async fn unlink(store: &Store, account: &AccountId, member: &MemberId) -> Result<Member, LinkError> {
    change(store, member, |member| {
        chat_link::unlink(&mut member.links, account);
    })
    .await
}

async fn change(store: &Store, id: &MemberId, change: impl Fn(&mut Member)) -> Result<Member, LinkError> {
    save_over(|| async {
        let mut member = store.members().get(id).await?.ok_or_else(|| LinkError::NoMember(id.clone()))?;
        let expect = Expect::Version(member.version);
        change(&mut member);
        Ok(store.members().put(&member, expect).await)
    })
    .await
}
