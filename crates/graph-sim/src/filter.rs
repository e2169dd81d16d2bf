//! `$filter`: the expressions of OData that clients send to these collections. Everything else is refused, as the real
//! collections refuse most of what OData could say.

use serde_json::{Map, Value};

/// The properties that the collections of Intune compare, besides `id`.
pub const INTUNE: &[&str] = &["isBuiltIn", "appSupportsOemConfig", "isAssigned", "appAvailability"];
/// The properties that groups compare, besides `id`.
pub const GROUP: &[&str] = &["displayName"];

/// How deep brackets and negations may nest.
const DEPTH: usize = 16;

/// An expression that is understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// `id eq '…'` or `id in ('…','…')`
    Ids(Vec<String>),
    /// `property eq literal`; what an object does not have is null.
    Equals(String, Value),
    /// `startsWith(property,'…')`
    StartsWith(String, String),
    /// `isof('microsoft.graph.…')`
    IsOf(String),
    /// `not`, and `ne`.
    Not(Box<Self>),
    /// `and`
    All(Vec<Self>),
    /// `or`
    Any(Vec<Self>),
}

impl Filter {
    /// Reads a filter over `id` and these properties.
    ///
    /// # Errors
    /// With the message of the 400.
    pub fn parse(text: &str, properties: &[&str]) -> Result<Self, String> {
        let refused = || format!("Invalid filter clause: '{text}' is not supported.");
        let tokens = tokens(text).ok_or_else(refused)?;
        let mut reader = Reader { tokens: &tokens, properties, depth: 0 };
        let filter = reader.any().ok_or_else(refused)?;
        if reader.tokens.is_empty() { Ok(filter) } else { Err(refused()) }
    }

    /// Whether an object passes.
    #[must_use]
    pub fn matches(&self, object: &Map<String, Value>) -> bool {
        let text = |property: &str| object.get(property).and_then(Value::as_str);
        match self {
            Self::Ids(ids) => text("id").is_some_and(|id| ids.iter().any(|one| one == id)),
            Self::Equals(property, value) => object.get(property).unwrap_or(&Value::Null) == value,
            Self::StartsWith(property, start) => text(property).is_some_and(|text| starts_with(text, start)),
            Self::IsOf(name) => text("@odata.type") == Some(name.as_str()),
            Self::Not(inner) => !inner.matches(object),
            Self::All(inner) => inner.iter().all(|inner| inner.matches(object)),
            Self::Any(inner) => inner.iter().any(|inner| inner.matches(object)),
        }
    }
}

/// Texts are compared without regard to case.
fn starts_with(text: &str, start: &str) -> bool {
    text.to_lowercase().starts_with(&start.to_lowercase())
}

#[derive(Debug, PartialEq)]
enum Token {
    /// A name, a path of names, an operator, `true`, `false`, `null` or a number.
    Word(String),
    /// What was between single quotes; two of them within are one.
    Text(String),
    Open,
    Close,
    Comma,
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' => {
                found.push(Token::Open);
                1
            }
            ')' => {
                found.push(Token::Close);
                1
            }
            ',' => {
                found.push(Token::Comma);
                1
            }
            '\'' => {
                let (quoted, length) = quoted(rest)?;
                found.push(Token::Text(quoted));
                length
            }
            _ => {
                let length = rest
                    .find(|other: char| other.is_whitespace() || matches!(other, '(' | ')' | ',' | '\''))
                    .unwrap_or(rest.len());
                found.push(Token::Word(rest[..length].to_owned()));
                length
            }
        };
        rest = rest[length..].trim_start();
    }
    Some(found)
}

/// The text between the quotes at the beginning, and how many bytes it took with them.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut found = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != '\'' {
            found.push(character);
        } else if characters.next_if(|(_, next)| *next == '\'').is_some() {
            found.push('\'');
        } else {
            return Some((found, at + 1));
        }
    }
    None
}

