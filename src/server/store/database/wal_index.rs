//! State of an SQLite database, read without a query: the header of the index of its write-ahead log. Every commit of
//! every process changes it. SQLite itself keeps the pages that it has read for as long as this header stays the same
//! (<https://sqlite.org/walformat.html>, section 2.1).

use super::files::{identity, shared_memory_path};
use crate::server::sync::lock;
use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Length of the header, in bytes. The index begins with two copies of it.
const HEADER_LEN: usize = 48;

/// Position of the byte that tells whether the header is valid.
const IS_VALID: usize = 12;

/// A state of the database. Equal states have the same contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DatabaseState([u8; HEADER_LEN]);

/// The index of a write-ahead log.
pub(crate) struct WalIndex {
    path: PathBuf,
    opened: Mutex<Option<OpenedIndex>>,
}

/// The file of an index. It is never closed: closing any handle on it would release the locks that SQLite holds on it in
/// this process (fcntl(2)).
struct OpenedIndex {
    /// Device and inode.
    identity: (u64, u64),
    file: ManuallyDrop<File>,
}

impl WalIndex {
    /// Returns the index of the database at `path`.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: shared_memory_path(path), opened: Mutex::default() }
    }

    /// Returns the current state of the database, or `None` if it cannot be told, as during a commit.
    pub(crate) fn state(&self) -> Option<DatabaseState> {
        let mut headers = [0; 2 * HEADER_LEN];
        let opened = &mut *lock(&self.opened);
        let current = identity(&self.path).ok()?;
        if opened.as_ref().is_none_or(|opened| opened.identity != current) {
            let file = ManuallyDrop::new(File::open(&self.path).ok()?);
            let metadata = file.metadata().ok()?;
            *opened = Some(OpenedIndex { identity: (metadata.dev(), metadata.ino()), file });
        }
        opened.as_ref()?.file.read_exact_at(&mut headers, 0).ok()?;
        // A commit writes the second copy first.
        let (first, second) = headers.split_first_chunk::<HEADER_LEN>()?;
        (first == second && first[IS_VALID] == 1).then_some(DatabaseState(*first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store::database::sqlite::{connect_to_write, migrate};
    use sea_orm::ConnectionTrait;

    #[tokio::test]
    async fn every_commit_of_every_connection_changes_the_state() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("parlour.db");
        let url = format!("sqlite://{}", path.display());
        migrate(&url).await.unwrap().close().await.unwrap();
        let first = connect_to_write(&url).await.unwrap();
        let index = WalIndex::new(&path);
        let mut states = vec![index.state().expect("it is open")];
        let other = connect_to_write(&url).await.unwrap();
        for connection in [&first, &other, &first, &other] {
            assert_eq!(index.state().as_ref(), states.last(), "nothing was committed");
            connection.execute_unprepared("SELECT COUNT(*) FROM rooms").await.unwrap();
            assert_eq!(index.state().as_ref(), states.last(), "a query is no commit");
            let commit = format!("INSERT INTO site (name, value) VALUES ('{}', x'00')", states.len());
            connection.execute_unprepared(&commit).await.unwrap();
            states.push(index.state().unwrap());
            connection.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
            states.extend(index.state().filter(|state| !states.contains(state)));
        }
        assert!(states.len() >= 5);
        for (number, state) in states.iter().enumerate() {
            assert!(!states[..number].contains(state), "{number}");
        }
    }

    #[test]
    fn a_database_without_an_index_has_no_known_state() {
        let directory = tempfile::tempdir().unwrap();
        let index = WalIndex::new(&directory.path().join("parlour.db"));
        assert_eq!(index.state(), None);
        std::fs::write(&index.path, [0; 40]).unwrap();
        assert_eq!(index.state(), None, "too short");
        let mut header = [7; 2 * HEADER_LEN];
        (header[IS_VALID], header[HEADER_LEN + IS_VALID]) = (1, 1);
        std::fs::write(&index.path, header).unwrap();
        let state = index.state();
        assert!(state.is_some());
        header[3] = 8;
        std::fs::write(&index.path, header).unwrap();
        assert_eq!(index.state(), None, "in the middle of a commit");
        std::fs::remove_file(&index.path).unwrap();
        assert_eq!(index.state(), None);
        header[HEADER_LEN + 3] = 8;
        std::fs::write(directory.path().join("other"), header).unwrap();
        std::fs::rename(directory.path().join("other"), &index.path).unwrap();
        assert!(index.state().is_some() && index.state() != state, "another file");
    }
}
