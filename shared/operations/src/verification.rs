//! Verifies that an address is a member's own: a one-time code is sent there, and the member has to enter it.
//!
//! The rules are in [`alerting::people::code`], and the store counts. The code itself is not stored. Its hash under the
//! data key is, together with the member and the address, so that the code is not valid for another one.
//!
//! Nothing is sent here: [`begin`] returns the code for its caller to send, and [`confirm`] returns the member before
//! the change.

use std::fmt;
use std::time::Duration;

use alerting::base::ids::MemberId;
use alerting::base::moment::Moment;
use alerting::people::code::{Code, Entered, Void};
use alerting::people::{AddressedBy, Member, Verified};
use lambda_kit::random;
use lambda_kit::secrets::SealError;
use store::codes::Guess;
use store::config::Expect;
use store::errors::{ReadError, SaveError, WriteError};

use crate::addresses::Directory;
use crate::saving::{Raced, save_over};

pub const DIGITS: usize = 6;

/// Why an address is not verified, or no code was made. The text says how to continue.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("there is no member {0}")]
    NoMember(MemberId),
    #[error("the member has no {}; give one first", Noun(*.0))]
    NoAddress(AddressedBy),
    #[error("the {} is verified already", Noun(*.0))]
    IsVerified(AddressedBy),
    #[error("too many codes were sent; wait, and look for those that are on their way")]
    TooManyCodes { after: Duration },
    #[error("expected the {DIGITS} digits of the code")]
    NotDigits,
    #[error("{}", wrong(*.left))]
    WrongCode { left: u32 },
    #[error("{0}")]
    Void(Void),
    #[error("no code was sent to this address; have one sent first")]
    NoneSent,
    #[error("the address was changed meanwhile; have a code sent to the new one")]
    Changed,
    #[error(transparent)]
    Raced(#[from] Raced),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// A code that waits to be entered.
pub struct Begun {
    /// The code to send. It must not be stored.
    pub digits: String,
    pub until: Moment,
}

/// The member, and the address of this kind that a code is for.
pub async fn to_confirm(
    directory: Directory<'_>,
    id: &MemberId,
    by: AddressedBy,
) -> Result<(Member, String), VerifyError> {
    let member = member(directory, id).await?;
    match (member.to_confirm(by).map(str::to_owned), member.address(by)) {
        (Some(address), _) => Ok((member, address)),
        (None, Some(_)) => Err(VerifyError::IsVerified(by)),
        (None, None) => Err(VerifyError::NoAddress(by)),
    }
}

/// Makes a code for the member's address; an earlier one is void.
pub async fn begin(
    directory: Directory<'_>,
    member: &Member,
    by: AddressedBy,
    address: &str,
) -> Result<Begun, VerifyError> {
    let now = directory.now;
    if let Err(after) = directory.store.take_code(&member.id, address, now).await? {
        return Err(VerifyError::TooManyCodes { after });
    }
    let digits = random::digits(DIGITS);
    let code = Code::new(hash(directory, &member.id, by, address, &digits).await?, now);
    directory.store.begin_code(&member.id, by, &code, now).await?;
    Ok(Begun { digits, until: code.until })
}

/// Verifies the member's address if `text` is the code that was sent there. A new address replaces the old one. Returns
/// the member before and after, which are equal if there was nothing to confirm.
pub async fn confirm(
    directory: Directory<'_>,
    id: &MemberId,
    by: AddressedBy,
    text: &str,
) -> Result<(Member, Member), VerifyError> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(VerifyError::NotDigits);
    }
    let before = member(directory, id).await?;
    if before.verified(by).is_some() && before.pending(by).is_none() {
        return Ok((before.clone(), before)); // pressed twice
    }
    let (_, address) = to_confirm(directory, id, by).await?;
    let now = directory.now;
    let hash = hash(directory, id, by, &address, &digits).await?;
    match directory.store.enter_code(id, by, &hash, now).await? {
        Guess::Judged(Entered::Right) => {}
        Guess::Judged(Entered::Wrong(left)) => return Err(VerifyError::WrongCode { left }),
        Guess::Void(void) => return Err(VerifyError::Void(void)),
        Guess::NoneSent => return Err(VerifyError::NoneSent),
    }
    let verified = Verified { at: now, vouched_by: None };
    save_over(|| async {
        let before = member(directory, id).await?;
        if before.to_confirm(by) != Some(address.as_str()) {
            return Err(VerifyError::Changed);
        }
        let (expect, mut after) = (Expect::Version(before.version), before.clone());
        after.set_address(by, Some(address.clone()));
        after.set_verified(by, Some(verified.clone()));
        after.set_pending(by, None);
        Ok(directory.store.members().put(&after, expect).await.map(|saved| (before, saved)))
    })
    .await
}

async fn member(directory: Directory<'_>, id: &MemberId) -> Result<Member, VerifyError> {
    directory.store.members().get(id).await?.ok_or_else(|| VerifyError::NoMember(id.clone()))
}

async fn hash(
    directory: Directory<'_>,
    id: &MemberId,
    by: AddressedBy,
    address: &str,
    code: &str,
) -> Result<String, SealError> {
    directory.sealer.keyed_hash(&["one-time code", id.as_str(), by.as_str(), address, code]).await
}

fn wrong(left: u32) -> String {
    match left {
        0 => "that is not the code, and no try is left; have a new one sent".to_owned(),
        1 => "that is not the code; one try is left".to_owned(),
        left => format!("that is not the code; {left} tries are left"),
    }
}

/// The kind of address in a sentence.
pub struct Noun(pub AddressedBy);

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            AddressedBy::Email => "email address",
            AddressedBy::Phone => "phone number",
        })
    }
}
