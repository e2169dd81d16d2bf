//! A page as the tokens that a browser reads it as (HTML standard, section 13.2.5), and written again from them.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

/// What is read, token by token.
#[derive(Default)]
struct Tokens(RefCell<Vec<Token>>);

impl TokenSink for Tokens {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let next = match &token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => after(&tag.name),
            _ => TokenSinkResult::Continue,
        };
        if !matches!(token, Token::ParseError(_) | Token::EOFToken) {
            self.0.borrow_mut().push(token);
        }
        next
    }
}

/// How the content of an element is read.
fn after(name: &str) -> TokenSinkResult<()> {
    match name {
        "script" => TokenSinkResult::RawData(ScriptData),
        _ if is_raw(name) => TokenSinkResult::RawData(Rawtext),
        "title" | "textarea" => TokenSinkResult::RawData(Rcdata),
        _ => TokenSinkResult::Continue,
    }
}

/// Whether the content of an element is written as it is.
fn is_raw(name: &str) -> bool {
    matches!(name, "script" | "style" | "xmp" | "iframe" | "noembed" | "noframes")
}

/// The tokens of a page.
pub fn read(page: &str) -> Vec<Token> {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(page));
    let tokenizer = Tokenizer::new(Tokens::default(), TokenizerOpts::default());
    // It stops for nothing but a script that it is told to wait for, and it is told of none.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

/// The page of these tokens.
pub fn written(tokens: &[Token]) -> String {
    let (mut page, mut raw) = (String::new(), false);
    for token in tokens {
        match token {
            Token::DoctypeToken(doctype) => {
                page += "<!DOCTYPE ";
                page += doctype.name.as_deref().unwrap_or("html");
                page.push('>');
            }
            Token::TagToken(tag) => {
                raw = tag.kind == TagKind::StartTag && is_raw(&tag.name);
                write_tag(&mut page, tag);
            }
            Token::CommentToken(text) => {
                page += "<!--";
                page += text;
                page += "-->";
            }
            Token::CharacterTokens(text) if raw => page += text,
            Token::CharacterTokens(text) => escape(&mut page, text, false),
            Token::NullCharacterToken => page.push('\u{fffd}'),
            Token::EOFToken | Token::ParseError(_) => {}
        }
    }
    page
}

fn write_tag(page: &mut String, tag: &Tag) {
    page.push_str(if tag.kind == TagKind::EndTag { "</" } else { "<" });
    *page += &tag.name;
    for attribute in &tag.attrs {
        page.push(' ');
        *page += &attribute.name.local;
        *page += "=\"";
        escape(page, &attribute.value, true);
        page.push('"');
    }
    page.push_str(if tag.self_closing { " />" } else { ">" });
}

fn escape(page: &mut String, text: &str, attribute: bool) {
    for character in text.chars() {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' if attribute => page.push_str("&quot;"),
            _ => page.push(character),
        }
    }
}
