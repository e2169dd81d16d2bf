//! Characters that are not seen but do something: move the cursor, colour a terminal, turn the direction of text around,
//! or hide what begins behind them.

/// Whether a character is a control character (Unicode general category Cc: C0, DEL, C1), a format character (Cf: bidi
/// marks, embeddings, overrides and isolates, zero-width characters, the byte order mark, tags) or a line or paragraph
/// separator (Zl, Zp). The ranges are those of `DerivedGeneralCategory.txt` of Unicode 17.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
            | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}
