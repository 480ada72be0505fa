//! One list out of several partitions that are each sorted by stamp, newest first.
//!
//! A filter may refuse most of what is read, so the work is bounded by pages read, not by items found: when the budget
//! is spent, the page says where to go on, even if it is empty. An item is returned only when every partition has been
//! read down to its stamp.

use alerting::ids::Stamp;

use crate::concurrently::concurrently;
use crate::errors::ReadError;
use crate::item::{Item, Reader};
use crate::table::{Part, Range, Table};
use crate::{Page, Store};

/// Pages read beyond the first one of each partition.
const MORE_PAGES: usize = 64;
/// Items of one page, at least: fewer than that are not worth the request.
const PAGE_MIN: usize = 8;

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
    after: Option<Stamp>,
    limit: usize,
    take: impl Fn(&Item) -> Result<Option<T>, ReadError>,
) -> Result<Page<T>, ReadError> {
    let size = (2 * limit / partitions.len().max(1)).max(PAGE_MIN);
    let after = after.map(|stamp| stamp.to_string());
    let reads = concurrently(partitions, |partition| read(store.clone(), partition, after.clone(), size)).await?;
    let mut found: Vec<(String, T)> = Vec::new();
    let mut sources = Vec::with_capacity(reads.len());
    for (source, items) in reads {
        keep(&items, &take, &mut found)?;
        sources.push(source);
    }
    for _ in 0..MORE_PAGES {
        let Some(behind) = behind(&sources) else { break };
        if found.iter().filter(|(sort, _)| Some(sort) >= sources[behind].seen_to.as_ref()).count() > limit {
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

/// The partition that has been read down least far of those that have more.
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
    found: &mut Vec<(String, T)>,
) -> Result<(), ReadError> {
    for item in items {
        if let Some(taken) = take(item)? {
            found.push((Reader::new(item).name().sk, taken));
        }
    }
    Ok(())
}

/// `seen_to`: below it something may be missing.
fn page<T>(mut found: Vec<(String, T)>, seen_to: Option<String>, limit: usize) -> Page<T> {
    found.sort_by(|one, other| other.0.cmp(&one.0));
    if let Some(seen_to) = &seen_to {
        found.retain(|(sort, _)| sort >= seen_to);
    }
    let next = if found.len() > limit { found[..limit].last().map(|last| last.0.clone()) } else { seen_to };
    found.truncate(limit);
    Page { items: found.into_iter().map(|(_, item)| item).collect(), next }
}
