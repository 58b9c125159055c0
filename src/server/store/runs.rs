//! Batches, in statements of few texts: SQLite plans each text once. Planning costs a fifth of a batch of many rooms.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, Value};
use sea_orm::{ColumnTrait, DatabaseBackend, IntoSimpleExpr};

/// How many rows a statement of SQLite takes at most.
const LONGEST: usize = 256;

/// Cuts `items` into runs of 256, 128, 64 … 1 for SQLite, so that their statements have nine texts. PostgreSQL, which may
/// be far away, gets all at once.
pub(super) fn runs<T>(backend: DatabaseBackend, items: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let power = 1 << rest.len().checked_ilog2()?;
        let length = if backend == DatabaseBackend::Sqlite { LONGEST.min(power) } else { rest.len() };
        let (run, after) = rest.split_at(length);
        rest = after;
        Some(run)
    })
}

/// Whether the two columns are one of these pairs.
pub(super) fn are_among<C: ColumnTrait, V: Clone + Into<Value>>(columns: [C; 2], pairs: &[(i64, V)]) -> Expr {
    let mut wanted = Query::select();
    wanted.columns(["column1", "column2"].map(Alias::new)).from_values(pairs.iter().cloned(), Alias::new("wanted"));
    Expr::tuple(columns.map(IntoSimpleExpr::into_simple_expr)).in_subquery(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_cut_into_powers_of_two() {
        let items: Vec<usize> = (0..300).collect();
        let lengths = |backend| runs(backend, &items).map(<[usize]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(DatabaseBackend::Sqlite), [256, 32, 8, 4]);
        assert_eq!(lengths(DatabaseBackend::Postgres), [300]);
        assert_eq!(runs(DatabaseBackend::Sqlite, &items).flatten().copied().collect::<Vec<_>>(), items);
        assert_eq!(runs::<u8>(DatabaseBackend::Sqlite, &[]).count(), 0);
    }
}
