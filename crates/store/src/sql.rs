//! Values to bind and statements put together at run time.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::value::RawValue;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};
use tenantatlas_domain::ids;
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::lists::List;

/// A value to bind. Typed also when it is NULL, because PostgreSQL wants to know.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Number(Option<i64>),
    Bool(Option<bool>),
    Text(Option<Cow<'a, str>>),
    Uuid(Option<Uuid>),
    Bytes(Option<Cow<'a, [u8]>>),
    Json(Option<JsonText<'a>>),
    Ids(List<Uuid>),
    Numbers(List<i64>),
}

/// JSON that is already text: it is stored as it stands, without being parsed again.
#[derive(Clone, Debug)]
pub(crate) enum JsonText<'a> {
    Borrowed(&'a RawValue),
    Owned(Box<RawValue>),
}

impl JsonText<'_> {
    pub(crate) fn raw(&self) -> Json<&RawValue> {
        match self {
            Self::Borrowed(raw) => Json(raw),
            Self::Owned(raw) => Json(raw),
        }
    }
}

/// Makes a JSON value to bind of anything that serialises. Characters U+0000 are left out: PostgreSQL stores none.
pub(crate) fn json<T: serde::Serialize + ?Sized>(value: &T) -> Value<'static> {
    let text = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    Value::Json(RawValue::from_string(without_escaped_nul(text)).ok().map(JsonText::Owned))
}

/// JSON text without the escape of U+0000. An escaped backslash before `u0000` is left alone.
pub(crate) fn without_escaped_nul(text: String) -> String {
    if !text.contains("\\u0000") {
        return text;
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\\') {
        clean.push_str(&rest[..at]);
        if rest[at..].starts_with("\\u0000") {
            rest = &rest[at + 6..];
        } else {
            let end = (at + 2).min(rest.len());
            clean.push_str(&rest[at..end]);
            rest = &rest[end..];
        }
    }
    clean.push_str(rest);
    clean
}

/// Text without U+0000, which PostgreSQL stores in no text column.
pub(crate) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

macro_rules! value_from {
    ($($source:ty => $variant:ident, |$value:ident| $made:expr;)+) => {$(
        impl<'a> From<$source> for Value<'a> {
            fn from($value: $source) -> Self {
                Self::$variant(Some($made))
            }
        }

        impl<'a> From<Option<$source>> for Value<'a> {
            fn from(value: Option<$source>) -> Self {
                Self::$variant(value.map(|$value| $made))
            }
        }
    )+};
}

value_from! {
    i64 => Number, |value| value;
    u32 => Number, |value| i64::from(value);
    u64 => Number, |value| i64::try_from(value).unwrap_or(i64::MAX);
    Timestamp => Number, |value| value.as_millis();
    bool => Bool, |value| value;
    &'a str => Text, |value| Cow::Borrowed(value);
    &'a String => Text, |value| Cow::Borrowed(value.as_str());
    String => Text, |value| Cow::Owned(value);
    Uuid => Uuid, |value| value;
    ids::TenantId => Uuid, |value| value.as_uuid();
    ids::UserId => Uuid, |value| value.as_uuid();
    ids::OperationRunId => Uuid, |value| value.as_uuid();
    ids::SyncRunId => Uuid, |value| value.as_uuid();
    ids::ItemId => Uuid, |value| value.as_uuid();
    ids::CaptureId => Uuid, |value| value.as_uuid();
    ids::VersionId => Uuid, |value| value.as_uuid();
    ids::NotificationId => Uuid, |value| value.as_uuid();
    ids::FindingId => Uuid, |value| value.as_uuid();
    ids::EndpointId => Uuid, |value| value.as_uuid();
    ids::DeliveryId => Uuid, |value| value.as_uuid();
    ids::ScheduleId => Uuid, |value| value.as_uuid();
    ids::CorrelationId => Uuid, |value| value.as_uuid();
    &'a [u8] => Bytes, |value| Cow::Borrowed(value);
    [u8; 12] => Bytes, |value| Cow::Owned(value.to_vec());
    &'a [u8; 32] => Bytes, |value| Cow::Borrowed(&value[..]);
    Vec<u8> => Bytes, |value| Cow::Owned(value);
    ContentHash => Bytes, |value| Cow::Owned(value.0.to_vec());
}

/// The values of a statement in the order of its placeholders.
macro_rules! args {
    ($($value:expr),* $(,)?) => { [$($crate::sql::Value::from($value)),*] };
}
pub(crate) use args;

/// A statement whose text depends on what is asked for, put together from fragments. Values are only ever bound, never
/// written into the text. Each fragment numbers its own values from `$1` on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statement {
    text: String,
    values: Vec<Value<'static>>,
}

