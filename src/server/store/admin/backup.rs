//! Snapshots of the embedded database: backup while servers write, and restore into a new database.

use super::partial_file::{Unfinished, is_unfinished};
use super::usage::record_backup;
use crate::server::config::{redacted, sqlite_url};
use crate::server::store::database::file_system::directory_of;
use crate::server::store::database::files::{assert_all_accessible, beside, give_to_owner, io_error, lock_file};
use crate::server::store::database::provenance::{forget_place, renew_epochs, renew_epochs_in};
use crate::server::store::database::schema::applied_migrations;
use crate::server::store::database::sqlite::{self, connect_to_read, sqlite_file};
use crate::server::store::entity::room;
use crate::server::store::{OpenError, Store};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseBackend, DbErr, EntityTrait, QueryFilter, Statement, Value};
use std::fs::{self, File};
use std::path::Path;

/// Name of a directory that a restore ignores in an otherwise empty directory: ext4 creates it in every new volume.
const LOST_AND_FOUND: &str = "lost+found";

const NO_FILE: &str = "does not exist: no such file";

impl Store {
    /// Writes a snapshot of the SQLite database at `url` into `file`: one synced file, readable by its owner only.
    /// Servers continue to run.
    ///
    /// # Errors
    ///
    /// Returns an error if `file` exists, or cannot be written.
    pub(crate) async fn back_up(url: &str, file: &Path) -> Result<(), OpenError> {
        let database = sqlite_file(url)?;
        // A dangling symbolic link counts as an existing file.
        if file.symlink_metadata().is_ok() {
            return Err(OpenError::exists(file));
        }
        if !database.is_file() {
            return Err(file_error(&database, NO_FILE));
        }
        let unfinished = Unfinished::beside(file)?;
        if let Err(error) = copy(&database, &unfinished).await {
            // SQLite does not report that a file belongs to another user.
            assert_all_accessible(&database)?;
            return Err(error);
        }
        unfinished.publish(file)?;
        record_backup(url).await;
        Ok(())
    }

    /// Restores a file written by [`Store::back_up`] as the database at `url`, whose directory must be empty. Every
    /// room gets a new epoch, so that clients that have seen a later history load it again. Returns the number of
    /// rooms.
    ///
    /// # Errors
    ///
    /// Returns an error if `file` is no complete backup, or if the directory is not empty.
    pub(crate) async fn restore(url: &str, file: &Path) -> Result<u64, OpenError> {
        let database = sqlite_file(url)?;
        let lock = lock_file(&database)?;
        let directory = directory_of(&database);
        for entry in fs::read_dir(directory).map_err(|error| io_error(directory, error))? {
            let name = entry.map_err(|error| io_error(directory, error))?.file_name();
            // A killed process leaves an unfinished file behind, which does no harm.
            if name.to_str().is_some_and(is_unfinished) {
                continue;
            }
            if name != LOST_AND_FOUND && Some(&*name) != beside(&database, ".lock").file_name() {
                let remedy = "a backup can only be restored into an empty directory; use another --data";
                return Err(file_error(directory, &format!("contains {}: {remedy}", name.display())));
            }
        }
        if !file.is_file() {
            return Err(file_error(file, NO_FILE));
        }
        verify_backup(file).await?;
        let unfinished = Unfinished::beside(&database)?;
        copy(file, &unfinished).await?;
        let rooms = migrate(file, unfinished.path()).await?;
        sync(unfinished.path())?;
        let made = File::open(unfinished.path()).map_err(|error| io_error(unfinished.path(), error))?;
        give_to_owner(&made, &database);
        unfinished.publish(&database)?;
        drop(lock);
        Ok(rooms)
    }

    /// Gives every room of the database at `url` a new epoch. Returns the number of rooms.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is not there yet, or if a server has the SQLite file open.
    pub(crate) async fn renew_epochs(url: &str) -> Result<u64, OpenError> {
        if url.starts_with("sqlite:") && !sqlite_file(url)?.is_file() {
            return Err(OpenError::NotReady(redacted(url)));
        }
        let store = Self::open(url).await?;
        let transaction = store.begin().await?;
        let rooms = renew_epochs_in(&transaction).await?;
        transaction.commit().await?;
        store.close().await?;
        Ok(rooms)
    }
}

/// Copies a database, as one reader sees it, into an empty file, without a write-ahead log and free pages.
async fn copy(from: &Path, to: &Unfinished) -> Result<(), OpenError> {
    let vacuumed = async {
        let reader = connect_to_read(&sqlite_url(from), 1).await?;
        let into = [Value::from(to.path().display().to_string())];
        reader.execute_raw(Statement::from_sql_and_values(DatabaseBackend::Sqlite, "VACUUM INTO ?", into)).await?;
        reader.close().await
    };
    vacuumed.await.map_err(|error| file_error(from, &format!("cannot be copied ({error})")))?;
    // SQLite does not sync the copy.
    sync(to.path())
}

fn sync(file: &Path) -> Result<(), OpenError> {
    File::open(file).and_then(|file| file.sync_all()).map_err(|error| io_error(file, error))
}

/// Returns an error unless the file is an intact Parlour database.
async fn verify_backup(file: &Path) -> Result<(), OpenError> {
    let examined = async {
        let reader = connect_to_read(&sqlite_url(file), 1).await?;
        let check = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA integrity_check");
        let answer = reader.query_one_raw(check).await?;
        let migrations = applied_migrations(&reader).await?;
        reader.close().await?;
        Ok::<_, DbErr>((answer.map_or(Ok(String::new()), |row| row.try_get_by_index::<String>(0))?, migrations))
    };
    match examined.await {
        Ok((sound, migrations)) if sound == "ok" && migrations.is_empty() => {
            Err(file_error(file, "is not a backup of Parlour (it contains another database, or nothing)"))
        }
        Ok((sound, _)) if sound == "ok" => Ok(()),
        Ok((broken, _)) => Err(file_error(file, &format!("is damaged: {broken}"))),
        Err(error) => Err(file_error(file, &format!("is not a backup of Parlour ({error})"))),
    }
}

/// Migrates a copy of `file`, which may be of an earlier release, examines it, and gives each room a new epoch. Returns
/// the number of rooms.
async fn migrate(file: &Path, copy: &Path) -> Result<u64, OpenError> {
    let migrated = async {
        let writer = sqlite::migrate(&sqlite_url(copy)).await?;
        room::Entity::find().filter(room::Column::Id.eq(0)).all(&writer).await?;
        let rooms = renew_epochs(&writer).await?;
        forget_place(&writer).await?;
        writer.close().await?;
        Ok::<_, OpenError>(rooms)
    };
    migrated.await.map_err(|error| match error {
        OpenError::Newer(_, migration) => OpenError::Newer(file.display().to_string(), migration),
        OpenError::Database(error) => file_error(file, &format!("is not a backup of Parlour ({error})")),
        other => other,
    })
}

fn file_error(path: &Path, what: &str) -> OpenError {
    OpenError::File { path: path.display().to_string(), what: what.to_owned() }
}
