//! Local accounts: the password of a member, and the one-time links by which a password is chosen.
//!
//! Whether an address is known is never revealed: an unknown one takes the same reads, the same hash and gives the same answer.
//! A link is `{member}.{random}`, or `first.{random}` for the first administrator; opening it changes nothing.

use std::time::Duration;

use alerting::base::ids::MemberId;
use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::people::{Member, Role};
use lambda_kit::random;
use store::accounts::Account;
use store::config::Expect;
use store::errors::{ReadError, WriteError};
use store::invitations::{Accepted, Invitation};
use store::keys::secret_hash;
use store::rates::Permit;
use store::tries::Limit;
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::error::ApiError;
use crate::password;

/// How long the set-up link of the first administrator is valid, and the invitation of a member.
pub(crate) const SET_UP_LIFE: Duration = Duration::from_secs(24 * 3600);
pub(crate) const INVITATION_LIFE: Duration = Duration::from_secs(72 * 3600);
/// Random base62 characters of a link: 238 bits.
const LINK_CHARS: usize = 40;
/// The part of the first administrator's link that stands where other links have the member's id.
const FIRST: &str = "first";
/// Password tries per address: from one source, from a browser that signed in with the address before, or in one
/// session. A person who has forgotten the password requests a link.
const OF_ONE: Limit = Limit { tries: 10, within: QUARTER };
/// Password tries per source, which may be a whole office.
const OF_A_SOURCE: Limit = Limit { tries: 60, within: QUARTER };
/// Password tries per address from all unknown browsers together, so that an attacker gains nothing from many sources.
const OF_STRANGERS: Limit = Limit { tries: 100, within: QUARTER };
const QUARTER: Duration = Duration::from_secs(15 * 60);
/// How often saving a password is retried after the account was changed by someone else.
const RACES: usize = 4;

/// The result of a sign-in with an email address and a password.
#[derive(Debug)]
pub(crate) enum PasswordResult {
    Right { member: Box<Member>, epoch: u64 },
    Wrong,
    TooOften(Duration),
}

/// What a valid link is for.
#[derive(Debug)]
pub(crate) enum Link {
    FirstAdministrator(Invitation),
    Password { invitation: Invitation, member: Box<Member> },
}

/// The result of using a link.
#[derive(Debug)]
pub(crate) enum LinkResult {
    Done { member: Box<Member>, epoch: u64 },
    Gone,
}

/// Signs in with an address and a password. `source`: the address that the request came from. `device`: the counter of
/// tries for a browser in which this address signed in before.
pub(crate) async fn try_password(
    app: &App,
    email: &str,
    given: Secret,
    source: &str,
    device: Option<String>,
) -> Result<PasswordResult, ApiError> {
    let now = app.clock.now();
    let counted = match device {
        Some(device) if app.store.count_try(&device, OF_ONE, now).await? == Permit::Granted => device,
        _ => match count_stranger(app, email, source, now).await? {
            Ok(counted) => counted,
            Err(wait) => return Ok(PasswordResult::TooOften(wait)),
        },
    };
    let found = app.store.members_with_email(email).await?;
    let (member, account) = who_signs_in(app, found).await?;
    let hash = account.as_ref().map(|account| account.password.clone());
    let is_right = password::is_right(given, hash).await?;
    match (member, account) {
        (Some(member), Some(account)) if is_right => {
            app.store.forget_tries(&counted).await?;
            Ok(PasswordResult::Right { member: Box::new(member), epoch: account.epoch })
        }
        _ => Ok(PasswordResult::Wrong),
    }
}

/// The counter to reset if the password is right, or the time to wait before the next try.
async fn count_stranger(
    app: &App,
    email: &str,
    source: &str,
    now: Moment,
) -> Result<Result<String, Duration>, ApiError> {
    let email = email.to_lowercase();
    let of_one = format!("sign-in {email} from {source}");
    let limits = [
        (format!("source {source}"), OF_A_SOURCE),
        (of_one.clone(), OF_ONE),
        (format!("sign-in {email}"), OF_STRANGERS),
    ];
    for (counter, limit) in limits {
        if let Permit::Wait(wait) = app.store.count_try(&counter, limit, now).await? {
            return Ok(Err(wait));
        }
    }
    Ok(Ok(of_one))
}

/// The one member with this address who has an account. `None` if there are two: a shared address identifies neither.
async fn who_signs_in(app: &App, found: Vec<Member>) -> Result<(Option<Member>, Option<Account>), ReadError> {
    if found.is_empty() {
        let nobody = MemberId::from_suffix("nobody").expect("a suffix");
        app.store.members().get(&nobody).await?;
        return Ok((None, app.store.account(&nobody).await?));
    }
    let mut with_account = Vec::new();
    for member in found {
        if let Some(account) = app.store.account(&member.id).await? {
            with_account.push((member, account));
        }
    }
    let one = if with_account.len() == 1 { with_account.pop() } else { None };
    Ok(one.unzip())
}

/// Checks this member's password. Tries are counted by `session`: an attacker with a stolen session uses up only its tries.
pub(crate) async fn confirm_password(
    app: &App,
    member: &Member,
    session: &str,
    given: Secret,
) -> Result<PasswordResult, ApiError> {
    let counter = format!("password {session}");
    if let Permit::Wait(wait) = app.store.count_try(&counter, OF_ONE, app.clock.now()).await? {
        return Ok(PasswordResult::TooOften(wait));
    }
    let account = app.store.account(&member.id).await?;
    let epoch = account.as_ref().map_or(0, |account| account.epoch);
    if !password::is_right(given, account.map(|account| account.password)).await? {
        return Ok(PasswordResult::Wrong);
    }
    app.store.forget_tries(&counter).await?;
    Ok(PasswordResult::Right { member: Box::new(member.clone()), epoch })
}

