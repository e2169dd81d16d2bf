//! Shells (IEEE Std 1003.1, Shell Command Language; what bash and zsh add to it).

use super::lexer::{Lexer, Quoting, braces, first, line, while_is};
use super::token::Kind;

const QUOTING: Quoting = Quoting { escape: '\\', doubled: false };

const KEYWORDS: [&str; 33] = [
    "alias", "break", "case", "continue", "declare", "do", "done", "elif", "else", "esac", "eval", "exec", "exit",
    "export", "fi", "for", "function", "if", "in", "local", "readonly", "return", "select", "set", "shift", "source",
    "then", "time", "trap", "typeset", "unset", "until", "while",
];

/// A text that begins at the next line: what ends it, and whether tabulators may stand before that.
type Here<'script> = (&'script str, bool);

pub(super) fn read(lexer: &mut Lexer<'_>) {
    let mut waiting: Vec<Here<'_>> = Vec::new();
    while let Some(character) = lexer.rest().chars().next() {
        let rest = lexer.rest();
        match character {
            '\n' => {
                lexer.skip(1);
                for here in waiting.drain(..) {
                    lexer.take(Kind::Text, document(lexer.rest(), here));
                }
            }
            '#' if begins(lexer) => lexer.take(Kind::Comment, line(rest)),
            '\'' => lexer.take(Kind::Text, QUOTING.single(rest)),
            '"' => lexer.take(Kind::Text, QUOTING.double(rest, 0)),
            '$' if rest.starts_with("$'") => lexer.take(Kind::Text, escaped(rest)),
            '$' => match variable(rest) {
                Some(length) => lexer.take(Kind::Variable, length),
                None => lexer.skip(1),
            },
            '\\' => lexer.skip(1 + first(&rest[1..])),
            '<' if rest.starts_with("<<<") => lexer.skip(3),
            '<' if rest.starts_with("<<") => {
                waiting.extend(here(&rest[2..]));
                lexer.skip(2);
            }
            _ if is_word(character) => word(lexer, rest),
            _ => lexer.skip(character.len_utf8()),
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '/')
}

/// Whether a word may begin here.
fn begins(lexer: &Lexer<'_>) -> bool {
    lexer.before().is_none_or(|before| before.is_whitespace() || ";&|()".contains(before))
}

/// What ends a text that an operator announces.
fn here(text: &str) -> Option<Here<'_>> {
    let tabulators = text.starts_with('-');
    let word = text.trim_start_matches('-').trim_start_matches([' ', '\t']).trim_start_matches(['\'', '"', '\\']);
    let length = while_is(word, |character| character.is_alphanumeric() || character == '_');
    (length > 0).then(|| (&word[..length], tabulators))
}

/// The bytes of a text up to and with the line that ends it, or all.
fn document(text: &str, (end, tabulators): Here<'_>) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        if (if tabulators { line.trim_start_matches('\t') } else { line }) == end {
            break;
        }
    }
    at
}

/// The bytes of a text `$'…'`, in which a backslash escapes.
fn escaped(rest: &str) -> usize {
    let mut at = 2;
    while let Some(character) = rest[at..].chars().next() {
        at += character.len_utf8();
        match character {
            '\\' => at += first(&rest[at..]),
            '\'' => return at,
            _ => {}
        }
    }
    rest.len()
}

fn variable(rest: &str) -> Option<usize> {
    let name = &rest[1..];
    match name.chars().next()? {
        '{' => Some(1 + braces(name)),
        '@' | '*' | '#' | '?' | '-' | '$' | '!' | '0'..='9' => Some(2),
        character if character.is_alphabetic() || character == '_' => {
            Some(1 + while_is(name, |character| character.is_alphanumeric() || character == '_'))
        }
        _ => None,
    }
}

fn word(lexer: &mut Lexer<'_>, rest: &str) {
    let length = while_is(rest, is_word);
    let known = KEYWORDS.contains(&&rest[..length]);
    let stands_alone = begins(lexer) || lexer.before().is_some_and(|before| "{`!".contains(before));
    if known && stands_alone { lexer.take(Kind::Keyword, length) } else { lexer.skip(length) }
}
