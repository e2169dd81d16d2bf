//! Tables for spreadsheets, as CSV (RFC 4180), in which no text can become a formula.
//!
//! A spreadsheet takes a cell for a formula that begins with `=`, `+`, `-`, `@`, or with one of these in its full-width or
//! small form (Unicode, "Halfwidth and Fullwidth Forms", "Small Form Variants"), also behind blanks, tabs, line breaks and
//! characters that nobody sees (OWASP, "CSV Injection"). And it does not have to take the comma for the separator: where the
//! semicolon, the tab or the vertical bar separates, one of them within a cell begins another. So every place where a cell can
//! begin in any of these readings is defused with an apostrophe, and every cell but numbers is quoted.

use std::io;

use axum::body::Bytes;
use csv::{QuoteStyle, WriterBuilder};
use tenantatlas_domain::invisible::is_invisible;

/// What one cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Text that may come from anywhere.
    Text(String),
    /// A number of our own, which a spreadsheet may calculate with.
    Number(i64),
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// The lines as CSV.
///
/// # Errors
/// None in practice: it writes to memory.
pub fn lines(rows: &[Vec<Cell>]) -> io::Result<Bytes> {
    let mut writer = WriterBuilder::new().quote_style(QuoteStyle::NonNumeric).flexible(true).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|cell| match cell {
            Cell::Text(text) => harmless(text),
            Cell::Number(number) => number.to_string(),
        }))?;
    }
    writer.into_inner().map(Bytes::from).map_err(|error| io::Error::other(error.to_string()))
}

/// Puts an apostrophe before each character that could begin a formula where a cell can begin: at the start, and behind
/// a semicolon, a tab, a vertical bar or a line break. Not behind a comma: where that separates, the quotes hold.
fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut begins = true;
    for character in text.chars() {
        if begins && begins_a_formula(character) {
            safe.push('\'');
        }
        safe.push(character);
        begins = match character {
            ';' | '\t' | '|' | '\n' | '\r' => true,
            // A quotation mark at the start of a cell is not a part of it in every reading.
            '"' => begins,
            _ => begins && (character.is_whitespace() || is_invisible(character)),
        };
    }
    safe
}

fn begins_a_formula(character: char) -> bool {
    matches!(character, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '﹦' | '﹢' | '﹣' | '﹫')
}

#[cfg(test)]
mod tests {
    use super::*;
    use csv::ReaderBuilder;
    use proptest::prelude::*;

    fn written(cells: &[&str]) -> String {
        let row = cells.iter().map(|cell| Cell::from(*cell)).collect();
        String::from_utf8(lines(&[row]).expect("written").to_vec()).expect("UTF-8")
    }

    #[test]
    fn a_field_never_becomes_a_formula() {
        for (field, expected) in [
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"\n"),
            ("plain, with comma", "\"plain, with comma\"\n"),
            ("-1", "\"'-1\"\n"),
            ("@SUM(A1)", "\"'@SUM(A1)\"\n"),
            (";=1+1", "\";'=1+1\"\n"),
            ("a; =1+1", "\"a; '=1+1\"\n"),
            ("a\t+1", "\"a\t'+1\"\n"),
            ("\u{feff}=1+1", "\"\u{feff}'=1+1\"\n"),
            ("\u{200b} \u{202e}=1+1", "\"\u{200b} \u{202e}'=1+1\"\n"),
            ("＝1+1", "\"'＝1+1\"\n"),
            ("﹦1+1", "\"'﹦1+1\"\n"),
            ("a|﹢1", "\"a|'﹢1\"\n"),
            ("a | ﹣1|﹫b|=c", "\"a | '﹣1|'﹫b|'=c\"\n"),
            ("a\r\n-1", "\"a\r\n'-1\"\n"),
            (";\"=1+1", "\";\"\"'=1+1\"\n"),
            ("Windows - Baseline, - Edge", "\"Windows - Baseline, - Edge\"\n"),
        ] {
            assert_eq!(written(&[field]), expected, "{field:?}");
        }
    }

    #[test]
    fn a_number_of_our_own_stays_a_number() {
        let row = vec![Cell::from(-5), Cell::from("-5"), Cell::from(17)];
        assert_eq!(lines(&[row]).expect("written"), "-5,\"'-5\",17\n");
    }

    #[test]
    fn what_is_harmless_is_read_back_as_it_was() {
        let cells =
            ["Contoso; Ltd", "a \"quoted\" name", "two\nlines", "Ünïcödé 🦀", "", "{\"a\":\"-5\",\"b\":[1,-2]}"];
        let text = written(&cells);
        let mut reader = ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let record = reader.records().next().expect("a line").expect("CSV");
        assert_eq!(record.iter().collect::<Vec<_>>(), cells);
    }

    /// Text made of what matters here, and now and then anything.
    fn text() -> impl Strategy<Value = String> {
        let pieces = prop_oneof![
            8 => prop::sample::select(vec![
                "=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", ",", ";", "|", "\t", "\n", "\r", "\"", "\"\"", "'", " ", "\u{a0}",
                "\u{feff}", "\u{200b}", "\u{2028}", "\u{202e}", "\u{0}", "\u{b}", "1", "a", "SUM(A1)",
            ])
            .prop_map(str::to_owned),
            1 => "\\PC{0,3}",
        ];
        prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
    }

    fn is_formula(cell: &str) -> bool {
        cell.trim_start_matches(|character: char| character.is_whitespace() || is_invisible(character))
            .starts_with(begins_a_formula)
    }

    proptest! {
        #[test]
        fn no_cell_begins_with_a_formula_whatever_separates(rows in prop::collection::vec(prop::collection::vec(text(), 1..5), 1..4)) {
            let cells: Vec<Vec<Cell>> = rows.iter().map(|row| row.iter().cloned().map(Cell::from).collect()).collect();
            let file = lines(&cells).expect("written");
            for separator in [b',', b';', b'\t', b'|'] {
                let mut reader =
                    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(file.as_ref());
                for record in reader.records() {
                    for cell in record.expect("CSV").iter() {
                        prop_assert!(!is_formula(cell), "{cell:?} of {file:?}, separated by {:?}", char::from(separator));
                    }
                }
            }
            // And where quotation marks mean nothing but are taken away.
            let text = std::str::from_utf8(&file).expect("UTF-8");
            for cell in text.split([';', '\t', '|', '\n', '\r']) {
                prop_assert!(!is_formula(cell.trim_start_matches('"')), "{cell:?} of {file:?}");
            }
        }
    }
}