/// Saves a new password, and ends all sessions; returns the epoch of later sessions.
pub(crate) async fn change_password(app: &App, member: &MemberId, given: Secret) -> Result<u64, ApiError> {
    password::check(&given)?;
    let hash = password::hash(given).await?;
    for _ in 0..RACES {
        let account = next_account(app, member, hash.clone()).await?;
        if app.store.save_account(&account).await? {
            return Ok(account.epoch);
        }
    }
    Err(ApiError::conflict("the password is being changed elsewhere; try again"))
}

async fn next_account(
    app: &App,
    member: &MemberId,
    password: store::accounts::PasswordHash,
) -> Result<Account, ReadError> {
    let before = app.store.account(member).await?;
    let (version, epoch) = before.map_or((0, 0), |before| (before.version, before.epoch));
    Ok(Account { member: member.clone(), version, password, epoch: epoch + 1, changed_at: app.clock.now() })
}

/// Makes a link for the first administrator, which replaces the earlier one; `None` if an administrator can sign in.
pub(crate) async fn make_set_up_link(app: &App, base: &str) -> Result<Option<Secret>, ApiError> {
    if has_administrator(app).await? {
        return Ok(None);
    }
    let (url, _) = make_link(app, None, SET_UP_LIFE, base).await?;
    Ok(Some(url))
}

/// Makes a link by which the member chooses a password; returns it with the time when it expires.
pub(crate) async fn make_invitation(app: &App, member: &Member, base: &str) -> Result<(Secret, Moment), ApiError> {
    if member.email.is_none() {
        let message = "the member has no email address to sign in with; give one first";
        return Err(ApiError::conflict(message));
    }
    Ok(make_link(app, Some(&member.id), INVITATION_LIFE, base).await?)
}

async fn make_link(
    app: &App,
    member: Option<&MemberId>,
    life: Duration,
    base: &str,
) -> Result<(Secret, Moment), WriteError> {
    let (token, until) = (random::base62(LINK_CHARS), app.clock.now() + life);
    let invitation = Invitation { member: member.cloned(), hash: secret_hash(&token), until };
    app.store.invite(&invitation).await?;
    let owner = member.map_or(FIRST, MemberId::as_str);
    Ok((Secret::new(format!("{base}/set-up/{owner}.{token}")), until))
}

/// What the link is for; `None`: it was used, was replaced, has expired, or never existed.
pub(crate) async fn find_link(app: &App, link: &str) -> Result<Option<Link>, ApiError> {
    let Some((owner, token)) = link.split_once('.') else { return Ok(None) };
    let member: Option<MemberId> = match owner {
        FIRST => None,
        id => match id.parse() {
            Ok(id) => Some(id),
            Err(_) => return Ok(None),
        },
    };
    let found = app.store.invitation(member.as_ref(), app.clock.now()).await?;
    let matches = |found: &Invitation| bool::from(found.hash.as_bytes().ct_eq(secret_hash(token).as_bytes()));
    let Some(invitation) = found.filter(matches) else { return Ok(None) };
    let Some(id) = member else {
        let is_over = has_administrator(app).await?;
        return Ok((!is_over).then_some(Link::FirstAdministrator(invitation)));
    };
    let member = app.store.members().get(&id).await?;
    Ok(member.map(|member| Link::Password { invitation, member: Box::new(member) }))
}

/// Whether an administrator can sign in with a password.
async fn has_administrator(app: &App) -> Result<bool, ReadError> {
    let ids = app.store.accounts().await?.into_iter().map(|account| account.member).collect();
    let members = app.store.members().get_all(ids).await?;
    Ok(members.iter().any(|member| member.role == Role::Administrator))
}

/// Uses the link up and saves the password; for the first administrator, together with the member.
pub(crate) async fn use_link(
    app: &App,
    invitation: &Invitation,
    member: (Member, Option<Expect>),
    given: Secret,
) -> Result<LinkResult, ApiError> {
    password::check(&given)?;
    let hash = password::hash(given).await?;
    let (member, expect) = member;
    for _ in 0..RACES {
        let account = next_account(app, &member.id, hash.clone()).await?;
        let to_save = expect.map(|expect| (&member, expect));
        match app.store.accept(invitation, &account, to_save, app.clock.now()).await.map_err(ApiError::from)? {
            Accepted::Done => return Ok(LinkResult::Done { member: Box::new(member), epoch: account.epoch }),
            Accepted::Gone => return Ok(LinkResult::Gone),
            Accepted::Changed => {}
        }
    }
    Err(ApiError::conflict("someone changed the same member meanwhile; try again"))
}

/// The link by which the first administrator signs in, for an operator; `None` if an administrator can sign in already.
pub async fn set_up_link(app: &App) -> Result<Option<Secret>, SetUpError> {
    let base = app.base_url.as_deref().ok_or(SetUpError::NoBase)?.trim_end_matches('/');
    make_set_up_link(app, base).await.map_err(|error| match error {
        ApiError::Internal(source) => SetUpError::Failed(source),
        other => SetUpError::Failed(other.sentence().into()),
    })
}

/// Why there is no link for the first administrator.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    #[error("BASE_URL is not set, so nobody knows what the link would begin with")]
    NoBase,
    #[error("the set-up link could not be made")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
