//! The messages of the groups, one JSON line each, so that a page looks the same after a restart.
//!
//! Each line is appended by one `write`, so killing the process loses no message that was answered. A last line that is
//! incomplete, because the disk was full, is skipped. The file is rewritten, with the messages that are still kept, when
//! it is opened and when it grows long.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::group::KEPT;
use crate::seen::Seen;
use crate::vendor::Vendor;

/// Bytes of the file below which it is never rewritten.
const LONG: u64 = 8 * 1024 * 1024;

pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// Bytes at which it is rewritten: twice its length after the last time.
    limit: u64,
}

#[derive(Serialize, Deserialize)]
struct Entry<S> {
    vendor: Vendor,
    group: String,
    seen: S,
}

type Kept = Vec<(Vendor, String, Seen)>;

impl Journal {
    /// Opens the file; what it holds, oldest first.
    pub(crate) fn open(path: &Path) -> anyhow::Result<(Self, Kept)> {
        let kept = read(path)?;
        let (file, bytes) = rewrite(path, &kept)?;
        Ok((Self { path: path.to_owned(), file, bytes, limit: LONG.max(2 * bytes) }, kept))
    }

    /// A failure is logged: a page that shows less after a restart is no reason to refuse the message.
    pub(crate) fn append(&mut self, vendor: Vendor, group: &str, seen: &Seen) {
        let line = line(vendor, group, seen);
        if let Err(error) = self.file.write_all(line.as_bytes()).and_then(|()| self.shorten(line.len() as u64)) {
            tracing::warn!(error = &error as &dyn std::error::Error, "a group's message was not kept");
        }
    }

    fn shorten(&mut self, written: u64) -> std::io::Result<()> {
        self.bytes += written;
        if self.bytes > self.limit {
            let kept = read(&self.path).map_err(std::io::Error::other)?;
            (self.file, self.bytes) = rewrite(&self.path, &kept).map_err(std::io::Error::other)?;
            self.limit = LONG.max(2 * self.bytes);
        }
        Ok(())
    }
}

fn line(vendor: Vendor, group: &str, seen: &Seen) -> String {
    let entry = Entry { vendor, group: group.to_owned(), seen };
    let mut line = serde_json::to_string(&entry).expect("a message is plain data");
    line.push('\n');
    line
}

/// The last [`KEPT`] messages of each group.
fn read(path: &Path) -> anyhow::Result<Kept> {
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let mut entries: Vec<Entry<Seen>> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let mut newer: BTreeMap<(Vendor, String), usize> = BTreeMap::new();
    entries.reverse();
    entries.retain(|entry| {
        let count = newer.entry((entry.vendor, entry.group.clone())).or_default();
        *count += 1;
        *count <= KEPT
    });
    entries.reverse();
    Ok(entries.into_iter().map(|entry| (entry.vendor, entry.group, entry.seen)).collect())
}

fn rewrite(path: &Path, kept: &Kept) -> anyhow::Result<(File, u64)> {
    let text: String = kept.iter().map(|(vendor, group, seen)| line(*vendor, group, seen)).collect();
    let fresh = path.with_extension("new");
    let write = || -> std::io::Result<File> {
        // Only its owner may read it.
        let mut file = OpenOptions::new().mode(0o600).write(true).create(true).truncate(true).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        std::fs::rename(&fresh, path)?;
        OpenOptions::new().append(true).open(path)
    };
    let file = write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok((file, text.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rich::Run;
    use alerting::base::moment::Moment;

    #[test]
    fn an_incomplete_line_is_skipped_and_old_messages_are_dropped() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("groups.jsonl");
        let (mut journal, kept) = Journal::open(&path).expect("a new journal");
        assert!(kept.is_empty());
        for n in 0..KEPT + 3 {
            let lines = vec![vec![Run::plain(n.to_string())]];
            journal.append(Vendor::Slack, "ops", &Seen { lines, ..Seen::new(Moment::from_secs(1)) });
        }
        journal.file.write_all(b"{\"vendor\":\"sla").expect("written");
        let (_, kept) = Journal::open(&path).expect("an old journal");
        assert_eq!(kept.len(), KEPT);
        assert_eq!(kept[0].2.text(), "3");
    }
}
