//! What a command prints: text and tables for people, one JSON document for programs.

use crate::{
    exit::{Exit, ExitCode},
    invisible::is_invisible,
};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use std::{
    borrow::Cow,
    io::{self, BufWriter, Write},
};

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

    /// The JSON document; nothing without `--json`.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn document<T: Serialize>(self, value: &T) -> Result<(), Exit> {
        if !self.json {
            return Ok(());
        }
        let mut stream = BufWriter::new(io::stdout().lock());
        offered(serde_json::to_writer_pretty(&mut stream, value).map_err(io::Error::from))?;
        offered(writeln!(stream).and_then(|()| stream.flush()))
    }

    /// The JSON document in one line, for a program that reads on while this one runs; nothing without `--json`.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn document_line<T: Serialize>(self, value: &T) -> Result<(), Exit> {
        if !self.json {
            return Ok(());
        }
        print(&serde_json::to_string(value).map_err(|error| Exit::new(ExitCode::Failed, error.to_string()))?)
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

/// Text that can do nothing to a terminal but be read: control characters, line breaks, bidi overrides and all other
/// format characters are shown as escapes (`\u{1b}`), so that a name can neither move the cursor nor write a line of its
/// own nor look like another. Everything that a terminal gets goes through here; JSON has escapes of its own.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => shown.extend(character.escape_default()),
            hidden if is_invisible(hidden) => shown.extend(hidden.escape_unicode()),
            plain => shown.push(plain),
        }
    }
    Cow::Owned(shown)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_nothing_to_a_terminal() {
        for (name, shown) in [
            ("Windows – Baseline 🦀", "Windows – Baseline 🦀"),
            ("\u{1b}[2J\u{1b}]0;owned\u{7}", "\\u{1b}[2J\\u{1b}]0;owned\\u{7}"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("safe\u{202e}exe.tnemucod\u{2066}", "safe\\u{202e}exe.tnemucod\\u{2066}"),
            ("zero\u{200b}width\u{feff}\u{2028}", "zero\\u{200b}width\\u{feff}\\u{2028}"),
            ("\u{e0041}\u{ad}", "\\u{e0041}\\u{ad}"),
        ] {
            assert_eq!(visible(name), shown);
        }
    }

    #[test]
    fn no_character_that_does_something_is_left() {
        for character in '\0'..=char::MAX {
            let text = character.to_string();
            assert!(!visible(&text).contains(is_invisible), "{character:?}");
        }
    }
}
