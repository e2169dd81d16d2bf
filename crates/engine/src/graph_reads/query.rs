//! The query of a listing, taken apart far enough to leave out what Graph refuses.
//!
//! Some collections answer 400 to an `$expand` that others of their kind allow (`docs/graph.md`, section Policy types).
//! Then the listing is read without it and the same content is read per item, so that nothing is lost but requests.

/// One property asked for by `$expand`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expansion {
    /// The navigation property.
    pub property: String,
    /// The options in its parentheses as a query string of its own, empty when there are none.
    pub query: String,
}

/// A listing query in parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListQuery {
    expansions: Vec<Expansion>,
    others: Vec<String>,
}

impl ListQuery {
    /// Takes a query string apart (without the question mark).
    #[must_use]
    pub fn parse(query: &str) -> Self {
        let mut parsed = Self::default();
        for part in split_outside_parentheses(query, '&') {
            match part.strip_prefix("$expand=") {
                Some(list) => {
                    let expansions = split_outside_parentheses(list, ',').into_iter().map(expansion);
                    parsed.expansions.extend(expansions);
                }
                None => parsed.others.push(part.to_owned()),
            }
        }
        parsed
    }

    /// What is expanded.
    #[must_use]
    pub fn expansions(&self) -> &[Expansion] {
        &self.expansions
    }

    /// The page size that is asked for.
    #[must_use]
    pub fn top(&self) -> Option<usize> {
        self.others.iter().find_map(|part| part.strip_prefix("$top=")?.parse().ok())
    }

    /// The same query without a page size.
    #[must_use]
    pub fn without_top(&self) -> Self {
        let others = self.others.iter().filter(|part| !part.starts_with("$top=")).cloned().collect();
        Self { expansions: self.expansions.clone(), others }
    }

    /// The query string again.
    #[must_use]
    pub fn text(&self) -> String {
        let mut parts = Vec::with_capacity(self.others.len() + 1);
        if !self.expansions.is_empty() {
            let list: Vec<String> = self.expansions.iter().map(Expansion::text).collect();
            parts.push(format!("$expand={}", list.join(",")));
        }
        parts.extend(self.others.iter().cloned());
        parts.join("&")
    }

    /// The ways to ask when Graph refuses with 400, the fullest first: as it is, without `assignments`, without any
    /// expansion, and at last without the page size too. Each comes with the expansions it leaves out.
    #[must_use]
    pub fn fallbacks(&self) -> Vec<(Self, Vec<Expansion>)> {
        let mut fallbacks = vec![(self.clone(), Vec::new())];
        let (assignments, rest): (Vec<_>, Vec<_>) =
            self.expansions.iter().cloned().partition(|expansion| expansion.property == "assignments");
        if !assignments.is_empty() && !rest.is_empty() {
            fallbacks.push((Self { expansions: rest, others: self.others.clone() }, assignments));
        }
        if !self.expansions.is_empty() {
            fallbacks.push((Self { expansions: Vec::new(), others: self.others.clone() }, self.expansions.clone()));
        }
        if self.others.iter().any(|part| part.starts_with("$top=")) {
            let others = self.others.iter().filter(|part| !part.starts_with("$top=")).cloned().collect();
            fallbacks.push((Self { expansions: Vec::new(), others }, self.expansions.clone()));
        }
        fallbacks
    }
}

impl Expansion {
    fn text(&self) -> String {
        if self.query.is_empty() {
            self.property.clone()
        } else {
            let options = split_outside_parentheses(&self.query, '&').join(";");
            format!("{}({options})", self.property)
        }
    }

    /// The address of the same content below one item.
    #[must_use]
    pub fn child_suffix(&self) -> String {
        if self.query.is_empty() { self.property.clone() } else { format!("{}?{}", self.property, self.query) }
    }
}

fn expansion(text: &str) -> Expansion {
    match text.split_once('(') {
        Some((property, rest)) => {
            let options = rest.strip_suffix(')').unwrap_or(rest);
            Expansion { property: property.to_owned(), query: split_outside_parentheses(options, ';').join("&") }
        }
        None => Expansion { property: text.to_owned(), query: String::new() },
    }
}

fn split_outside_parentheses(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0_usize);
    for (index, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if character == separator && depth == 0 => {
                parts.push(&text[start..index]);
                start = index + separator.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_survives_being_taken_apart() {
        for query in [
            "",
            "$expand=assignments",
            "$expand=settings,assignments&$top=100",
            "$expand=scheduledActionsForRule($expand=scheduledActionConfigurations),assignments",
            "$filter=isof('microsoft.graph.x')&$top=5",
        ] {
            assert_eq!(ListQuery::parse(query).text(), query);
        }
    }

    #[test]
    fn the_fallbacks_leaves_out_assignments_first_and_the_page_size_last() {
        let fallbacks = ListQuery::parse("$expand=settings,assignments&$top=100").fallbacks();
        let texts: Vec<String> = fallbacks.iter().map(|(query, _)| query.text()).collect();
        assert_eq!(texts, ["$expand=settings,assignments&$top=100", "$expand=settings&$top=100", "$top=100", ""]);
        assert_eq!(fallbacks[3].1.len(), 2);
    }

    #[test]
    fn nested_options_become_the_query_of_the_child_address() {
        let query = ListQuery::parse("$expand=a($expand=b;$select=c,d)");
        assert_eq!(query.expansions()[0].child_suffix(), "a?$expand=b&$select=c,d");
    }
}
