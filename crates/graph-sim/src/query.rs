//! OData query options, as far as the simulated collections understand them.

use std::collections::HashMap;

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
    /// `$filter`
    pub filter: Option<String>,
    /// All options but the skip token, as they came: they go into the next link.
    pub rest: String,
}

impl Query {
    /// Reads a query string; what is not understood is told.
    ///
    /// # Errors
    /// With the message of the 400.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut query = Self::default();
        let mut rest = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decode(name);
            let value = decode(value);
            if name != "$skiptoken" {
                rest.push(part);
            }
            match name.as_str() {
                "$top" => {
                    query.top = Some(
                        value.parse().map_err(|_| format!("Invalid value '{value}' for $top query option found."))?,
                    );
                }
                "$skiptoken" => query.skip_token = Some(value),
                "$expand" => {
                    query.expand = split_outside(&value)
                        .iter()
                        .map(|part| part.split('(').next().unwrap_or(part).to_owned())
                        .collect();
                    query.expand_text = value;
                }
                "$select" => query.select = value.split(',').map(|part| part.trim().to_owned()).collect(),
                "$filter" => query.filter = Some(value),
                "$count" => query.count = value == "true",
                other => return Err(format!("The query parameter '{other}' is not supported.")),
            }
        }
        query.rest = rest.join("&");
        Ok(query)
    }

    /// The options of a form body or query as a map.
    #[must_use]
    pub fn form(text: &str) -> HashMap<String, String> {
        url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
    }
}

/// Percent-decoding with `+` left as it is not used by Graph clients for spaces in these options.
pub fn decode(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
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
    use super::Query;

    #[test]
    fn nested_expansions_are_one_property_each() {
        let query = Query::parse("$expand=assignments,scheduledActionsForRule($expand=a,b)&$top=5&$skiptoken=x%3D")
            .expect("valid");
        assert_eq!(query.expand, ["assignments", "scheduledActionsForRule"]);
        assert_eq!((query.top, query.skip_token.as_deref()), (Some(5), Some("x=")));
        assert!(!query.rest.contains("skiptoken"));
        assert!(Query::parse("$bogus=1").is_err());
    }
}
