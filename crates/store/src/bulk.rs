//! Statements over many rows.
//!
//! Each statement exists in a few lengths only, so that the databases prepare it once and meet the same text again. The
//! texts are built once per database. Two things differ. SQLite looks numbered placeholders up one by one among all others,
//! which for thousands of them takes longer than the statement, so there the many have no number. And PostgreSQL plans a
//! statement with thousands of placeholders for longer than it runs it, so there inserted rows are bound as an array per
//! column (PostgreSQL, "Array Functions", `unnest`).

use std::borrow::Cow;
use std::fmt::Write as _;

use sqlx::SqlStr;

use crate::record::Record;
use crate::sql::Value;
use crate::{Backend, StoreError, Tx};

/// Rows per statement, longest first. The longest must stay below the 32,766 values SQLite takes.
const ROWS: [usize; 4] = [512, 64, 8, 1];
/// Rows per statement that takes arrays, at most.
const ARRAYS: usize = 4_096;
/// Lengths of a list of values, longest first; a list is filled up to the next one.
const LISTS: [usize; 5] = [1_024, 256, 64, 8, 1];

fn push_placeholder(text: &mut String, backend: Backend, number: usize) {
    match backend {
        Backend::Sqlite => text.push('?'),
        Backend::Postgres => drop(write!(text, "${number}")),
    }
}

/// `INSERT INTO table (columns) VALUES (…), (…) ON CONFLICT …`. There is one such statement per table.
pub(crate) struct InsertRows {
    /// The table.
    pub table: &'static str,
    /// The columns, in the order of the values of a row.
    pub columns: Cow<'static, [&'static str]>,
    /// What follows `ON CONFLICT`.
    pub on_conflict: Cow<'static, str>,
}

impl InsertRows {
    fn text(&self, rows: usize) -> String {
        let columns = self.columns.len();
        let mut text = format!("INSERT INTO {} ({}) VALUES ", self.table, self.columns.join(", "));
        text.reserve(rows * columns * 8);
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..columns {
                text.push_str(if column == 0 { "?" } else { ", ?" });
            }
            text.push(')');
        }
        text + " ON CONFLICT " + &self.on_conflict
    }

    fn text_of_arrays(&self) -> String {
        let places: Vec<String> = (1..=self.columns.len()).map(|number| format!("${number}")).collect();
        format!(
            "INSERT INTO {} ({}) SELECT * FROM unnest({}) ON CONFLICT {}",
            self.table,
            self.columns.join(", "),
            places.join(", "),
            self.on_conflict
        )
    }

    /// Inserts rows; `values` holds them one after the other. Answers how many rows were affected.
    pub(crate) async fn run(&self, tx: &mut Tx, values: &[Value<'_>]) -> Result<u64, StoreError> {
        debug_assert_eq!(values.len() % self.columns.len(), 0);
        match tx.backend() {
            Backend::Sqlite => self.run_on_rows(tx, values).await,
            Backend::Postgres => self.run_on_arrays(tx, values).await,
        }
    }

    async fn run_on_rows(&self, tx: &mut Tx, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let columns = self.columns.len();
        let mut affected = 0;
        let mut rest = values;
        for rows in ROWS {
            while rest.len() >= rows * columns {
                let (chunk, left) = rest.split_at(rows * columns);
                let text = tx.bulk_texts().get(self.table, rows, || self.text(rows));
                affected += tx.execute(text, chunk).await?;
                rest = left;
            }
        }
        Ok(affected)
    }

    async fn run_on_arrays(&self, tx: &mut Tx, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let columns = self.columns.len();
        let mut affected = 0;
        for chunk in values.chunks(ARRAYS * columns) {
            let text = tx.bulk_texts().get(self.table, ARRAYS, || self.text_of_arrays());
            affected += tx.execute_on_arrays(text, columns, chunk).await?;
        }
        Ok(affected)
    }
}

