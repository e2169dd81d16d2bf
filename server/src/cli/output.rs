//! What a command prints: text and tables for people, one JSON document for programs. Everything that a terminal gets
//! goes through [`visible`]; JSON has escapes of its own.

use std::io::{self, BufWriter, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value;
use tenantatlas_domain::time::Timestamp;

use crate::exit::{Exit, ExitCode};

pub use tenantatlas_domain::invisible::visible;

/// Standard output, as text or as JSON. A reader that goes away (`| head`) changes nothing about what the command does
/// and with which exit code it ends.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// One JSON document instead of text.
    pub json: bool,
}

impl Output {
    /// One line of text, made [`visible`]; nothing with `--json`.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn line(self, text: impl AsRef<str>) -> Result<(), Exit> {
        if self.json {
            return Ok(());
        }
        print(&visible(text.as_ref()))
    }

    /// The JSON document, whose times are RFC 3339; nothing without `--json`.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn document<T: Serialize>(self, value: &T) -> Result<(), Exit> {
        if !self.json {
            return Ok(());
        }
        let mut stream = BufWriter::new(io::stdout().lock());
        offered(serde_json::to_writer_pretty(&mut stream, &told(value)?).map_err(io::Error::from))?;
        offered(writeln!(stream).and_then(|()| stream.flush()))
    }

    /// A piece of a JSON document that is too large to be held whole; nothing without `--json`.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn piece(self, json: &str) -> Result<(), Exit> {
        if !self.json {
            return Ok(());
        }
        offered(io::stdout().lock().write_all(json.as_bytes()))
    }

    /// The JSON document in one line, for a program that reads on while this one runs; nothing without `--json`.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn document_line<T: Serialize>(self, value: &T) -> Result<(), Exit> {
        if !self.json {
            return Ok(());
        }
        print(&told(value)?.to_string())
    }

    /// A table for people, each cell made [`visible`]; nothing with `--json`.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn table(self, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<(), Exit> {
        if self.json {
            return Ok(());
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
        for row in rows {
            table.add_row(row.iter().map(|cell| visible(cell)));
        }
        print(&table.trim_fmt())
    }
}

/// A document as programs read it: a time, which is kept in milliseconds, is RFC 3339.
fn told<T: Serialize>(value: &T) -> Result<Value, Exit> {
    let mut document = serde_json::to_value(value).map_err(|error| Exit::unexpected(error.to_string()))?;
    write_times(&mut document);
    Ok(document)
}

/// What is named `…_at` and is a number is a time.
fn write_times(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_i64().filter(|_| name.ends_with("_at")) {
                    Some(millis) => *member = Value::String(Timestamp::from_millis(millis).to_rfc3339()),
                    None => write_times(member),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(write_times),
        _ => {}
    }
}

fn print(line: &str) -> Result<(), Exit> {
    offered(writeln!(io::stdout().lock(), "{line}"))
}

/// Goes on where the reader has gone; any other failed write is the end of the command, with exit code 74.
fn offered(result: io::Result<()>) -> Result<(), Exit> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => written(result),
    }
}

/// Turns a failed write into the end of the command. For long streams, which nobody needs once the reader has gone.
///
/// # Errors
/// `Success` without a word when the reader has gone, else exit code 74.
pub fn written(result: io::Result<()>) -> Result<(), Exit> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Exit::silent(ExitCode::Success),
        _ => Exit::new(ExitCode::CannotWrite, format!("cannot write the output: {error}")),
    })
}
