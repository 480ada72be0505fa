//! Silences of a space: created from a form or for alerts like those of an incident, replaced, ended.
//!
//! In: a [`SilenceDraft`], or an incident and the labels that count ([`like`]). Out: the silence as it is saved. Example:
//! two hours for an incident "disk full" with `host=db-1` → a silence of alerts with this title and this host.
//!
//! A change of a silence is announced first: a little over a minute later `timers` reviews all held incidents of the
//! space, even if this process dies in between.

pub mod like;

use alerting::base::field_error::FieldError;
use alerting::base::ids::{IncidentId, SilenceId, SpaceId, hash128};
use alerting::base::moment::Moment;
use alerting::incident::silence::{SILENCES, Silence, SilenceAction, SilenceTime};
use alerting::incident::space::Space;
use alerting::incident::timer::{FOLLOW_UP_AFTER, Timer, Work};
use alerting::rules::filter::Filter;
use dispatch::Dispatch;
use lambda_kit::random;
use store::Store;
use store::config::Expect;
use store::errors::{ReadError, SaveError, WriteError};

use crate::saving::{Raced, save_over};

/// The fields of a silence that people set.
#[derive(Debug, Clone)]
pub struct SilenceDraft {
    pub name: String,
    pub filter: Filter,
    pub time: SilenceTime,
    pub then: SilenceAction,
}

/// Why a silence was not saved or ended.
#[derive(Debug, thiserror::Error)]
pub enum SilenceError {
    #[error("there is no space {0}")]
    NoSpace(SpaceId),
    #[error("there is no silence {silence} in space {space}")]
    NoSilence { silence: SilenceId, space: SpaceId },
    #[error("there is no incident {0}")]
    NoIncident(IncidentId),
    #[error("the alert of this incident is gone")]
    NoAlert,
    #[error("a space has at most {SILENCES} silences; delete one first")]
    TooMany,
    #[error(transparent)]
    Invalid(#[from] FieldError),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    Raced(#[from] Raced),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Creates a silence. `created_by`: by name, as it is shown.
pub async fn create(
    dispatch: &Dispatch,
    space: &SpaceId,
    draft: SilenceDraft,
    created_by: String,
) -> Result<Silence, SilenceError> {
    let now = dispatch.clock.now();
    let silence = new(random_id(), draft, created_by, now);
    add(&dispatch.store, space, &silence, now).await
}

/// Replaces the fields of a silence that people set.
pub async fn replace(
    dispatch: &Dispatch,
    space: &SpaceId,
    id: &SilenceId,
    draft: &SilenceDraft,
) -> Result<Silence, SilenceError> {
    let (store, now) = (&dispatch.store, dispatch.clock.now());
    announce_review(dispatch, space, id).await?;
    let saved = save_over(async || {
        let mut space = found(store, space).await?;
        let position = position_of(&space, id)?;
        let SilenceDraft { name, filter, time, then } = draft.clone();
        let silence = Silence { name, filter, time, then, ..space.silences[position].clone() };
        space.check_silence(&silence, now)?;
        space.silences[position] = silence.clone();
        let saved = store.spaces().put(&space, Expect::Version(space.version)).await;
        Ok::<_, SilenceError>(saved.map(|_| silence))
    });
    let silence = saved.await?;
    review(dispatch, Work::ReviewHolds { space: space.clone(), below: None }).await;
    Ok(silence)
}

/// Ends a silence: it is deleted.
pub async fn end(dispatch: &Dispatch, space: &SpaceId, id: &SilenceId) -> Result<(), SilenceError> {
    let store = &dispatch.store;
    announce_review(dispatch, space, id).await?;
    let saved = save_over(async || {
        let mut space = found(store, space).await?;
        space.silences.remove(position_of(&space, id)?);
        Ok::<_, SilenceError>(store.spaces().put(&space, Expect::Version(space.version)).await)
    });
    saved.await?;
    review(dispatch, Work::ReviewHolds { space: space.clone(), below: None }).await;
    Ok(())
}

/// A silence of a space, as it is saved.
pub async fn read(store: &Store, space: &SpaceId, id: &SilenceId) -> Result<Silence, SilenceError> {
    let space = found(store, space).await?;
    Ok(space.silences[position_of(&space, id)?].clone())
}

fn new(id: SilenceId, draft: SilenceDraft, created_by: String, now: Moment) -> Silence {
    let SilenceDraft { name, filter, time, then } = draft;
    Silence { id, name, filter, time, then, created_by, created_at: now }
}

fn random_id() -> SilenceId {
    SilenceId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id")
}

/// The id of a silence, the same for every request of the same name.
fn id_of(action_name: &str) -> SilenceId {
    SilenceId::from_suffix(&hash128(&[action_name])[..16]).expect("hex digits make an id")
}

/// Adds a new silence to its space, unless the space has one with this id, because the request was carried out before.
async fn add(store: &Store, space: &SpaceId, silence: &Silence, now: Moment) -> Result<Silence, SilenceError> {
    let saved = save_over(async || {
        let mut space = found(store, space).await?;
        if let Some(before) = space.silences.iter().find(|known| known.id == silence.id) {
            return Ok(Ok(before.clone()));
        }
        space.check_silence(silence, now)?;
        make_room(&mut space, now)?;
        space.silences.push(silence.clone());
        let saved = store.spaces().put(&space, Expect::Version(space.version)).await;
        Ok::<_, SilenceError>(saved.map(|_| silence.clone()))
    });
    saved.await
}

/// Announces a review before a silence changes: a little over a minute later all held incidents of the space are
/// reviewed. By then every process knows the current silences, and no incident is made by the former ones. Nothing is
/// written for a silence that the space does not have.
async fn announce_review(dispatch: &Dispatch, space: &SpaceId, id: &SilenceId) -> Result<(), SilenceError> {
    position_of(&found(&dispatch.store, space).await?, id)?;
    let work = Work::ReviewHolds { space: space.clone(), below: None };
    Ok(dispatch.store.put_timer(&Timer::new(dispatch.clock.now() + FOLLOW_UP_AFTER, work)).await?)
}

/// Queues the review at once. If it cannot be queued, the announced one does the same.
async fn review(dispatch: &Dispatch, work: Work) {
    let timer = Timer::new(dispatch.clock.now(), work);
    if let Err(error) = dispatch.set_timers(vec![timer]).await {
        tracing::error!(error = &error as &dyn std::error::Error, "held incidents are reviewed later");
    }
}

/// Removes expired silences if the space is full. Until then they stay readable.
fn make_room(space: &mut Space, now: Moment) -> Result<(), SilenceError> {
    if space.silences.len() < SILENCES {
        return Ok(());
    }
    space.silences.retain(|silence| !silence.is_over(now));
    if space.silences.len() < SILENCES {
        return Ok(());
    }
    Err(SilenceError::TooMany)
}

async fn found(store: &Store, id: &SpaceId) -> Result<Space, SilenceError> {
    store.spaces().get(id).await?.ok_or_else(|| SilenceError::NoSpace(id.clone()))
}

fn position_of(space: &Space, id: &SilenceId) -> Result<usize, SilenceError> {
    let position = space.silences.iter().position(|silence| silence.id == *id);
    position.ok_or_else(|| SilenceError::NoSilence { silence: id.clone(), space: space.id.clone() })
}
