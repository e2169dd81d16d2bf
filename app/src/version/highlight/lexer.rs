//! A place in a script, and what was told apart before it.

use super::token::{Kind, Token};

/// How deep texts may stand in commands that stand in texts.
const MOST_DEPTH: usize = 8;

/// A walk through a script.
pub(super) struct Lexer<'script> {
    script: &'script str,
    /// The byte that is looked at; always the first of a character.
    at: usize,
    /// Where what is plain begins.
    plain: usize,
    tokens: Vec<Token<'script>>,
    most: usize,
}

impl<'script> Lexer<'script> {
    pub(super) const fn new(script: &'script str, most: usize) -> Self {
        Self { script, at: 0, plain: 0, tokens: Vec::new(), most }
    }

    /// What was not looked at yet; nothing once there are as many tokens as are told apart.
    pub(super) fn rest(&self) -> &'script str {
        if self.tokens.len() + 1 >= self.most { "" } else { &self.script[self.at..] }
    }

    /// The character before.
    pub(super) fn before(&self) -> Option<char> {
        self.script[..self.at].chars().next_back()
    }

    /// The next bytes are one token.
    pub(super) fn take(&mut self, kind: Kind, length: usize) {
        if length == 0 {
            return;
        }
        self.end_plain();
        let end = self.at + length;
        self.tokens.push(Token { kind, text: &self.script[self.at..end] });
        (self.at, self.plain) = (end, end);
    }

    /// The next bytes are nothing in particular.
    pub(super) fn skip(&mut self, length: usize) {
        self.at += length;
    }

    fn end_plain(&mut self) {
        if self.plain < self.at {
            self.tokens.push(Token { kind: Kind::Plain, text: &self.script[self.plain..self.at] });
        }
    }

    /// All of the script.
    pub(super) fn tokens(mut self) -> Vec<Token<'script>> {
        self.at = self.script.len();
        self.end_plain();
        self.tokens
    }
}

/// The bytes of the first character of a text.
pub(super) fn first(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// The bytes up to the end of the line, without it.
pub(super) fn line(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// The bytes up to and with a mark, or all.
pub(super) fn through(text: &str, mark: &str) -> usize {
    text.find(mark).map_or(text.len(), |at| at + mark.len())
}

/// The bytes at the beginning of which this holds.
pub(super) fn while_is(text: &str, is: impl Fn(char) -> bool) -> usize {
    text.find(|character| !is(character)).unwrap_or(text.len())
}

/// How a language writes texts.
pub(super) struct Quoting {
    /// What takes the meaning from the character behind it, in texts and outside of them.
    pub escape: char,
    /// Whether a quotation mark that stands twice is one of the text.
    pub doubled: bool,
}

impl Quoting {
    /// The bytes of a text in single quotation marks, which has no escapes.
    pub(super) fn single(&self, text: &str) -> usize {
        let mut at = 1;
        loop {
            let Some(end) = text[at..].find('\'') else { return text.len() };
            at += end + 1;
            if !(self.doubled && text[at..].starts_with('\'')) {
                return at;
            }
            at += 1;
        }
    }

    /// The bytes of a text in double quotation marks, with the commands in it.
    pub(super) fn double(&self, text: &str, depth: usize) -> usize {
        let mut at = 1;
        while let Some(character) = text[at..].chars().next() {
            let next = at + character.len_utf8();
            at = match character {
                _ if character == self.escape => next + first(&text[next..]),
                '"' if self.doubled && text[next..].starts_with('"') => next + 1,
                '"' => return next,
                '$' if depth < MOST_DEPTH && text[next..].starts_with('(') => {
                    next + 1 + self.command(&text[next + 1..], depth + 1)
                }
                _ => next,
            };
        }
        text.len()
    }

    /// The bytes of a command up to and with the parenthesis that ends it.
    fn command(&self, text: &str, depth: usize) -> usize {
        let (mut at, mut open) = (0, 0_usize);
        while let Some(character) = text[at..].chars().next() {
            let next = at + character.len_utf8();
            at = match character {
                _ if character == self.escape => next + first(&text[next..]),
                '"' => at + self.double(&text[at..], depth),
                '\'' => at + self.single(&text[at..]),
                ')' if open == 0 => return next,
                ')' => {
                    open -= 1;
                    next
                }
                '(' => {
                    open += 1;
                    next
                }
                _ => next,
            };
        }
        text.len()
    }
}

/// The bytes of what stands in braces, from the first of them on; all where they do not end.
pub(super) fn braces(text: &str) -> usize {
    let mut open = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '{' => open += 1,
            '}' => {
                open -= 1;
                if open == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}
