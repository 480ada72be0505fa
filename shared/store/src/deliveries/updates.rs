//! The conditional updates of a delivery: what a claim and a mark write, and on which condition.

use std::time::Duration;

use alerting::base::limits;
use alerting::base::moment::Moment;
use aws_sdk_dynamodb::types::AttributeValue;

use super::cards::SentCard;
use super::{ATTEMPTS, Attempt, ChangeState, Delivery};
use crate::errors::WriteError;
use crate::item::{expiry, json, number, text};
use crate::keys::Key;
use crate::table::{Terms, Update};

/// A list this long is rewritten by a mark; a shorter one is appended to, which needs no read.
const LIST: usize = 50;

const CLAIM: &str = "SET #owner = :owner, #lease = :until, #expires = :expires, #sent = if_not_exists(#sent, :zero), \
                     #attempts = if_not_exists(#attempts, :none), #told = if_not_exists(#told, :none)";
/// Not delivered yet, and no other worker is sending it.
const CLAIMABLE: &str = "attribute_not_exists(pk) OR (#sent < :n AND \
                         (attribute_not_exists(#lease) OR #lease <= :now OR #owner = :owner))";
/// Nothing newer was delivered, this request was not carried out yet, and no other worker is sending it.
const CLAIMABLE_AGAIN: &str = "attribute_not_exists(pk) OR (#sent <= :n AND \
                               (attribute_not_exists(#asked) OR #asked < :asked) AND \
                               (attribute_not_exists(#lease) OR #lease <= :now OR #owner = :owner))";

/// The attributes of the lease and the lists, which every write here touches.
fn names() -> Terms {
    [("#owner", "owner"), ("#lease", "lease_until"), ("#attempts", "attempts"), ("#told", "told")]
        .into_iter()
        .fold(Terms::default(), |terms, (placeholder, attribute)| terms.name(placeholder, attribute))
}

pub(super) fn claim(key: Key, n: u64, owner: &str, now: Moment, lease: Duration) -> Update {
    Update {
        key,
        expression: CLAIM.to_owned(),
        condition: Some(CLAIMABLE.to_owned()),
        terms: names()
            .name("#sent", "sent")
            .name("#expires", "expires_at")
            .value(":owner", text(owner))
            .value(":until", number((now + lease).millis()))
            .value(":expires", expiry(now + limits::ALERT_AFTERLIFE))
            .value(":zero", number(0))
            .value(":none", AttributeValue::L(Vec::new()))
            .value(":n", number(n))
            .value(":now", number(now.millis())),
    }
}

/// Turns a claim into one for a request that a person made at `asked`.
pub(super) fn claim_again(claim: Update, asked: Moment) -> Update {
    let terms = claim.terms.name("#asked", "asked").value(":asked", number(asked.millis()));
    Update { condition: Some(CLAIMABLE_AGAIN.to_owned()), terms, ..claim }
}

/// What a mark records beside the attempt.
pub(super) struct Done {
    pub(super) at: Moment,
    pub(super) change: ChangeState,
    pub(super) asked: Option<Moment>,
    pub(super) cards: Option<Vec<SentCard>>,
}

/// The usual mark: appends without a read, because the lists are short.
pub(super) fn append(key: &Key, owner: &str, done: &Done, attempt: Option<&Attempt>) -> Result<Update, WriteError> {
    let attempts = attempt.map(|attempt| json(key, attempt)).transpose()?.into_iter().collect();
    let mut update = mark_update(key, owner, done)?;
    update.expression.push_str(", #told = list_append(#told, :told), #attempts = list_append(#attempts, :attempts)");
    update.expression.push_str(" REMOVE #owner, #lease");
    update.condition = Some("#owner = :owner AND size(#told) < :list AND size(#attempts) < :list".to_owned());
    update.terms = update
        .terms
        .value(":told", AttributeValue::L(vec![json(key, &done.change)?]))
        .value(":attempts", AttributeValue::L(attempts))
        .value(":list", number(LIST));
    Ok(update)
}

/// The mark of a delivery with long lists: rewrites the known lists, shortened, with the new entries.
pub(super) fn rewrite(
    key: &Key,
    owner: &str,
    done: &Done,
    known: Delivery,
    attempt: Option<Attempt>,
) -> Result<Update, WriteError> {
    let Delivery { mut attempts, mut changes, .. } = known;
    attempts.extend(attempt);
    while attempts.len() > ATTEMPTS {
        attempts.remove(1);
    }
    changes.retain(|earlier| earlier.n != done.change.n);
    changes.push(done.change);
    let list = |values: Result<Vec<_>, _>| values.map(AttributeValue::L);
    let mut update = mark_update(key, owner, done)?;
    update.expression.push_str(", #told = :told, #attempts = :attempts REMOVE #owner, #lease");
    update.condition = Some("#owner = :owner".to_owned());
    update.terms = update
        .terms
        .value(":told", list(changes.iter().map(|change| json(key, change)).collect())?)
        .value(":attempts", list(attempts.iter().map(|attempt| json(key, attempt)).collect())?);
    Ok(update)
}

/// The part that every mark sets. A lease for `n` is given only while `sent` is not greater, so `n` is the maximum.
fn mark_update(key: &Key, owner: &str, done: &Done) -> Result<Update, WriteError> {
    let mut expression = "SET #expires = :expires".to_owned();
    let mut terms = names()
        .name("#expires", "expires_at")
        .value(":expires", expiry(done.at + limits::ALERT_AFTERLIFE))
        .value(":owner", text(owner));
    if done.change.state.is_sent() {
        expression.push_str(", #sent = :n");
        terms = terms.name("#sent", "sent").value(":n", number(done.change.n));
    }
    if let Some(asked) = done.asked.filter(|_| done.change.state.is_final()) {
        expression.push_str(", #asked = :asked");
        terms = terms.name("#asked", "asked").value(":asked", number(asked.millis()));
    }
    if let Some(cards) = &done.cards {
        expression.push_str(", #cards = :cards");
        terms = terms.name("#cards", "cards").value(":cards", list_of(key, cards)?);
    }
    Ok(Update { key: key.clone(), expression, condition: None, terms })
}

/// Changes the cards of a delivery, as long as they are `known`.
pub(super) fn replace_cards(key: Key, known: &[SentCard], cards: &[SentCard]) -> Result<Update, WriteError> {
    let terms = Terms::default()
        .name("#cards", "cards")
        .value(":known", list_of(&key, known)?)
        .value(":cards", list_of(&key, cards)?);
    let (expression, condition) = ("SET #cards = :cards".to_owned(), Some("#cards = :known".to_owned()));
    Ok(Update { key, expression, condition, terms })
}

fn list_of(key: &Key, cards: &[SentCard]) -> Result<AttributeValue, WriteError> {
    Ok(AttributeValue::L(cards.iter().map(|card| json(key, card)).collect::<Result<_, _>>()?))
}
