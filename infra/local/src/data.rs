//! The data directory: used by one process at a time, and readable by its owner only.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use alerting::base::secret::Secret;
use anyhow::{Context as _, bail};

/// Files that hold a secret each.
const SECRETS: [&str; 2] = ["data-key", "api-key"];

/// An open data directory; locked until it is dropped.
#[derive(Debug)]
pub(crate) struct Data {
    path: PathBuf,
    _lock: File,
}

impl Data {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let context = || format!("cannot use {} for data", path.display());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(context)?;
        close_to_others(path).with_context(context)?;
        let lock = private().write(true).create(true).truncate(false).open(path.join("lock")).with_context(context)?;
        match lock.try_lock() {
            Ok(()) => {
                close_files_to_others(path).with_context(context)?;
                Ok(Self { path: path.to_owned(), _lock: lock })
            }
            Err(TryLockError::WouldBlock) => bail!("another Larkspur works with {}", path.display()),
            Err(TryLockError::Error(error)) => Err(error).with_context(context),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The secret in this file. If there is none, `make` creates it, and it is stored.
    pub(crate) fn secret(&self, file: &str, make: impl FnOnce() -> String) -> anyhow::Result<Secret> {
        let path = self.path.join(file);
        if let Some(text) = self.read(file)? {
            let mode = fs::metadata(&path)?.permissions().mode();
            anyhow::ensure!(mode & 0o077 == 0, "{} can be read by others: chmod 600 it", path.display());
            return Ok(Secret::new(text.trim()));
        }
        let text = make();
        self.write(file, &text)?;
        Ok(Secret::new(text))
    }

    /// A small file's text.
    pub(crate) fn read(&self, file: &str) -> anyhow::Result<Option<String>> {
        let path = self.path.join(file);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Writes a small file that only its owner can read. It is written as a whole or not at all.
    pub(crate) fn write(&self, file: &str, text: &str) -> anyhow::Result<()> {
        let (path, fresh) = (self.path.join(file), self.path.join(format!("{file}.new")));
        let write = || -> std::io::Result<()> {
            let mut file = private().write(true).create(true).truncate(true).open(&fresh)?;
            file.write_all(text.as_bytes())?;
            // Losing the data key would make every sealed setting unreadable.
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Makes a file that only its owner can read, if there is none. `SQLite` gives the files beside a database its mode
/// (<https://sqlite.org/wal.html>).
pub(crate) fn make_private(path: &Path) -> std::io::Result<()> {
    private().append(true).create(true).open(path).map(drop)
}

/// Makes a directory private. A directory that everybody shares, such as `/tmp`, is left as it is, because it is not
/// ours.
fn close_to_others(directory: &Path) -> std::io::Result<()> {
    const STICKY: u32 = 0o1000;
    let mode = fs::metadata(directory)?.permissions().mode();
    if mode & STICKY != 0 {
        return Err(std::io::Error::other("others share this directory; name one of its own"));
    }
    if mode & 0o077 == 0 { Ok(()) } else { fs::set_permissions(directory, fs::Permissions::from_mode(0o700)) }
}

/// Makes the files private, also those of earlier versions. The secrets stay as they are: one that others could read is
/// reported instead.
fn close_files_to_others(directory: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        match close_file_to_others(&entry?) {
            // The previous process may still be removing its journals.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            done => done?,
        }
    }
    Ok(())
}

fn close_file_to_others(entry: &fs::DirEntry) -> std::io::Result<()> {
    let (name, metadata) = (entry.file_name(), entry.metadata()?);
    let is_secret = SECRETS.iter().any(|secret| name == *secret);
    if metadata.is_file() && !is_secret && metadata.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// 32 random bytes in hexadecimal digits.
pub(crate) fn random_hex() -> String {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_can_read_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("deep/data");
        let data = Data::open(&path).expect("opened");
        let first = data.secret("data-key", random_hex).expect("made");
        assert_eq!(first.expose().len(), 64);
        assert_eq!(data.secret("data-key", || panic!("made twice")).expect("kept"), first);
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&path.join("data-key")), 0o600);
        assert_eq!(mode(&path), 0o700);
        fs::set_permissions(path.join("data-key"), fs::Permissions::from_mode(0o644)).expect("opened up");
        assert!(data.secret("data-key", random_hex).is_err());
    }

    // Proves: finding B5
    #[test]
    fn a_directory_and_files_that_others_can_read_are_closed_to_them() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("data");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        fs::create_dir(&path).expect("made");
        for name in ["tables.sqlite", "tables.sqlite-wal"] {
            fs::write(path.join(name), "").expect("written");
            fs::set_permissions(path.join(name), fs::Permissions::from_mode(0o644)).expect("opened up");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("opened up");
        let data = Data::open(&path).expect("opened");
        data.write("demo.json", "{}").expect("written");
        make_private(&path.join("queues.sqlite")).expect("made");
        assert_eq!(mode(&path), 0o700);
        for name in ["tables.sqlite", "tables.sqlite-wal", "demo.json", "queues.sqlite", "lock"] {
            assert_eq!(mode(&path.join(name)), 0o600, "{name}");
        }
    }

    #[test]
    fn a_directory_that_everybody_shares_is_not_used() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o1777)).expect("opened up");
        let refused = format!("{:#}", Data::open(directory.path()).expect_err("shared"));
        assert!(refused.contains("name one of its own"), "{refused}");
    }

    #[test]
    fn one_process_at_a_time() {
        let directory = tempfile::tempdir().expect("a directory");
        let first = Data::open(directory.path()).expect("opened");
        assert!(Data::open(directory.path()).expect_err("locked").to_string().contains("another Larkspur"));
        drop(first);
        assert!(Data::open(directory.path()).is_ok());
    }
}
