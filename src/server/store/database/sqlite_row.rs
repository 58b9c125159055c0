//! Values between SeaORM and SQLite. SQLite has five types of values; the definitions of the entities tell which type
//! of Rust a column has.

use crate::server::store::entity::{
    deleted_room, event, mention, name, pin, reaction, reaction_count, room, site, standing,
};
use crate::server::store::sqlite_failure::failed;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Row, Statement as PreparedStatement, ToSql};
use sea_orm::sea_query::{ColumnType, Value};
use sea_orm::{
    ColumnTrait, DatabaseBackend, DbErr, EntityTrait, ExecResult, IdenStatic, Iterable, MockDatabase,
    MockDatabaseTrait, MockExecResult, QueryResult, Statement, Values,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// The values of a row, by the names of its columns.
pub(crate) type NamedValues<'a> = BTreeMap<&'a str, Value>;

type ColumnTypes = HashMap<&'static str, HashMap<&'static str, ColumnType>>;

/// Types of all columns of all entities, by table and column.
static COLUMN_TYPES: LazyLock<ColumnTypes> = LazyLock::new(|| {
    let mut types = HashMap::new();
    add_entity::<deleted_room::Entity>(&mut types);
    add_entity::<event::Entity>(&mut types);
    add_entity::<mention::Entity>(&mut types);
    add_entity::<name::Entity>(&mut types);
    add_entity::<pin::Entity>(&mut types);
    add_entity::<reaction::Entity>(&mut types);
    add_entity::<reaction_count::Entity>(&mut types);
    add_entity::<room::Entity>(&mut types);
    add_entity::<site::Entity>(&mut types);
    add_entity::<standing::Entity>(&mut types);
    types
});

fn add_entity<E: EntityTrait>(types: &mut ColumnTypes) {
    let columns = E::Column::iter().map(|column| (column.as_str(), column.def().get_column_type().clone()));
    types.insert(E::default().table_name(), columns.collect());
}

/// Binds the values of a statement to its parameters, in their order.
///
/// # Errors
///
/// Returns an error if SQLite cannot hold a value, or the statement has fewer parameters.
pub(crate) fn bind(statement: &mut CachedStatement<'_>, values: Option<&Values>) -> Result<(), DbErr> {
    for (index, value) in values.iter().flat_map(|values| &values.0).enumerate() {
        statement.raw_bind_parameter(index + 1, Parameter(value)).map_err(failed)?;
    }
    Ok(())
}

/// A value of SeaORM, as a parameter of a statement.
struct Parameter<'a>(&'a Value);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let number = |number: Option<i64>| number.map_or(ValueRef::Null, ValueRef::Integer);
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Bool(value) => number(value.map(i64::from)),
            Value::TinyInt(value) => number(value.map(i64::from)),
            Value::SmallInt(value) => number(value.map(i64::from)),
            Value::Int(value) => number(value.map(i64::from)),
            Value::BigInt(value) => number(*value),
            Value::TinyUnsigned(value) => number(value.map(i64::from)),
            Value::SmallUnsigned(value) => number(value.map(i64::from)),
            Value::Unsigned(value) => number(value.map(i64::from)),
            Value::BigUnsigned(value) => {
                let converted = value.map(i64::try_from).transpose();
                number(converted.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?)
            }
            Value::Double(value) => value.map_or(ValueRef::Null, ValueRef::Real),
            Value::String(value) => value.as_ref().map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes())),
            Value::Bytes(value) => value.as_ref().map_or(ValueRef::Null, |bytes| ValueRef::Blob(bytes)),
            other => {
                let unknown = format!("no column has the type of {other:?}");
                return Err(rusqlite::Error::ToSqlConversionFailure(unknown.into()));
            }
        }))
    }
}

/// The names of a query's columns, and their types if they are columns of an entity.
pub(crate) struct RowShape(Vec<(String, Option<&'static ColumnType>)>);

impl RowShape {
    pub(crate) fn of(statement: &PreparedStatement<'_>) -> Self {
        let columns = statement.columns_with_metadata().into_iter().map(|column| {
            let columns = column.table_name().and_then(|table| COLUMN_TYPES.get(table));
            let kind = columns.zip(column.origin_name()).and_then(|(columns, origin)| columns.get(origin));
            (column.name().to_owned(), kind)
        });
        Self(columns.collect())
    }

    /// Returns the values of a row with this shape.
    ///
    /// # Errors
    ///
    /// Returns an error if a value is not of its column's type.
    pub(crate) fn read<'a>(&'a self, row: &Row<'_>) -> Result<NamedValues<'a>, DbErr> {
        let mut values = NamedValues::new();
        for (index, (name, kind)) in self.0.iter().enumerate() {
            let value = value(row.get_ref(index).map_err(failed)?, *kind);
            let value = value.ok_or_else(|| DbErr::Type(format!("{name} is not of its column's type")))?;
            values.insert(name.as_str(), value);
        }
        Ok(values)
    }
}

/// Returns rows in SeaORM's form. Its mock database, which runs no statement, is the way to make them.
///
/// Values are found by name. An index counts the columns in the order of their names, so only a query for one column
/// may use it.
///
/// # Errors
///
/// Returns no error, although SeaORM provides for one.
pub(crate) fn to_rows(rows: Vec<NamedValues<'_>>) -> Result<Vec<QueryResult>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    MockDatabase::new(DatabaseBackend::Sqlite).append_query_results([rows]).query(0, no_statement())
}

/// Returns the result of a statement without rows in SeaORM's form.
///
/// # Errors
///
/// Returns no error, although SeaORM provides for one.
pub(crate) fn to_result(rows_affected: u64) -> Result<ExecResult, DbErr> {
    // Nothing asks for the id: ids are derived or chosen.
    let result = MockExecResult { last_insert_id: 0, rows_affected };
    MockDatabase::new(DatabaseBackend::Sqlite).append_exec_results([result]).execute(0, no_statement())
}

fn no_statement() -> Statement {
    Statement::from_string(DatabaseBackend::Sqlite, String::new())
}

/// Returns a stored value as the type of Rust that its column has: SeaORM takes no other, and would take a value of
/// another type for none. Returns `None` if the value does not fit.
fn value(stored: ValueRef<'_>, kind: Option<&ColumnType>) -> Option<Value> {
    Some(match (stored, kind) {
        // None of any type is none.
        (ValueRef::Null, _) => Value::BigInt(None),
        (ValueRef::Integer(number), Some(ColumnType::Boolean)) => Value::Bool(Some(number != 0)),
        (ValueRef::Integer(number), Some(ColumnType::SmallInteger)) => Value::SmallInt(Some(number.try_into().ok()?)),
        (ValueRef::Integer(number), Some(ColumnType::Integer)) => Value::Int(Some(number.try_into().ok()?)),
        (ValueRef::Integer(number), Some(ColumnType::BigInteger) | None) => Value::BigInt(Some(number)),
        (ValueRef::Real(number), None) => Value::Double(Some(number)),
        (ValueRef::Text(text), Some(ColumnType::String(_) | ColumnType::Text) | None) => {
            Value::String(Some(std::str::from_utf8(text).ok()?.to_owned()))
        }
        (ValueRef::Blob(bytes), Some(ColumnType::VarBinary(_) | ColumnType::Binary(_) | ColumnType::Blob) | None) => {
            Value::Bytes(Some(bytes.to_vec()))
        }
        _ => return None,
    })
}
