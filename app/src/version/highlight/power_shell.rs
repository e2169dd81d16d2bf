//! PowerShell (Microsoft, about_Language_Keywords, about_Operators, about_Quoting_Rules).

use super::lexer::{Lexer, Quoting, braces, first, line, through, while_is};
use super::token::Kind;

const QUOTING: Quoting = Quoting { escape: '`', doubled: true };

const KEYWORDS: [&str; 37] = [
    "begin",
    "break",
    "catch",
    "class",
    "clean",
    "continue",
    "data",
    "default",
    "define",
    "do",
    "dynamicparam",
    "else",
    "elseif",
    "end",
    "enum",
    "exit",
    "filter",
    "finally",
    "for",
    "foreach",
    "from",
    "function",
    "hidden",
    "if",
    "in",
    "param",
    "process",
    "return",
    "static",
    "switch",
    "throw",
    "trap",
    "try",
    "until",
    "using",
    "var",
    "while",
];

const OPERATORS: [&str; 37] = [
    "-and",
    "-as",
    "-band",
    "-bnot",
    "-bor",
    "-bxor",
    "-contains",
    "-ceq",
    "-cge",
    "-cgt",
    "-cle",
    "-clike",
    "-clt",
    "-cmatch",
    "-cne",
    "-creplace",
    "-eq",
    "-f",
    "-ge",
    "-gt",
    "-in",
    "-is",
    "-isnot",
    "-join",
    "-le",
    "-like",
    "-lt",
    "-match",
    "-ne",
    "-not",
    "-notcontains",
    "-notin",
    "-notlike",
    "-notmatch",
    "-or",
    "-replace",
    "-split",
];

pub(super) fn read(lexer: &mut Lexer<'_>) {
    while let Some(character) = lexer.rest().chars().next() {
        let rest = lexer.rest();
        match character {
            '#' if begins(lexer) => lexer.take(Kind::Comment, line(rest)),
            '<' if rest.starts_with("<#") => lexer.take(Kind::Comment, through(rest, "#>")),
            '@' if rest.starts_with("@\"") || rest.starts_with("@'") => here(lexer, rest),
            '\'' => lexer.take(Kind::Text, QUOTING.single(rest)),
            '"' => lexer.take(Kind::Text, QUOTING.double(rest, 0)),
            '$' | '@' => match variable(rest) {
                Some(length) => lexer.take(Kind::Variable, length),
                None => lexer.skip(1),
            },
            '`' => lexer.skip(1 + first(&rest[1..])),
            _ if is_word(character) => word(lexer, rest),
            _ => lexer.skip(character.len_utf8()),
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-')
}

/// Whether a word may begin here.
fn begins(lexer: &Lexer<'_>) -> bool {
    lexer.before().is_none_or(|before| before.is_whitespace() || "(){}[];,|&=".contains(before))
}

/// A text of several lines: it begins at the end of a line and ends at the beginning of one.
fn here(lexer: &mut Lexer<'_>, rest: &str) {
    let begin = &rest[2..];
    let is_one = begin[..line(begin)].trim().is_empty() && begin.contains('\n');
    let end = if rest.starts_with("@\"") { "\n\"@" } else { "\n'@" };
    if is_one { lexer.take(Kind::Text, through(rest, end)) } else { lexer.skip(1) }
}

fn variable(rest: &str) -> Option<usize> {
    let name = &rest[1..];
    if rest.starts_with("${") {
        return Some(1 + braces(name));
    }
    let named = while_is(name, |character| character.is_alphanumeric() || matches!(character, '_' | ':' | '?'));
    match name.chars().next()? {
        '$' | '^' if rest.starts_with('$') => Some(2),
        ':' => None,
        _ if named > 0 => Some(1 + named),
        _ => None,
    }
}

fn word(lexer: &mut Lexer<'_>, rest: &str) {
    let length = while_is(rest, is_word);
    let word = rest[..length].to_ascii_lowercase();
    let is_member = lexer.before().is_some_and(|before| matches!(before, '.' | ':'));
    let known = if word.starts_with('-') { OPERATORS.as_slice() } else { KEYWORDS.as_slice() };
    if known.contains(&word.as_str()) && !is_member { lexer.take(Kind::Keyword, length) } else { lexer.skip(length) }
}