impl Statement {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// `WITH wanted (…) AS (VALUES …)`, of at least one row.
    pub(crate) fn wanted<const N: usize>(columns: &str, rows: impl IntoIterator<Item = [Value<'static>; N]>) -> Self {
        let mut statement = Self::new(&format!("WITH wanted ({columns}) AS (VALUES "));
        let places: Vec<String> = (1..=N).map(|at| format!("${at}")).collect();
        let places = places.join(", ");
        for (at, row) in rows.into_iter().enumerate() {
            statement.push(&format!("{}({places})", if at == 0 { "" } else { ", " }), row);
        }
        statement.push(")", []);
        statement
    }

    /// One fragment with its values.
    pub(crate) fn of(fragment: &str, values: impl IntoIterator<Item = Value<'static>>) -> Self {
        let mut statement = Self::default();
        statement.push(fragment, values);
        statement
    }

    /// Appends a fragment with its values.
    pub(crate) fn push(&mut self, fragment: &str, values: impl IntoIterator<Item = Value<'static>>) -> &mut Self {
        let before = self.values.len();
        self.values.extend(values);
        let mut parts = fragment.split('$');
        self.text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let digits = part.len() - part.trim_start_matches(|character: char| character.is_ascii_digit()).len();
            let (number, rest) = part.split_at(digits);
            let number = before + number.parse::<usize>().unwrap_or_default();
            debug_assert!(
                number > before && number <= self.values.len(),
                "{fragment} names a value that it was not given"
            );
            let _ = write!(self.text, "${number}{rest}");
        }
        self
    }

    /// Appends another statement.
    pub(crate) fn push_statement(&mut self, other: Self) -> &mut Self {
        self.push(&other.text, other.values)
    }

    /// Appends `{what} IN ($n, …)`. The list is filled up with its last value to one of few lengths, so that the databases
    /// meet few different texts. An empty list matches nothing.
    pub(crate) fn push_in<T: Into<Value<'static>> + Clone>(&mut self, what: &str, values: &[T]) -> &mut Self {
        if values.is_empty() {
            return self.push(&format!("{what} IN (NULL)"), []);
        }
        self.push(&format!("{what} IN ("), []).push_filled(values, ", ").push(")", [])
    }

    /// Appends `($n), …` as rows of one column, filled up in the same way: a row may be there twice.
    pub(crate) fn push_rows<T: Into<Value<'static>> + Clone>(&mut self, values: &[T]) -> &mut Self {
        self.push("(", []).push_filled(values, "), (").push(")", [])
    }

    fn push_filled<T: Into<Value<'static>> + Clone>(&mut self, values: &[T], separator: &str) -> &mut Self {
        for index in 0..values.len().next_power_of_two() {
            if let Some(value) = values.get(index).or(values.last()) {
                self.push(if index == 0 { "" } else { separator }, []).push("$1", [value.clone().into()]);
            }
        }
        self
    }

    /// Appends ` LIMIT n`. The number stands in the text: one that is bound PostgreSQL takes for a tenth of all rows when it
    /// plans for any, finds that dearer than planning for this one, and so plans at every run. For limits of which there are few.
    pub(crate) fn push_limit(&mut self, limit: u64) -> &mut Self {
        let _ = write!(self.text, " LIMIT {limit}");
        self
    }

    pub(crate) fn text(&self) -> SqlStr {
        AssertSqlSafe(self.text.clone()).into_sql_str()
    }

    pub(crate) fn values(&self) -> &[Value<'static>] {
        &self.values
    }
}

/// The pattern of `LIKE … ESCAPE '\'` that finds `text` anywhere.
pub(crate) fn contains_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars().filter(|character| *character != '\0') {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_text_is_taken_literally() {
        assert_eq!(contains_pattern("50%_a\\b"), "%50\\%\\_a\\\\b%");
    }

    #[test]
    fn a_list_is_filled_up_to_a_power_of_two_and_an_empty_one_matches_nothing() {
        let mut statement = Statement::default();
        statement.push_in("x", &[1_i64, 2, 3]);
        assert_eq!(statement.text().as_str(), "x IN ($1, $2, $3, $4)");
        let mut empty = Statement::default();
        empty.push_in::<i64>("x", &[]);
        assert_eq!(empty.text().as_str(), "x IN (NULL)");
        let mut rows = Statement::default();
        rows.push_rows(&[1_i64, 2, 3]);
        assert_eq!(rows.text().as_str(), "($1), ($2), ($3), ($4)");
    }

    #[test]
    fn the_values_of_a_fragment_are_numbered_after_those_before_it() {
        let mut statement = Statement::new("SELECT 1");
        statement.push(" WHERE a = $1 AND b > $2 AND c < $2", args![1_i64, 2_i64]);
        statement.push(" AND d = $1", args![3_i64]).push_in(" AND e", &[4_i64]);
        let mut outer = Statement::default();
        outer.push("x = $1, (", args![0_i64]).push_statement(statement).push(")", []);
        assert_eq!(
            outer.text().as_str(),
            "x = $1, (SELECT 1 WHERE a = $2 AND b > $3 AND c < $3 AND d = $4 AND e IN ($5))"
        );
        let numbers = outer.values().iter().map(|value| if let Value::Number(number) = value { *number } else { None });
        assert!(numbers.eq((0..5).map(Some)));
    }

    #[test]
    fn escaped_nul_characters_leave_json_but_an_escaped_backslash_stays() {
        assert_eq!(without_escaped_nul(r#"{"a":"x\u0000y"}"#.to_owned()), r#"{"a":"xy"}"#);
        assert_eq!(without_escaped_nul(r#"{"a":"x\\u0000y"}"#.to_owned()), r#"{"a":"x\\u0000y"}"#);
        assert_eq!(without_escaped_nul(r#""\\\u0000\n""#.to_owned()), r#""\\\n""#);
    }
}
