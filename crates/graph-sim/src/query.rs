//! OData query options, as far as the simulated collections understand them.

use std::collections::HashMap;

/// The options that are understood, without `$`.
const KNOWN: [&str; 6] = ["top", "skiptoken", "expand", "select", "filter", "count"];
/// Options of OData that Graph knows elsewhere and these collections refuse.
const REFUSED: [&str; 7] = ["orderby", "search", "skip", "format", "apply", "compute", "deltatoken"];

/// The options of one request.
#[derive(Debug, Default)]
pub struct Query {
    /// `$top`
    pub top: Option<u64>,
    /// `$skiptoken`, the opaque place of a next link.
    pub skip_token: Option<String>,
    /// The properties in `$expand`, without their own options.
    pub expand: Vec<String>,
    /// `$expand` as it came, decoded: the options of the properties are in it.
    pub expand_text: String,
    /// `$count=true`
    pub count: bool,
    /// `$select`
    pub select: Vec<String>,
    /// The properties that an answer has: those of `$select` and those that are expanded; all where none is selected.
    pub chosen: Vec<String>,
    /// `$filter`
    pub filter: Option<String>,
    /// All options but the skip token, as they came: they go into the next link.
    pub rest: String,
}

impl Query {
    /// Reads a query string; what is not understood is told. In beta the `$` before an option may be left out (Microsoft,
    /// "Use query parameters to customize responses"); options of nobody's are passed over (OData 4.01, part 2, section
    /// 5.2), and so is a question mark too many at the beginning, which clients of the beta send.
    ///
    /// # Errors
    /// With the message of the 400.
    pub fn parse(text: &str, beta: bool) -> Result<Self, String> {
        let mut query = Self::default();
        let mut rest = Vec::new();
        for part in text.trim_start_matches('?').split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decode_query(name).to_ascii_lowercase();
            let option = match name.strip_prefix('$') {
                Some(option) => option,
                None if beta && (KNOWN.contains(&name.as_str()) || REFUSED.contains(&name.as_str())) => name.as_str(),
                None => {
                    rest.push(part);
                    continue;
                }
            };
            if option != "skiptoken" {
                rest.push(part);
            }
            query.take(option, decode_query(value))?;
        }
        query.rest = rest.join("&");
        if !query.select.is_empty() {
            query.chosen = query.select.iter().chain(&query.expand).cloned().collect();
        }
        Ok(query)
    }

    fn take(&mut self, option: &str, value: String) -> Result<(), String> {
        match option {
            "top" => {
                let top = value.parse();
                self.top = Some(top.map_err(|_| format!("Invalid value '{value}' for $top query option found."))?);
            }
            "skiptoken" => self.skip_token = Some(value),
            "expand" => {
                self.expand = split_outside(&value)
                    .iter()
                    .map(|part| part.split('(').next().unwrap_or(part).trim().to_owned())
                    .collect();
                self.expand_text = value;
            }
            "select" => self.select = value.split(',').map(|part| part.trim().to_owned()).collect(),
            "filter" => self.filter = Some(value),
            "count" => self.count = value == "true",
            other => return Err(format!("The query parameter '${other}' is not supported.")),
        }
        Ok(())
    }

    /// The options of a form body or query as a map.
    #[must_use]
    pub fn form(text: &str) -> HashMap<String, String> {
        url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
    }
}

/// Decodes a part of a query string, in which `+` is a blank as forms encode it (WHATWG URL, section 5.1).
#[must_use]
pub fn decode_query(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={text}").as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// Decodes a segment of a path, in which `+` is itself (RFC 3986).
#[must_use]
pub fn decode_path(text: &str) -> String {
    decode_query(&text.replace('+', "%2B").replace('&', "%26"))
}

fn split_outside(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(character);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::{Query, decode_path};

    #[test]
    fn nested_expansions_are_one_property_each() {
        let text = "$expand=assignments,scheduledActionsForRule($expand=a,b)&$top=5&$skiptoken=x%3D";
        let query = Query::parse(text, false).expect("valid");
        assert_eq!(query.expand, ["assignments", "scheduledActionsForRule"]);
        assert!(query.chosen.is_empty(), "all of it");
        assert_eq!((query.top, query.skip_token.as_deref()), (Some(5), Some("x=")));
        assert!(!query.rest.contains("skiptoken"));
        assert!(Query::parse("$bogus=1", true).is_err());
        let chosen = Query::parse("$select=id,a&$expand=b", false).expect("valid").chosen;
        assert_eq!(chosen, ["id", "a", "b"], "what is expanded is there beside what is selected");
    }

    #[test]
    fn a_plus_is_a_blank_in_a_query_and_itself_in_a_path() {
        let query = Query::parse("%24filter=isBuiltIn+eq+false&$select=a%2Bb", false).expect("valid");
        assert_eq!(query.filter.as_deref(), Some("isBuiltIn eq false"));
        assert_eq!(query.select, ["a+b"]);
        assert_eq!(decode_path("a+b%2Bc&d"), "a+b+c&d");
    }

    #[test]
    fn the_dollar_may_be_left_out_in_beta_alone() {
        assert_eq!(Query::parse("&top=5", true).expect("valid").top, Some(5));
        assert_eq!(Query::parse("top=5", false).expect("passed over").top, None);
        assert_eq!(Query::parse("?$expand=a", true).expect("valid").expand, ["a"]);
        assert!(Query::parse("orderby=x", true).is_err() && Query::parse("x=1", true).is_ok());
    }
}
