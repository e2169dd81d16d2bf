//! The fields of the form that was refused, filled with what was sent.

use std::collections::HashMap;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tag, TagKind, Token};
use html5ever::{Attribute, LocalName, QualName, ns};

/// A form of the page.
struct Form {
    /// What is closed around it.
    around: Vec<usize>,
    /// Whether it, or a button of it, leads to the function.
    leads: bool,
}

/// A field, by its tag and the form that it belongs to.
struct Field {
    at: usize,
    form: usize,
}

/// What a page consists of, as far as it is forms.
#[derive(Default)]
struct Forms {
    forms: Vec<Form>,
    fields: Vec<Field>,
}

/// Fills the form that leads to the function and was sent with these fields. Of several it is the one whose hidden fields say
/// what was sent.
pub fn fill(tokens: &mut Vec<Token>, function: &str, sent: &[(String, String)]) {
    let Forms { forms, fields } = Forms::of(tokens, function);
    let mut chosen: Option<(usize, usize)> = None;
    for (index, _) in forms.iter().enumerate().filter(|(_, form)| form.leads) {
        let hidden = fields.iter().filter(|field| field.form == index).filter_map(|field| tag(tokens, field.at));
        let hidden = hidden.filter(|tag| &*tag.name == "input" && get(tag, "type") == Some("hidden"));
        let same = hidden.filter(|tag| holds(sent, get(tag, "name"), get(tag, "value"))).count();
        if chosen.is_none_or(|(_, most)| same > most) {
            chosen = Some((index, same));
        }
    }
    let Some((chosen, _)) = chosen else { return };
    for at in &forms[chosen].around {
        if let Token::TagToken(tag) = &mut tokens[*at] {
            set(tag, "open", Some(""));
        }
    }
    let mut nth: HashMap<String, usize> = HashMap::new();
    // From the last to the first, since the text of one may be put between tokens.
    let mut texts = Vec::new();
    for field in fields.iter().filter(|field| field.form == chosen) {
        let Some(tag) = tag_mut(tokens, field.at) else { continue };
        let Some(name) = get(tag, "name").map(ToOwned::to_owned) else { continue };
        if is_secret(tag) {
            continue;
        }
        match &*tag.name {
            "input" if matches!(get(tag, "type"), Some("checkbox" | "radio")) => {
                let on = holds(sent, Some(&name), get(tag, "value").or(Some("on")));
                set(tag, "checked", on.then_some(""));
            }
            "input" if get(tag, "data-as-sent").is_some() => set_next(tag, sent, &name, &mut nth),
            "input"
                if matches!(get(tag, "type"), Some("hidden" | "submit" | "button" | "image" | "reset" | "file")) => {}
            "input" => set_next(tag, sent, &name, &mut nth),
            "textarea" => texts.extend(next(sent, &name, &mut nth).map(|text| (field.at, text.to_owned()))),
            "select" => choose(tokens, field.at, sent, &name),
            _ => {}
        }
    }
    for (at, text) in texts.into_iter().rev() {
        let end = end_of(tokens, at, "textarea");
        // The first line break of a text area is not part of it.
        tokens.splice(at + 1..end, [Token::CharacterTokens(StrTendril::from(format!("\n{text}")))]);
    }
}

impl Forms {
    fn of(tokens: &[Token], function: &str) -> Self {
        let (mut found, mut within, mut around) = (Self::default(), None, Vec::new());
        let mut by_id: HashMap<&str, usize> = HashMap::new();
        // Each with the form that it names, or the one around it.
        let mut parts: Vec<(usize, Option<&str>, Option<usize>)> = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            let Token::TagToken(tag) = token else { continue };
            match (tag.kind, &*tag.name) {
                (TagKind::StartTag, "details") => around.push(at),
                (TagKind::EndTag, "details") => drop(around.pop()),
                (TagKind::StartTag, "form") => {
                    within = Some(found.forms.len());
                    if let Some(id) = get(tag, "id") {
                        by_id.insert(id, found.forms.len());
                    }
                    let leads = leads(get(tag, "action"), function);
                    found.forms.push(Form { around: around.clone(), leads });
                }
                (TagKind::EndTag, "form") => within = None,
                (TagKind::StartTag, "input" | "select" | "textarea" | "button") => {
                    parts.push((at, get(tag, "form"), within));
                }
                _ => {}
            }
        }
        for (at, named, within) in parts {
            let form = named.map_or(within, |id| by_id.get(id).copied());
            let (Some(form), Some(tag)) = (form, tag(tokens, at)) else { continue };
            found.forms[form].leads |= leads(get(tag, "formaction"), function);
            found.fields.push(Field { at, form });
        }
        found
    }
}

