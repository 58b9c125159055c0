//! Detection of an earlier state of the database that replaces a later one: a backup that was copied into the data
//! directory, an unpacked data directory, or a loaded dump. Clients may have seen a later history under the same
//! numbers, so every room then gets a new epoch.
//!
//! At each start the database records a mark of its place that no copy has. For SQLite it is the inode of the file, and
//! the time at which the lock file was last changed (ctime), which changes at each start and stop, and whenever the file
//! is written or unpacked. For PostgreSQL it is the cluster, the number of the database, and the number of the table of
//! rooms, which a dump gives anew. A file system, a machine or a cluster that is rolled back as a whole keeps its marks.

use super::files::{HeldFile, beside, io_error, lock_path};
use crate::server::random::bits;
use crate::server::store::OpenError;
use crate::server::store::entity::{room, site};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, EntityTrait, Statement,
    TransactionTrait,
};
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// Name of the `site` row with the mark of the database's place.
const PLACE_KEY: &str = "place";

/// Offset in an SQLite file of the version that a reader must understand, and its value without a write-ahead log
/// (<https://www.sqlite.org/fileformat2.html#file_format_version_numbers>).
const READ_VERSION_OFFSET: u64 = 19;
const WITHOUT_WAL: u8 = 1;

/// Suffixes of SQLite's write-ahead log, and of one that belongs to a file that was replaced.
const WAL_SUFFIX: &str = "-wal";
const REPLACED_WAL_SUFFIX: &str = "-wal.replaced";

/// Suffix of the index of the write-ahead log.
const WAL_INDEX_SUFFIX: &str = "-shm";

/// Maximum duration of a write after which a stopping server renews the mark. Two marks that differ would pass for a
/// copy, so a server whose database is slow, and which may be killed meanwhile, leaves them as they are.
const SWIFT_WRITE: Duration = Duration::from_millis(200);

/// Queries for the mark of a place in PostgreSQL. Some clusters reveal their identifier only to administrators.
const CLUSTER_QUERY: &str = "SELECT system_identifier::text FROM pg_control_system()";
const ROOMS_TABLE: &str = "SELECT 'rooms'::regclass::oid::text";
const DATABASE_QUERY: &str = "SELECT oid::text FROM pg_database WHERE datname = current_database()";

/// Query that answers `true` if the tables were created by a dump, which sorts them by name. Migrations create the one of
/// sites before that of rooms.
const LOADED_QUERY: &str = "SELECT ('rooms'::regclass::oid::bigint < 'site'::regclass::oid::bigint)::text";

/// Returns whether something other than a server created the SQLite file here: it has no lock file beside it, or it is
/// in the journal mode that backups have. `false` if there is no file, or an empty one.
pub(crate) fn is_copy(file: &Path) -> bool {
    read_version(file).is_some() && (is_without_log(file) || !lock_path(file).exists())
}

/// Returns whether the file is in the journal mode that backups have, which knows no write-ahead log.
fn is_without_log(file: &Path) -> bool {
    read_version(file) == Some(WITHOUT_WAL)
}

/// Returns the version that a reader of the SQLite file must understand, or `None` if there is no file, or an empty one.
fn read_version(file: &Path) -> Option<u8> {
    let mut version = [0];
    File::open(file).and_then(|file| file.read_exact_at(&mut version, READ_VERSION_OFFSET)).ok()?;
    Some(version[0])
}

/// Puts a write-ahead log out of the way that cannot belong to the SQLite file: a server was killed, and its file was
/// replaced by a backup. SQLite would write what the log holds into the backup. Logs a warning if there is one. The
/// caller holds the lock.
///
/// # Errors
///
/// Returns an error if the log cannot be renamed.
pub(crate) fn set_foreign_log_aside(file: &Path) -> Result<(), OpenError> {
    let log = beside(file, WAL_SUFFIX);
    if !is_without_log(file) || log.metadata().map_or(0, |log| log.len()) == 0 {
        return Ok(());
    }
    let aside = beside(file, REPLACED_WAL_SUFFIX);
    std::fs::rename(&log, &aside).map_err(|error| io_error(&log, error))?;
    let _ = std::fs::remove_file(beside(file, WAL_INDEX_SUFFIX));
    tracing::warn!(
        file = %aside.display(),
        "The database was replaced by a backup beside the log of another one, which was renamed; nothing needs it"
    );
    Ok(())
}

/// Gives every room a new epoch if the SQLite database is a copy, or if its place is not the one that it was last opened
/// in. Then marks its place, in the database and on its lock file.
///
/// # Errors
///
/// Returns an error if the database or its files cannot be read or written.
pub(crate) async fn settle_file(writer: &DatabaseConnection, held: &HeldFile, is_copy: bool) -> Result<(), OpenError> {
    let failed = |error| io_error(Path::new("the lock file of the database"), error);
    // Earlier releases recorded the time alone.
    let was_here = recorded_place(writer)
        .await?
        .is_none_or(|place| !place.is_empty() && place_of(held).is_ok_and(|here| here.starts_with(&place)));
    if is_copy || !was_here {
        begin_new_histories(writer).await?;
    }
    change(held.lock()).and_then(|()| held.lock().sync_all()).map_err(failed)?;
    record_place(writer, place_of(held).map_err(failed)?).await?;
    Ok(())
}