/// A statement over a list of values, which it names `#`: written after `IN` as `(#)`, or as the rows of a common table
/// expression, `VALUES #`. Fixed values are `$1 …`.
pub(crate) struct WithList {
    /// The text; must be unique among all statements.
    pub text: &'static str,
}

impl WithList {
    /// The values of the list come first: fixed value 1 is bound as the one after the whole list.
    fn text(&self, backend: Backend, length: usize) -> String {
        let mut text = String::with_capacity(self.text.len() + length * 9);
        let as_rows = self.text.contains("VALUES #");
        let mut characters = self.text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '$' => {
                    let mut number = 0;
                    while let Some(digit) = characters.peek().and_then(|next| next.to_digit(10)) {
                        number = number * 10 + digit as usize;
                        characters.next();
                    }
                    let _ = write!(text, "${}", length + number);
                }
                '#' => {
                    for index in 0..length {
                        text.push_str(if index == 0 { "" } else { ", " });
                        text.push_str(if as_rows { "(" } else { "" });
                        push_placeholder(&mut text, backend, index + 1);
                        text.push_str(if as_rows { ")" } else { "" });
                    }
                }
                other => text.push(other),
            }
        }
        text
    }

    fn prepared(&self, tx: &Tx, length: usize) -> SqlStr {
        tx.bulk_texts().get(self.text, length, || self.text(tx.backend(), length))
    }

    fn chunk<'v>(fixed: &[Value<'v>], list: &[Value<'v>]) -> (usize, Vec<Value<'v>>) {
        let length = LISTS.iter().rev().copied().find(|length| *length >= list.len()).unwrap_or(LISTS[0]);
        let mut values = Vec::with_capacity(fixed.len() + length);
        values.extend_from_slice(list);
        if let Some(last) = list.last() {
            values.resize(length, last.clone());
        }
        values.extend_from_slice(fixed);
        (length, values)
    }

    /// Runs it over all values of the list. Answers how many rows were affected.
    pub(crate) async fn run(&self, tx: &mut Tx, fixed: &[Value<'_>], list: &[Value<'_>]) -> Result<u64, StoreError> {
        let mut affected = 0;
        for part in list.chunks(LISTS[0]) {
            let (length, values) = Self::chunk(fixed, part);
            affected += tx.execute(self.prepared(tx, length), &values).await?;
        }
        Ok(affected)
    }

    /// Reads the rows for all values of the list.
    pub(crate) async fn rows<T: Record>(
        &self,
        tx: &mut Tx,
        fixed: &[Value<'_>],
        list: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::with_capacity(list.len());
        for part in list.chunks(LISTS[0]) {
            let (length, values) = Self::chunk(fixed, part);
            rows.extend(tx.rows::<T>(self.prepared(tx, length), &values).await?);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_inserted_as_rows_or_as_an_array_per_column() {
        let insert =
            InsertRows { table: "t", columns: Cow::Borrowed(&["a", "b"]), on_conflict: Cow::Borrowed("DO NOTHING") };
        assert_eq!(insert.text(2), "INSERT INTO t (a, b) VALUES (?, ?), (?, ?) ON CONFLICT DO NOTHING");
        assert_eq!(insert.text_of_arrays(), "INSERT INTO t (a, b) SELECT * FROM unnest($1, $2) ON CONFLICT DO NOTHING");
    }

    #[test]
    fn fixed_values_are_numbered_after_the_list() {
        let update = WithList { text: "UPDATE t SET a = $1 WHERE b = $2 AND c IN (#)" };
        assert_eq!(update.text(Backend::Postgres, 2), "UPDATE t SET a = $3 WHERE b = $4 AND c IN ($1, $2)");
        let find = WithList { text: "WITH w (c) AS (VALUES #) SELECT 1 FROM w WHERE b = $1" };
        assert_eq!(find.text(Backend::Sqlite, 2), "WITH w (c) AS (VALUES (?), (?)) SELECT 1 FROM w WHERE b = $3");
    }
}
