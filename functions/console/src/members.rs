//! Creating and changing members, for the API and for the pages.

use std::collections::BTreeMap;

use alerting::base::ids::MemberId;
use alerting::people::destination::Language;
use alerting::people::hours::Zone;
use alerting::people::{AddressedBy, Member, Role, Verified};
use channels::catalogue::media;
use lambda_kit::random;
use store::config::Expect;

use crate::app::App;
use crate::dto::member::{MemberBody, Own};
use crate::error::ApiError;
use crate::references::{all_exist, destinations_of};
use crate::saved::{self, save_over};
use crate::verification;

/// Creates a member. `who` is recorded as the one who vouches for an address.
pub(crate) async fn create_member(app: &App, body: &MemberBody, who: &str) -> Result<Member, ApiError> {
    let member = wanted(app, body, new_member(app), who).await?;
    app.store.members().put(&member, Expect::New).await.map_err(ApiError::from)
}

/// A new member without name, addresses and preferences.
pub(crate) fn new_member(app: &App) -> Member {
    Member {
        id: MemberId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id"),
        version: 0,
        name: String::new(),
        email: None,
        email_verified: None,
        phone: None,
        phone_verified: None,
        email_pending: None,
        phone_pending: None,
        sign_in: None,
        language: Language::default(),
        time_zone: Zone::utc(),
        role: Role::default(),
        preferences: BTreeMap::new(),
        identities: BTreeMap::new(),
        links: Vec::new(),
        created_at: app.clock.now(),
    }
}

/// Saves the changes that `who` requests, and informs each address that was replaced.
pub(crate) async fn change(
    app: &App,
    id: &MemberId,
    who: &str,
    body: impl Fn(&Member) -> MemberBody,
) -> Result<Member, ApiError> {
    let saved = save_over(|| async {
        let before = saved::member(app, id).await?;
        let expect = Expect::Version(before.version);
        let member = wanted(app, &body(&before), before.clone(), who).await?;
        Ok(app.store.members().put(&member, expect).await.map(|saved| (before, saved)))
    });
    let (before, saved) = saved.await?;
    verification::notify_replaced(app, &before, &saved, who).await;
    Ok(saved)
}

/// Saves a member's changes to their own data. A verified address, or one that can be confirmed, stays in use until the
/// code for the new address is entered, so that a mistyped or foreign address replaces nothing.
pub(crate) async fn change_own(app: &App, member: &Member, own: Own) -> Result<Member, ApiError> {
    let mut stays = Vec::new();
    for by in AddressedBy::ALL {
        if member.verified(by).is_some() || verification::can_confirm(app, by).await? {
            stays.push(by);
        }
    }
    let saved = save_over(|| async {
        let before = saved::member(app, &member.id).await?;
        let expect = Expect::Version(before.version);
        let body = MemberBody::own(&before, own.clone())?;
        let mut after = wanted(app, &body, before.clone(), &member.name).await?;
        stays.iter().for_each(|by| keep_old(&before, &mut after, *by));
        Ok(app.store.members().put(&after, expect).await.map(|saved| (before, saved)))
    });
    let (before, saved) = saved.await?;
    verification::notify_replaced(app, &before, &saved, &member.name).await;
    Ok(saved)
}

fn keep_old(before: &Member, after: &mut Member, by: AddressedBy) {
    let (old, new) = (before.address(by).map(str::to_owned), after.address(by).map(str::to_owned));
    if let (Some(old), Some(new)) = (old, new)
        && old != new
    {
        after.set_address(by, Some(old));
        after.set_verified(by, before.verified(by).cloned());
        after.set_pending(by, Some(new));
    }
}

/// Discards the new address that waits for its code.
pub(crate) async fn forget_pending(app: &App, id: &MemberId, by: AddressedBy) -> Result<Member, ApiError> {
    let saved = save_over(|| async {
        let mut member = saved::member(app, id).await?;
        let expect = Expect::Version(member.version);
        member.set_pending(by, None);
        Ok(app.store.members().put(&member, expect).await)
    });
    saved.await
}

/// `before` with the changes that `who` requests, after a check that its destinations exist.
pub(crate) async fn wanted(app: &App, body: &MemberBody, before: Member, who: &str) -> Result<Member, ApiError> {
    let vouched = Verified { at: app.clock.now(), vouched_by: Some(who.to_owned()) };
    let member = body.apply(before, &media(), &vouched)?;
    let named = member.preferences.iter();
    let named = named.flat_map(|(severity, contacts)| destinations_of(&format!("preferences.{severity}"), contacts));
    all_exist(app.store.destinations(), "destination", &named.collect::<Vec<_>>()).await?;
    Ok(member)
}
