//! One list out of several partitions that are each sorted by stamp, newest first.
//!
//! A filter may refuse most of what is read, so the work is bounded by pages read, not by items found: when the budget
//! is spent, the page says where to go on, even if it is empty. An item is returned only when every partition has been
//! read down to its stamp.

use std::fmt;
use std::str::FromStr;

use alerting::base::ids::Stamp;

use crate::concurrently::concurrently;
use crate::connection::Store;
use crate::errors::ReadError;
use crate::item::{Item, Reader};
use crate::page::Page;
use crate::table::{Part, Range, Table};

/// Pages read beyond the first one of each partition.
const MORE_PAGES: usize = 64;
/// The fewest items of one page: fewer are not worth the request.
const PAGE_MIN: usize = 8;

/// Where a page ends. Stamps alone do not say: one alert makes an incident of the same stamp in each of its spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    stamp: Stamp,
    /// Items with this stamp have been returned from the partitions up to this one; `None`: from all partitions.
    place: Option<String>,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{}.{place}", self.stamp),
            None => write!(f, "{}", self.stamp),
        }
    }
}

/// The text is not a cursor of such a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct NoCursor;

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let (stamp, place) = text.split_once('.').map_or((text, None), |(stamp, place)| (stamp, Some(place)));
        let is_place = |place: &str| !place.is_empty() && place.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
        if place.is_some_and(|place| !is_place(place)) {
            return Err(NoCursor);
        }
        Ok(Self { stamp: stamp.parse().map_err(|_| NoCursor)?, place: place.map(str::to_owned) })
    }
}

impl Cursor {
    /// The sort key below which the rest of the partition is.
    fn below(&self, partition: &str) -> String {
        match &self.place {
            Some(place) if place_of(partition) > place.as_str() => self.stamp.successor().to_string(),
            _ => self.stamp.to_string(),
        }
    }
}

/// The part of a partition's name that differs within the list: the id after the kind.
fn place_of(partition: &str) -> &str {
    partition.rsplit_once('#').map_or(partition, |(_, id)| id)
}

/// An item of the list, with its position.
struct Found<T> {
    sort: String,
    place: String,
    item: T,
}

/// One partition, read from its newest item down.
struct Source {
    partition: String,
    /// Sort key of the oldest item read; everything newer has been seen.
    seen_to: Option<String>,
    exhausted: bool,
}

/// At most `limit` items that `take` does not refuse, of all the partitions, older than `after`.
pub(crate) async fn newest_first<T>(
    store: &Store,
    partitions: Vec<String>,
    after: Option<Cursor>,
    limit: usize,
    take: impl Fn(&Item) -> Result<Option<T>, ReadError>,
) -> Result<Page<T>, ReadError> {
    let size = (2 * limit / partitions.len().max(1)).max(PAGE_MIN);
    let first = |partition: String| {
        let below = after.as_ref().map(|after| after.below(&partition));
        read(store.clone(), partition, below, size)
    };
    let reads = concurrently(partitions, first).await?;
    let mut found: Vec<Found<T>> = Vec::new();
    let mut sources = Vec::with_capacity(reads.len());
    for (source, items) in reads {
        keep(&items, &take, &mut found)?;
        sources.push(source);
    }
    for _ in 0..MORE_PAGES {
        let Some(behind) = behind(&sources) else { break };
        if found.iter().filter(|one| Some(&one.sort) >= sources[behind].seen_to.as_ref()).count() > limit {
            break;
        }
        let Source { partition, seen_to, .. } = sources.swap_remove(behind);
        let (source, items) = read(store.clone(), partition, seen_to, size).await?;
        keep(&items, &take, &mut found)?;
        sources.push(source);
    }
    let seen_to = behind(&sources).and_then(|behind| sources[behind].seen_to.clone());
    Ok(page(found, seen_to, limit))
}

/// The partition with further pages that has been read down least far.
fn behind(sources: &[Source]) -> Option<usize> {
    let open = sources.iter().enumerate().filter(|(_, source)| !source.exhausted);
    open.max_by(|(_, one), (_, other)| one.seen_to.cmp(&other.seen_to)).map(|(index, _)| index)
}

async fn read(
    store: Store,
    partition: String,
    below: Option<String>,
    size: usize,
) -> Result<(Source, Vec<Item>), ReadError> {
    let part = Part::all(&partition).range(Range::Newest { below: below.clone() }).limit(size);
    let rows = store.query(Table::Alerts, &part, None).await?;
    let seen_to = rows.items.last().map(|item| Reader::new(item).name().sk).or(below);
    Ok((Source { partition, seen_to, exhausted: rows.next.is_none() }, rows.items))
}

fn keep<T>(
    items: &[Item],
    take: &impl Fn(&Item) -> Result<Option<T>, ReadError>,
    found: &mut Vec<Found<T>>,
) -> Result<(), ReadError> {
    for item in items {
        if let Some(item_taken) = take(item)? {
            let name = Reader::new(item).name();
            found.push(Found { sort: name.sk, place: place_of(&name.pk).to_owned(), item: item_taken });
        }
    }
    Ok(())
}

/// `seen_to`: the stamp below which items may be missing.
fn page<T>(mut found: Vec<Found<T>>, seen_to: Option<String>, limit: usize) -> Page<T> {
    found.sort_by(|one, other| other.sort.cmp(&one.sort).then_with(|| one.place.cmp(&other.place)));
    if let Some(seen_to) = &seen_to {
        found.retain(|one| one.sort >= *seen_to);
    }
    let cursor = |last: &Found<T>| format!("{}.{}", last.sort, last.place);
    let next = if found.len() > limit { found[..limit].last().map(cursor) } else { seen_to };
    found.truncate(limit);
    Page { items: found.into_iter().map(|one| one.item).collect(), next }
}