struct Reader<'a> {
    tokens: &'a [Token],
    properties: &'a [&'a str],
    depth: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn take(&mut self, token: &Token) -> Option<()> {
        (self.next()? == token).then_some(())
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.tokens.first(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn any(&mut self) -> Option<Filter> {
        let mut parts = vec![self.all()?];
        while self.take_word("or") {
            parts.push(self.all()?);
        }
        if parts.len() == 1 { parts.pop() } else { Some(Filter::Any(parts)) }
    }

    fn all(&mut self) -> Option<Filter> {
        let mut parts = vec![self.one()?];
        while self.take_word("and") {
            parts.push(self.one()?);
        }
        if parts.len() == 1 { parts.pop() } else { Some(Filter::All(parts)) }
    }

    fn one(&mut self) -> Option<Filter> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let found = if self.take_word("not") {
            Some(Filter::Not(Box::new(self.one()?)))
        } else if self.tokens.first() == Some(&Token::Open) && !self.is_bracketed_path() {
            self.next();
            let inner = self.any()?;
            self.take(&Token::Close)?;
            Some(inner)
        } else {
            self.comparison()
        };
        self.depth -= 1;
        found
    }

    /// Brackets around nothing but a path, as in `(microsoft.graph.managedApp/appAvailability) eq null`.
    fn is_bracketed_path(&self) -> bool {
        matches!(self.tokens, [Token::Open, Token::Word(_), Token::Close, ..])
    }

    fn comparison(&mut self) -> Option<Filter> {
        let bracketed = self.is_bracketed_path();
        if bracketed {
            self.next();
        }
        let Token::Word(path) = self.next()? else { return None };
        if bracketed {
            self.take(&Token::Close)?;
        }
        match path.to_ascii_lowercase().as_str() {
            "isof" => return self.is_of(),
            "startswith" => return self.starts_with(),
            _ => {}
        }
        let property = self.property(path)?;
        let Token::Word(operator) = self.next()? else { return None };
        match operator.to_ascii_lowercase().as_str() {
            "in" if property == "id" => self.ids(),
            "eq" => self.equals(property),
            "ne" => Some(Filter::Not(Box::new(self.equals(property)?))),
            _ => None,
        }
    }

    /// The property that a path names; a cast before it says which subtype has it.
    fn property(&self, path: &str) -> Option<String> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let known = self.properties.iter().copied().chain(["id"]).find(|known| known.eq_ignore_ascii_case(name))?;
        Some(known.to_owned())
    }

    fn equals(&mut self, property: String) -> Option<Filter> {
        match self.next()? {
            Token::Text(id) if property == "id" => Some(Filter::Ids(vec![id.clone()])),
            Token::Text(text) => Some(Filter::Equals(property, Value::String(text.clone()))),
            Token::Word(_) if property == "id" => None,
            Token::Word(word) => match word.as_str() {
                "true" => Some(Filter::Equals(property, Value::Bool(true))),
                "false" => Some(Filter::Equals(property, Value::Bool(false))),
                "null" => Some(Filter::Equals(property, Value::Null)),
                _ => None,
            },
            _ => None,
        }
    }

    fn ids(&mut self) -> Option<Filter> {
        self.take(&Token::Open)?;
        let mut ids = Vec::new();
        loop {
            let Token::Text(id) = self.next()? else { return None };
            ids.push(id.clone());
            match self.next()? {
                Token::Comma => {}
                Token::Close => return Some(Filter::Ids(ids)),
                _ => return None,
            }
        }
    }

    fn is_of(&mut self) -> Option<Filter> {
        self.take(&Token::Open)?;
        let Token::Text(name) = self.next()? else { return None };
        self.take(&Token::Close)?;
        Some(Filter::IsOf(format!("#{name}")))
    }

    fn starts_with(&mut self) -> Option<Filter> {
        self.take(&Token::Open)?;
        let Token::Word(path) = self.next()? else { return None };
        let property = self.property(path).filter(|property| property == "displayName")?;
        self.take(&Token::Comma)?;
        let Token::Text(start) = self.next()? else { return None };
        self.take(&Token::Close)?;
        Some(Filter::StartsWith(property, start.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Filter, GROUP, INTUNE};
    use serde_json::{Value, json};

    fn passes(filter: &str, object: &Value) -> bool {
        Filter::parse(filter, INTUNE).expect("understood").matches(object.as_object().expect("an object"))
    }

    #[test]
    fn the_few_filters_that_are_understood_do_what_they_say() {
        let object = json!({"@odata.type": "#microsoft.graph.a", "id": "1", "isBuiltIn": true});
        assert!(passes("id eq '1'", &object) && passes("id in ('2', '1')", &object) && !passes("id in ('2')", &object));
        assert!(passes("isBuiltIn eq true", &object) && !passes("isBuiltIn eq false", &object));
        assert!(passes("isof('microsoft.graph.a')", &object) && !passes("not isof('microsoft.graph.a')", &object));
        assert!(!passes("microsoft.graph.b/appSupportsOemConfig eq true", &object));
        assert!(passes("isBuiltIn ne false and (id eq '2' or id eq '1')", &object));
        assert!(!passes("not (isBuiltIn eq true or id eq '9')", &object));
    }

    #[test]
    fn an_app_that_is_not_managed_has_no_availability() {
        let filter = "(microsoft.graph.managedApp/appAvailability) eq null or \
                      (microsoft.graph.managedApp/appAvailability) eq 'lineOfBusiness' or isAssigned eq true";
        for (app, wanted) in [
            (json!({"isAssigned": false}), true),
            (json!({"appAvailability": "global", "isAssigned": false}), false),
            (json!({"appAvailability": "global", "isAssigned": true}), true),
            (json!({"appAvailability": "lineOfBusiness", "isAssigned": false}), true),
        ] {
            assert_eq!(passes(filter, &app), wanted, "{app}");
        }
    }

    #[test]
    fn names_are_compared_where_groups_are_asked_for() {
        let object = json!({"displayName": "O'Brien"});
        let filter = |text| Filter::parse(text, GROUP).expect("understood");
        let object = object.as_object().expect("an object");
        assert!(filter("displayName eq 'O''Brien'").matches(object));
        assert!(filter("startswith(displayName,'o''b')").matches(object));
    }

    #[test]
    fn all_others_are_refused() {
        let deep = format!("{}id eq '1'{}", "(".repeat(99), ")".repeat(99));
        for text in [
            "displayName eq 'x'",
            "endsWith(id,'x')",
            "id in 'x'",
            "id in ('x'",
            "id eq 1",
            "id eq 'x",
            "isBuiltIn",
            "isBuiltIn gt 1",
            "id eq '1' or",
            "id eq '1' id",
            "",
            &deep,
        ] {
            assert!(Filter::parse(text, INTUNE).is_err(), "{text}");
        }
    }
}
