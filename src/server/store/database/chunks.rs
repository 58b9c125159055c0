//! Batched statements with few distinct SQL texts: SQLite plans each text once. Planning takes a fifth of the time of a
//! batch of many rooms.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict, Query, Value};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseBackend, DbErr, EntityTrait, IntoActiveModel,
    IntoSimpleExpr, QueryFilter, Select,
};

/// Maximum number of rows per statement on SQLite.
const MAX_ROWS_PER_STATEMENT: usize = 256;

/// Maximum number of rows per statement on PostgreSQL, whose statements have at most 65,535 values. No batch writes as
/// many rows of a wide table; it may look up as many names.
const MAX_ROWS_PER_LARGE_STATEMENT: usize = 8192;

/// Splits `items` into chunks of 256, 128, 64 … 1 for SQLite, so that their statements have only nine texts. PostgreSQL
/// gets one chunk, because each statement costs a round trip, unless it is too large for one.
pub(crate) fn chunked<T>(backend: DatabaseBackend, items: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let power = 1 << rest.len().checked_ilog2()?;
        let length = match backend {
            DatabaseBackend::Sqlite => MAX_ROWS_PER_STATEMENT.min(power),
            _ => MAX_ROWS_PER_LARGE_STATEMENT.min(rest.len()),
        };
        let (run, after) = rest.split_at(length);
        rest = after;
        Some(run)
    })
}

/// Returns the rows of `find` whose two columns equal one of these pairs.
pub(crate) async fn select_pairs<E: EntityTrait, V: Clone + Into<Value>>(
    connection: &impl ConnectionTrait,
    find: impl Fn() -> Select<E>,
    columns: [E::Column; 2],
    pairs: &[(i64, V)],
) -> Result<Vec<E::Model>, DbErr> {
    let mut rows = Vec::new();
    for pairs in chunked(connection.get_database_backend(), pairs) {
        rows.extend(find().filter(pair_in(columns, pairs)).all(connection).await?);
    }
    Ok(rows)
}

/// Returns the condition that the two columns equal one of these pairs.
pub(crate) fn pair_in<C: ColumnTrait, V: Clone + Into<Value>>(columns: [C; 2], pairs: &[(i64, V)]) -> Expr {
    let mut wanted = Query::select();
    wanted.columns(["column1", "column2"].map(Alias::new)).from_values(pairs.iter().cloned(), Alias::new("wanted"));
    Expr::tuple(columns.map(IntoSimpleExpr::into_simple_expr)).in_subquery(wanted)
}

/// Inserts `rows`. `conflict` says how rows that exist already are handled; without it they are an error.
///
/// # Errors
///
/// Returns an error if the database cannot be written.
pub(crate) async fn insert<M, A>(
    transaction: &impl ConnectionTrait,
    rows: &[M],
    conflict: Option<&OnConflict>,
) -> Result<(), DbErr>
where
    M: Clone + IntoActiveModel<A>,
    A: ActiveModelTrait,
{
    for rows in chunked(transaction.get_database_backend(), rows) {
        let insert = A::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model));
        let insert = match conflict {
            Some(conflict) => insert.on_conflict(conflict.clone()),
            None => insert,
        };
        insert.exec_without_returning(transaction).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_cut_into_powers_of_two() {
        let items: Vec<usize> = (0..300).collect();
        let lengths = |backend| chunked(backend, &items).map(<[usize]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(DatabaseBackend::Sqlite), [256, 32, 8, 4]);
        assert_eq!(lengths(DatabaseBackend::Postgres), [300]);
        let many = vec![0_u8; 10_000];
        assert_eq!(chunked(DatabaseBackend::Postgres, &many).map(<[u8]>::len).collect::<Vec<_>>(), [8192, 1808]);
        assert_eq!(chunked(DatabaseBackend::Sqlite, &items).flatten().copied().collect::<Vec<_>>(), items);
        assert_eq!(chunked::<u8>(DatabaseBackend::Sqlite, &[]).count(), 0);
    }
}