/// Renews the mark of a file whose server stops, so that a copy of it that was made meanwhile has another. Does nothing
/// if the database is slow or cannot be written.
pub(crate) async fn leave_file(writer: &impl ConnectionTrait, held: &HeldFile) {
    let Ok(here) = place_of(held) else { return };
    let begun = Instant::now();
    // Whatever would refuse the new mark refuses this one, and both stay as they are.
    if record_place(writer, here).await.is_err() || begun.elapsed() > SWIFT_WRITE {
        return;
    }
    let renewed = async {
        change(held.lock()).map_err(|error| DbErr::Custom(error.to_string()))?;
        record_place(writer, place_of(held).map_err(|error| DbErr::Custom(error.to_string()))?).await
    };
    if let Err(error) = renewed.await {
        tracing::warn!(%error, "The mark of the database could not be renewed: the next start takes it for a copy");
    }
}

/// Gives every room a new epoch if the tables of rooms are not the ones that this database was last opened with. The
/// caller holds the migration lock.
///
/// # Errors
///
/// Returns an error if the database or its files cannot be read or written.
pub(crate) async fn settle_postgres(connection: &DatabaseConnection) -> Result<(), OpenError> {
    let cluster = ask(connection, CLUSTER_QUERY).await.unwrap_or_default().unwrap_or_default();
    let rooms = ask(connection, ROOMS_TABLE).await?.unwrap_or_default();
    // Earlier releases recorded no database.
    let earlier = format!("{cluster}/{rooms}");
    let here = format!("{earlier}/{}", ask(connection, DATABASE_QUERY).await?.unwrap_or_default());
    let is_copy = match recorded_place(connection).await? {
        Some(place) if place == here.as_bytes() => return Ok(()),
        Some(place) => place != earlier.as_bytes(),
        // A release recorded nothing: its database is upgraded, or a dump of it was loaded.
        None => ask(connection, LOADED_QUERY).await?.as_deref() == Some("true"),
    };
    if is_copy {
        begin_new_histories(connection).await?;
    }
    Ok(record_place(connection, here.into_bytes()).await?)
}

async fn begin_new_histories(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let rooms = renew_epochs(connection).await?;
    tracing::warn!(
        rooms,
        "The database is a copy, or an older state was put in its place: every room gets a new epoch"
    );
    Ok(())
}

/// Gives each room a new epoch, and the rooms that the database does not hold new ids and epochs. Returns the number of
/// rooms.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn renew_epochs(connection: &DatabaseConnection) -> Result<u64, DbErr> {
    let transaction = connection.begin().await?;
    let rooms = renew_epochs_in(&transaction).await?;
    transaction.commit().await?;
    Ok(rooms)
}

/// Statement that lets outgoing hooks continue at the heads of the new histories: their receivers may have seen more of
/// the earlier ones.
const HOOKS_START_OVER: &str = "UPDATE outgoing_hooks SET \
    epoch = (SELECT epoch FROM rooms WHERE rooms.id = outgoing_hooks.room_id), \
    position = (SELECT head FROM rooms WHERE rooms.id = outgoing_hooks.room_id) \
    WHERE room_id IN (SELECT id FROM rooms)";

/// Like [`renew_epochs`], in a transaction that the caller commits.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn renew_epochs_in(transaction: &impl ConnectionTrait) -> Result<u64, DbErr> {
    let epoch = match transaction.get_database_backend() {
        DatabaseBackend::Sqlite => "lower(hex(randomblob(4)))",
        _ => "substr(md5(random()::text), 1, 8)",
    };
    let renewed =
        room::Entity::update_many().col_expr(room::Column::Epoch, Expr::cust(epoch)).exec(transaction).await?;
    transaction.execute_unprepared(HOOKS_START_OVER).await?;
    site::Entity::delete_by_id(site::DERIVATION_KEY).exec(transaction).await?;
    let mark = site::ActiveModel { name: Set(site::RESTORED_KEY.to_owned()), value: Set(vec![1]) };
    let once = OnConflict::column(site::Column::Name).do_nothing().to_owned();
    site::Entity::insert(mark).on_conflict(once).exec_without_returning(transaction).await?;
    Ok(renewed.rows_affected)
}

/// Forgets the mark of the place, for a copy whose rooms have new epochs already.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn forget_place(connection: &DatabaseConnection) -> Result<(), DbErr> {
    site::Entity::delete_by_id(PLACE_KEY).exec(connection).await.map(|_| ())
}

async fn recorded_place(connection: &DatabaseConnection) -> Result<Option<Vec<u8>>, DbErr> {
    Ok(site::Entity::find_by_id(PLACE_KEY).one(connection).await?.map(|row| row.value))
}

async fn record_place(connection: &impl ConnectionTrait, place: Vec<u8>) -> Result<(), DbErr> {
    let row = site::ActiveModel { name: Set(PLACE_KEY.to_owned()), value: Set(place) };
    let again = OnConflict::column(site::Column::Name).update_column(site::Column::Value).to_owned();
    site::Entity::insert(row).on_conflict(again).exec_without_returning(connection).await.map(|_| ())
}

/// Returns the mark of the place of an SQLite file: the time of the last change to its lock file, to the nanosecond, and
/// its inode.
fn place_of(held: &HeldFile) -> std::io::Result<Vec<u8>> {
    let lock = held.lock().metadata()?;
    let (_, inode) = held.identity();
    Ok([lock.ctime().to_be_bytes(), lock.ctime_nsec().to_be_bytes(), inode.cast_signed().to_be_bytes()].concat())
}

/// Writes into a file, which changes its time.
fn change(lock: &File) -> std::io::Result<()> {
    lock.set_len(0).and_then(|()| lock.write_all_at(&bits(), 0))
}

async fn ask(connection: &DatabaseConnection, question: &str) -> Result<Option<String>, DbErr> {
    let row = connection.query_one_raw(Statement::from_string(DatabaseBackend::Postgres, question)).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}
