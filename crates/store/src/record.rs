//! How rows become records, on either database.
//!
//! A record derives [`sqlx::FromRow`]: the columns are its fields, by name. Types of the domain know nothing of
//! databases, so a field of one says as what its column is stored and is converted from that: `try_from = "i64"` for
//! instants and counts, `"Uuid"` for ids, `"String"` for enumerations by name, `"Vec<u8>"` for hashes, and the same in
//! [`Nullable`] when the column may be NULL. Names of tenants and people say `"Name"`. A single row of one or two values is read as a tuple.

use sqlx::decode::Decode;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Database, FromRow, Type};
use tenantatlas_domain::invisible::NameOfRecord;
use uuid::Uuid;

/// Something that is read from a row of either database.
pub(crate) trait Record: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> {}

impl<T> Record for T where T: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> {}

/// A column that may be NULL, on its way into an `Option` of a type of the domain.
pub struct Nullable<S>(Option<S>);

impl<DB: Database, S: Type<DB>> Type<DB> for Nullable<S> {
    fn type_info() -> DB::TypeInfo {
        Option::<S>::type_info()
    }

    fn compatible(info: &DB::TypeInfo) -> bool {
        Option::<S>::compatible(info)
    }
}

impl<'r, DB: Database, S> Decode<'r, DB> for Nullable<S>
where
    Option<S>: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Option::<S>::decode(value).map(Self)
    }
}

/// A name that people are shown, on its way into a `String`, see [`NameOfRecord`].
pub struct Name(NameOfRecord);

impl<DB: Database> Type<DB> for Name
where
    String: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        String::type_info()
    }

    fn compatible(info: &DB::TypeInfo) -> bool {
        String::compatible(info)
    }
}

impl<'r, DB: Database> Decode<'r, DB> for Name
where
    String: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        String::decode(value).map(|stored| Self(stored.into()))
    }
}

impl From<Name> for String {
    fn from(Name(name): Name) -> Self {
        name.into()
    }
}

/// For each stored type by itself: for all at once, an `Option` of a `Nullable` would have two conversions.
macro_rules! convert_nullable {
    ($($stored:ty),+) => {$(
        impl<T: TryFrom<$stored>> TryFrom<Nullable<$stored>> for Option<T> {
            type Error = T::Error;

            fn try_from(Nullable(value): Nullable<$stored>) -> Result<Self, Self::Error> {
                value.map(T::try_from).transpose()
            }
        }
    )+};
}

convert_nullable!(i64, String, Uuid, Vec<u8>, Name);
