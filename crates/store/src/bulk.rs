//! Statements over many rows.
//!
//! Each statement exists in a few lengths only, so that the engines prepare it once and meet the same text again. The
//! texts are built once per process. They are the same for both engines but for the placeholders of the many: SQLite
//! looks numbered ones up one by one among all others, which for thousands of them takes longer than the statement.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

use crate::record::Record;
use crate::sql::Value;
use crate::{Backend, StoreError, Tx};

/// Rows per statement, longest first. The longest must stay below the 32,766 values SQLite takes.
const ROWS: [usize; 4] = [512, 64, 8, 1];
/// Lengths of a list of values, longest first; a list is filled up to the next one.
const LISTS: [usize; 5] = [1_024, 256, 64, 8, 1];

type Texts = HashMap<(Backend, &'static str, usize), Arc<str>>;

static TEXTS: LazyLock<Mutex<Texts>> = LazyLock::new(Mutex::default);

fn text(backend: Backend, head: &'static str, length: usize, build: impl FnOnce() -> String) -> SqlStr {
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let text = texts.entry((backend, head, length)).or_insert_with(|| build().into());
    AssertSqlSafe(Arc::clone(text)).into_sql_str()
}

fn push_placeholder(text: &mut String, backend: Backend, number: usize) {
    match backend {
        Backend::Sqlite => text.push('?'),
        Backend::Postgres => drop(write!(text, "${number}")),
    }
}

/// `INSERT … VALUES (…), (…)` with a fixed number of columns.
pub(crate) struct InsertRows {
    /// The text up to `VALUES`; must be unique among all statements.
    pub head: &'static str,
    /// Values per row.
    pub columns: usize,
    /// The text after the rows.
    pub tail: &'static str,
}

impl InsertRows {
    fn text(&self, backend: Backend, rows: usize) -> SqlStr {
        text(backend, self.head, rows, || {
            let mut text = String::with_capacity(self.head.len() + rows * self.columns * 8);
            text.push_str(self.head);
            text.push_str(" VALUES ");
            for row in 0..rows {
                text.push_str(if row == 0 { "(" } else { ", (" });
                for column in 0..self.columns {
                    text.push_str(if column == 0 { "" } else { ", " });
                    push_placeholder(&mut text, backend, row * self.columns + column + 1);
                }
                text.push(')');
            }
            text.push(' ');
            text.push_str(self.tail);
            text
        })
    }

    /// Inserts rows; `values` holds them one after the other. Answers how many rows were affected.
    pub(crate) async fn run(&self, tx: &mut Tx, values: &[Value<'_>]) -> Result<u64, StoreError> {
        debug_assert_eq!(values.len() % self.columns, 0);
        let mut affected = 0;
        let mut rest = values;
        for rows in ROWS {
            while rest.len() >= rows * self.columns {
                let (chunk, left) = rest.split_at(rows * self.columns);
                affected += tx.execute(self.text(tx.backend(), rows), chunk).await?;
                rest = left;
            }
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
    fn text(&self, backend: Backend, length: usize) -> SqlStr {
        text(backend, self.text, length, || {
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
        })
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
            affected += tx.execute(self.text(tx.backend(), length), &values).await?;
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
            rows.extend(tx.rows::<T>(self.text(tx.backend(), length), &values).await?);
        }
        Ok(rows)
    }
}
