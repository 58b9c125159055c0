//! Files of the embedded database: accessible to one user only, and on a file system that SQLite can rely on.

use super::file_system::{self, directory_of};
use crate::server::store::{OpenError, Store};
use crate::server::telemetry::outage::Outage;
use rustix::fs::{Access, Gid, Uid};
use sea_orm::DbErr;
use std::ffi::OsStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Suffixes of the files that SQLite keeps beside a database.
const SIDE_FILES: [&str; 2] = ["-wal", "-shm"];

/// Suffix of the lock file.
const LOCK: &str = ".lock";

/// An SQLite file that this process has opened, and its lock.
pub(crate) struct HeldFile {
    path: PathBuf,
    /// Device and inode of the file.
    identity: (u64, u64),
    moved: Outage,
    lock: File,
}

impl HeldFile {
    /// Returns the database file at `path`, which is open, with its lock.
    ///
    /// # Errors
    ///
    /// Returns an error if the file is not there.
    pub(crate) fn new(path: &Path, lock: File) -> Result<Self, OpenError> {
        let identity = identity(path).map_err(|error| io_error(path, error))?;
        let moved = Outage::new(
            "The database was deleted, moved or replaced under the server; nothing is stored until it is back or the \
             server is restarted",
            "The database is back in its place",
        );
        Ok(Self { path: path.to_owned(), identity, moved, lock })
    }

    /// Returns the path at which the file was opened.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns device and inode of the file.
    pub(crate) fn identity(&self) -> (u64, u64) {
        self.identity
    }

    /// Returns the lock file, which is locked.
    pub(crate) fn lock(&self) -> &File {
        &self.lock
    }

    /// Returns the size of the file and its write-ahead log, in bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the file is not there.
    pub(crate) fn size_bytes(&self) -> io::Result<u64> {
        let log = beside(&self.path, SIDE_FILES[0]).metadata().map_or(0, |log| log.len());
        Ok(self.path.metadata()?.len() + log)
    }

    /// Returns an error if the path no longer leads to this file: writes to it would end with the process.
    fn assert_in_place(&self) -> Result<(), DbErr> {
        let problem = match identity(&self.path) {
            Ok(found) if found == self.identity => {
                self.moved.over();
                return Ok(());
            }
            Ok(_) => format!("{} is another file now", self.path.display()),
            Err(error) => format!("{}: {error}", self.path.display()),
        };
        self.moved.failed(&problem);
        Err(DbErr::Custom(problem))
    }
}

impl Store {
    /// Checks whether the SQLite file is still where it was opened.
    ///
    /// # Errors
    ///
    /// Returns an error if it was deleted, moved or replaced.
    pub(crate) fn assert_in_place(&self) -> Result<(), DbErr> {
        self.held.as_ref().map_or(Ok(()), |held| held.assert_in_place())
    }
}

/// Returns device and inode of a file.
pub(super) fn identity(path: &Path) -> io::Result<(u64, u64)> {
    path.metadata().map(|file| (file.dev(), file.ino()))
}

/// Locks `FILE.lock`. The system releases the lock when the process ends, for any reason. Creates the directory if it
/// is missing.
///
/// # Errors
///
/// Returns [`OpenError::InUse`] if another process holds the lock.
pub(crate) fn lock_file(file: &Path) -> Result<File, OpenError> {
    file_system::examine(file)?;
    if let Some(directory) = file.parent() {
        let private = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        private.map_err(|error| io_error(directory, error))?;
    }
    let path = lock_path(file);
    assert_accessible(&path)?;
    let lock = open_private(&path)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(OpenError::InUse(file.display().to_string())),
        Err(std::fs::TryLockError::Error(error)) => Err(io_error(&path, error)),
    }
}

/// Returns the path of a database's shared memory, which begins with the index of its write-ahead log.
pub(super) fn shared_memory_path(file: &Path) -> PathBuf {
    beside(file, SIDE_FILES[1])
}

/// Returns the path of a database's lock file.
pub(crate) fn lock_path(file: &Path) -> PathBuf {
    beside(file, LOCK)
}

/// Opens a file for writing. Creates it if it does not exist, accessible only to its owner, who is the owner of its
/// directory.
///
/// # Errors
///
/// Returns an error if the file can neither be opened nor created.
pub(crate) fn open_private(path: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            give_to_owner(&file, path);
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            options.create(true).truncate(false).open(path).map_err(|error| io_error(path, error))
        }
        Err(error) => Err(io_error(path, error)),
    }
}

/// Gives a file that root has created to the owner of the directory of `path`, because a server that is not root has to
/// open it. SQLite does the same with the files that it creates beside a database.
pub(crate) fn give_to_owner(file: &File, path: &Path) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let Ok(owner) = directory_of(path).metadata() else { return };
    let (uid, gid) = (Uid::from_raw(owner.uid()), Gid::from_raw(owner.gid()));
    if !uid.is_root()
        && let Err(error) = rustix::fs::fchown(file, Some(uid), Some(gid))
    {
        tracing::warn!(%error, uid = owner.uid(), "Changing the owner of {} to the owner of its directory failed", path.display());
    }
}

/// Checks that this user may read and write the database's files.
///
/// # Errors
///
/// Returns an error that names the first file for which this is not so.
pub(crate) fn assert_all_accessible(file: &Path) -> Result<(), OpenError> {
    let beside_it = SIDE_FILES.into_iter().chain([LOCK]).map(|end| beside(file, end));
    std::iter::once(file.to_owned()).chain(beside_it).try_for_each(|path| assert_accessible(&path))
}

fn assert_accessible(path: &Path) -> Result<(), OpenError> {
    if rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK) != Err(rustix::io::Errno::ACCESS) {
        return Ok(());
    }
    let owner = path.metadata().map_or_else(|_| "another user".to_owned(), |file| format!("user {}", file.uid()));
    let remedy = "run parlour as that user (sudo -u), or change the owner (chown)";
    Err(OpenError::File { path: path.display().to_string(), what: format!("belongs to {owner}: {remedy}") })
}

/// Returns whether a process has the database open, or ended without closing it.
pub(crate) fn has_side_files(file: &Path) -> bool {
    SIDE_FILES.iter().all(|end| beside(file, end).exists())
}

/// Returns the path with `end` appended to its name.
pub(crate) fn beside(file: &Path, end: impl AsRef<OsStr>) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(end);
    path.into()
}

/// Syncs the directory of a file, which makes the file's name durable. Does nothing if the file system does not support
/// this.
///
/// # Errors
///
/// Returns an error if the sync fails.
pub(crate) fn sync_directory(file: &Path) -> io::Result<()> {
    match File::open(directory_of(file))?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

pub(crate) fn io_error(path: &Path, error: io::Error) -> OpenError {
    OpenError::Io { path: path.display().to_string(), error }
}
