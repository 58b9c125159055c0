//! Unfinished files: written under a temporary name, and renamed once they are complete and synced.

use crate::server::random::bits;
use crate::server::store::OpenError;
use crate::server::store::database::file_system::directory_of;
use crate::server::store::database::files::{beside, io_error, sync_directory};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Prefix and suffix of the names of unfinished files, with a random number between them.
const UNFINISHED_PREFIX: &str = ".parlour-";
const UNFINISHED_SUFFIX: &str = ".unfinished";

/// A function that renames a file, and fails with [`ErrorKind::AlreadyExists`] if the target exists.
type Rename = fn(&Path, &Path) -> std::io::Result<()>;

/// Rename functions, the best first. No file system supports all of them.
const RENAME_FUNCTIONS: [Rename; 3] = [rename_exclusively, link, claim];

/// An unfinished file. Dropping it removes the file and the files that SQLite keeps beside it.
pub(crate) struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// Creates an empty file, accessible to its owner only, in the directory of `target`.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be created.
    pub(crate) fn beside(target: &Path) -> Result<Self, OpenError> {
        // SQLite takes a path that begins with `file:` for a URL.
        let directory = std::path::absolute(directory_of(target)).map_err(|error| io_error(target, error))?;
        if directory.to_str().is_none() {
            let what = "is in a directory whose name is not UTF-8; SQLite cannot create files there";
            return Err(OpenError::File { path: target.display().to_string(), what: what.to_owned() });
        }
        let number = bits()[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let path = directory.join(format!("{UNFINISHED_PREFIX}{number}{UNFINISHED_SUFFIX}"));
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        made.map_err(|error| io_error(&path, error))?;
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Renames the file, which must be synced, to `target`, and syncs the directory.
    ///
    /// # Errors
    ///
    /// Returns an error, and changes nothing, if `target` exists.
    pub(crate) fn publish(self, target: &Path) -> Result<(), OpenError> {
        let mut renamed = Ok(());
        for rename in RENAME_FUNCTIONS {
            renamed = rename(&self.path, target);
            if renamed.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::AlreadyExists) {
                break;
            }
        }
        match renamed.and_then(|()| sync_directory(target)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(OpenError::exists(target)),
            published => published.map_err(|error| io_error(target, error)),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(beside(&self.path, end));
        }
    }
}

/// Returns whether a file of this name was left by a process that was killed.
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.starts_with(UNFINISHED_PREFIX) && name.contains(UNFINISHED_SUFFIX)
}

fn rename_exclusively(from: &Path, to: &Path) -> std::io::Result<()> {
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

/// For file systems without `RENAME_NOREPLACE`. Dropping the file removes its first name.
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::hard_link(from, to)
}

/// For file systems without hard links: creates an empty file that reserves the name, and replaces it.
fn claim(from: &Path, to: &Path) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    fs::rename(from, to).inspect_err(|_| {
        let _ = fs::remove_file(to);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_gives_the_name_and_replaces_nothing() {
        for (number, rename) in RENAME_FUNCTIONS.into_iter().enumerate() {
            let directory = tempfile::tempdir().unwrap();
            let at = |name: &str| directory.path().join(name);
            fs::write(at("first"), "first").unwrap();
            fs::write(at("second"), "second").unwrap();
            rename(&at("first"), &at("target")).unwrap_or_else(|error| panic!("{number}: {error}"));
            assert_eq!(rename(&at("second"), &at("target")).unwrap_err().kind(), ErrorKind::AlreadyExists, "{number}");
            assert_eq!(fs::read_to_string(at("target")).unwrap(), "first", "{number}");
            assert_eq!(fs::read_to_string(at("second")).unwrap(), "second", "{number}");
            std::os::unix::fs::symlink("nowhere", at("link")).unwrap();
            assert!(rename(&at("second"), &at("link")).is_err(), "{number}: a link is something, too");
        }
    }

    #[test]
    fn an_unfinished_file_goes_unless_it_is_published() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("target");
        let names =
            || -> Vec<_> { fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect() };
        drop(Unfinished::beside(&target).unwrap());
        assert!(names().is_empty());
        let [one, other] = [Unfinished::beside(&target).unwrap(), Unfinished::beside(&target).unwrap()];
        assert!(is_unfinished(&one.path().file_name().unwrap().to_string_lossy()));
        one.publish(&target).unwrap();
        assert!(other.publish(&target).is_err());
        assert_eq!(names(), ["target"]);
    }
}