/// Whether an address is that of a function: its path, or the same below a tenant.
fn leads(address: Option<&str>, function: &str) -> bool {
    let before = address.and_then(|address| address.strip_suffix(function));
    !function.is_empty()
        && before.is_some_and(|before| before.is_empty() || tenantatlas_app::address::tenant_in(before).is_some())
}

/// Whether what was typed into a field is never sent back.
fn is_secret(tag: &Tag) -> bool {
    let told = |value: &str| value.ends_with("-password") || value == "one-time-code";
    get(tag, "type") == Some("password")
        || get(tag, "data-secret").is_some()
        || get(tag, "autocomplete").is_some_and(told)
}

/// Chooses the options that were sent; where none of a single choice was, it stays as it was drawn.
fn choose(tokens: &mut [Token], at: usize, sent: &[(String, String)], name: &str) {
    let end = end_of(tokens, at, "select");
    let options: Vec<usize> =
        (at..end).filter(|at| tag(tokens, *at).is_some_and(|tag| &*tag.name == "option")).collect();
    let is_sent = |tokens: &[Token], at: usize| {
        tag(tokens, at).is_some_and(|tag| tag.kind == TagKind::StartTag && holds(sent, Some(name), get(tag, "value")))
    };
    let several = tag(tokens, at).is_some_and(|tag| get(tag, "multiple").is_some());
    if !several && !options.iter().any(|at| is_sent(tokens, *at)) {
        return;
    }
    for at in options {
        let chosen = is_sent(tokens, at);
        if let Some(option) = tag_mut(tokens, at) {
            set(option, "selected", chosen.then_some(""));
        }
    }
}

/// The end of an element that holds none of its kind.
fn end_of(tokens: &[Token], at: usize, name: &str) -> usize {
    let ends =
        |token: &Token| matches!(token, Token::TagToken(tag) if tag.kind == TagKind::EndTag && &*tag.name == name);
    tokens[at..].iter().position(ends).map_or(tokens.len(), |after| at + after)
}

fn set_next(tag: &mut Tag, sent: &[(String, String)], name: &str, nth: &mut HashMap<String, usize>) {
    if let Some(value) = next(sent, name, nth) {
        set(tag, "value", Some(value));
    }
}

/// The next value of a name, of which a form may have several fields.
fn next<'a>(sent: &'a [(String, String)], name: &str, nth: &mut HashMap<String, usize>) -> Option<&'a str> {
    let before = nth.entry(name.to_owned()).or_default();
    let value = sent.iter().filter(|(of, _)| of == name).nth(*before)?;
    *before += 1;
    Some(&value.1)
}

fn holds(sent: &[(String, String)], name: Option<&str>, value: Option<&str>) -> bool {
    sent.iter().any(|(of, sent)| Some(of.as_str()) == name && sent == value.unwrap_or_default())
}

fn tag(tokens: &[Token], at: usize) -> Option<&Tag> {
    match tokens.get(at) {
        Some(Token::TagToken(tag)) => Some(tag),
        _ => None,
    }
}

fn tag_mut(tokens: &mut [Token], at: usize) -> Option<&mut Tag> {
    match tokens.get_mut(at) {
        Some(Token::TagToken(tag)) => Some(tag),
        _ => None,
    }
}

fn get<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
}

/// Sets an attribute, or takes it away.
fn set(tag: &mut Tag, name: &str, value: Option<&str>) {
    let found = tag.attrs.iter().position(|attribute| &*attribute.name.local == name);
    match (value, found) {
        (Some(value), Some(at)) => tag.attrs[at].value = StrTendril::from_slice(value),
        (Some(value), None) => {
            let name = QualName::new(None, ns!(), LocalName::from(name));
            tag.attrs.push(Attribute { name, value: StrTendril::from_slice(value) });
        }
        (None, Some(at)) => drop(tag.attrs.remove(at)),
        (None, None) => {}
    }
}
