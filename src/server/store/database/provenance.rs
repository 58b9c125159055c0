//! Detection of an earlier state of the database that replaces a later one: a backup that was copied into the data
//! directory, an unpacked data directory, or a loaded dump. Clients may have seen a later history under the same
//! numbers, so every room then gets a new epoch.
//!
//! At each start the database records a mark of its place that no copy has. For SQLite it is the time at which the lock
//! file was last changed (ctime), which changes at each start, and whenever the file is written or unpacked. For
//! PostgreSQL it is the cluster, and the number of the table of rooms, which changes when a dump is loaded. A file
//! system, a machine or a cluster that is rolled back as a whole keeps its marks.

use super::files::lock_path;
use crate::server::random::bits;
use crate::server::store::OpenError;
use crate::server::store::database::files::io_error;
use crate::server::store::entity::{room, site};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, EntityTrait, Statement,
    TransactionTrait,
};
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// Name of the `site` row with the mark of the database's place.
const PLACE_KEY: &str = "place";

/// Offset in an SQLite file of the version that a reader must understand, and its value without a write-ahead log
/// (<https://www.sqlite.org/fileformat2.html#file_format_version_numbers>).
const READ_VERSION_OFFSET: u64 = 19;
const WITHOUT_WAL: u8 = 1;

/// Queries for the mark of a place in PostgreSQL. Some clusters reveal their identifier only to administrators.
const CLUSTER_QUERY: &str = "SELECT system_identifier::text FROM pg_control_system()";
const ROOMS_TABLE: &str = "SELECT 'rooms'::regclass::oid::text";

/// Returns whether something other than a server created the SQLite file here: it has no lock file beside it, or it is
/// in the journal mode that backups have. `false` if there is no file, or an empty one.
pub(crate) fn is_copy(file: &Path) -> bool {
    let mut version = [0];
    let read = File::open(file).and_then(|file| file.read_exact_at(&mut version, READ_VERSION_OFFSET));
    read.is_ok() && (version == [WITHOUT_WAL] || !lock_path(file).exists())
}

/// Gives every room a new epoch if the SQLite database is a copy, or if its place is not the one that it was last
/// opened in. Then marks its place, in the database and on its lock file.
///
/// # Errors
///
/// Returns an error if the database or its files cannot be read or written.
pub(crate) async fn settle_file(writer: &DatabaseConnection, lock: &File, is_copy: bool) -> Result<(), OpenError> {
    let failed = |error| io_error(Path::new("the lock file of the database"), error);
    let was_here = recorded_place(writer).await?.is_none_or(|place| changed_at(lock).is_ok_and(|here| here == place));
    if is_copy || !was_here {
        begin_new_histories(writer).await?;
    }
    // Changing the file changes its time.
    lock.set_len(0).and_then(|()| lock.write_all_at(&bits(), 0)).and_then(|()| lock.sync_all()).map_err(failed)?;
    record_place(writer, changed_at(lock).map_err(failed)?).await?;
    Ok(())
}

/// Gives every room a new epoch if the tables of rooms are not the ones that this database was last opened with. The
/// caller holds the migration lock.
///
/// # Errors
///
/// Returns an error if the database or its files cannot be read or written.
pub(crate) async fn settle_postgres(connection: &DatabaseConnection) -> Result<(), OpenError> {
    let cluster = ask(connection, CLUSTER_QUERY).await.unwrap_or_default();
    let here = format!("{}/{}", cluster.unwrap_or_default(), ask(connection, ROOMS_TABLE).await?.unwrap_or_default());
    let recorded = recorded_place(connection).await?;
    if recorded.as_deref() == Some(here.as_bytes()) {
        return Ok(());
    }
    if recorded.is_some() {
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

/// Gives each room a new epoch, and the rooms that the database does not hold new ids and epochs. Forgets the mark of
/// the place. Returns the number of rooms.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn renew_epochs(connection: &DatabaseConnection) -> Result<u64, DbErr> {
    let epoch = match connection.get_database_backend() {
        DatabaseBackend::Sqlite => "lower(hex(randomblob(4)))",
        _ => "substr(md5(random()::text), 1, 8)",
    };
    let transaction = connection.begin().await?;
    let renewed =
        room::Entity::update_many().col_expr(room::Column::Epoch, Expr::cust(epoch)).exec(&transaction).await?;
    for name in [site::DERIVATION_KEY, PLACE_KEY] {
        site::Entity::delete_by_id(name).exec(&transaction).await?;
    }
    let mark = site::ActiveModel { name: Set(site::RESTORED_KEY.to_owned()), value: Set(vec![1]) };
    let once = OnConflict::column(site::Column::Name).do_nothing().to_owned();
    site::Entity::insert(mark).on_conflict(once).exec_without_returning(&transaction).await?;
    transaction.commit().await?;
    Ok(renewed.rows_affected)
}

async fn recorded_place(connection: &DatabaseConnection) -> Result<Option<Vec<u8>>, DbErr> {
    Ok(site::Entity::find_by_id(PLACE_KEY).one(connection).await?.map(|row| row.value))
}

async fn record_place(connection: &DatabaseConnection, place: Vec<u8>) -> Result<(), DbErr> {
    let row = site::ActiveModel { name: Set(PLACE_KEY.to_owned()), value: Set(place) };
    let again = OnConflict::column(site::Column::Name).update_column(site::Column::Value).to_owned();
    site::Entity::insert(row).on_conflict(again).exec_without_returning(connection).await.map(|_| ())
}

/// Returns the time of the last change to a file or its metadata, to the nanosecond.
fn changed_at(file: &File) -> std::io::Result<Vec<u8>> {
    let file = file.metadata()?;
    Ok([file.ctime().to_be_bytes(), file.ctime_nsec().to_be_bytes()].concat())
}

async fn ask(connection: &DatabaseConnection, question: &str) -> Result<Option<String>, DbErr> {
    let row = connection.query_one_raw(Statement::from_string(DatabaseBackend::Postgres, question)).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}
