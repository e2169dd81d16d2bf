//! What is searched for in a list: words, in any order, each of which must stand in the name of an item, in its id, in the
//! name of its type, or in the name of a group that its assignments name.

use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::registry::registry;

use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::sql::{Statement, args, contains_pattern};

/// Words that are looked for, at most; what stands behind them is left out.
const MAX_WORDS: usize = 10;
/// Up to so many items that groups of a name reach are listed; of more the assignments of each item are looked at.
const FEW: i64 = 2_000;

/// Whether groups have a word in their names, and how many items they reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    None,
    Few,
    Many,
}

/// One word of a search.
#[derive(Clone, Debug)]
pub(super) struct Word {
    text: String,
    pattern: String,
    groups: Reach,
    /// Whether it stands in an id that has capital letters. To put every id into lower case takes longer than all else.
    in_capitals: bool,
}

/// The words of a search in lower case, each once.
fn words(search: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in search.to_lowercase().split_whitespace() {
        if !words.iter().any(|known| known == word) && words.len() < MAX_WORDS {
            words.push(word.to_owned());
        }
    }
    words
}

/// The words of a search as patterns of `LIKE … ESCAPE '\'`.
pub(crate) fn patterns(search: &str) -> Vec<String> {
    words(search).iter().map(|word| contains_pattern(word)).collect()
}

impl Word {
    /// The words of a search, with what groups of their names reach.
    pub(super) async fn all(mut on: impl Access, tenant: TenantId, search: &str) -> Result<Vec<Self>, StoreError> {
        let mut all = Vec::new();
        for text in words(search) {
            let pattern = contains_pattern(&text);
            let reached: Option<i64> = on
                .value(
                    r"SELECT COUNT(*)
                      FROM (
                          SELECT l.source_item_id
                          FROM directory_names d
                          JOIN inventory_links l ON l.tenant_id = d.tenant_id AND l.target_external_id = d.external_id
                          WHERE d.tenant_id = $1 AND d.name_key LIKE $2 ESCAPE '\'
                              AND l.relationship IN ('assigned_to', 'excluded_from')
                          LIMIT $3) AS n",
                    &args![tenant, pattern.as_str(), FEW + 1],
                )
                .await?;
            let groups = match reached.unwrap_or_default() {
                0 => Reach::None,
                some if some <= FEW => Reach::Few,
                _ => Reach::Many,
            };
            let in_capitals: Option<i64> = on
                .value(
                    r"SELECT COUNT(*)
                      FROM (
                          SELECT 1 FROM inventory_items
                          WHERE tenant_id = $1 AND external_id <> lower(external_id)
                              AND lower(external_id) LIKE $2 ESCAPE '\'
                          LIMIT 1) AS n",
                    &args![tenant, pattern.as_str()],
                )
                .await?;
            let in_capitals = in_capitals.unwrap_or_default() > 0;
            all.push(Self { text, pattern, groups, in_capitals });
        }
        Ok(all)
    }

    /// Whether the word stands in the name of a type: then it is found in each of its items.
    pub(super) fn is_in_type(&self, policy_type: &str) -> bool {
        registry().get(policy_type).is_some_and(|known| known.label.to_lowercase().contains(&self.text))
    }

    /// The condition on the row `i` that the word stands in its name, its id, or the name of a group.
    pub(super) fn push_condition(&self, statement: &mut Statement, tenant: TenantId) {
        let id = if self.in_capitals { "lower(i.external_id)" } else { "i.external_id" };
        statement.push(
            &format!(r" AND (i.name_key LIKE $1 ESCAPE '\' OR {id} LIKE $1 ESCAPE '\'"),
            args![self.pattern.clone()],
        );
        match self.groups {
            Reach::None => {}
            // Listed once and then looked up; the limit lets PostgreSQL know that the list is short enough to be hashed.
            Reach::Few => {
                statement.push(
                    r" OR i.id IN (
                         SELECT l.source_item_id
                         FROM directory_names d
                         JOIN inventory_links l ON l.tenant_id = d.tenant_id AND l.target_external_id = d.external_id
                         WHERE d.tenant_id = $1 AND d.name_key LIKE $2 ESCAPE '\'
                             AND l.relationship IN ('assigned_to', 'excluded_from')
                         LIMIT $3)",
                    args![tenant, self.pattern.clone(), FEW],
                );
            }
            Reach::Many => {
                statement.push(
                    r" OR (
                         SELECT COUNT(*)
                         FROM inventory_links l
                         JOIN directory_names d ON d.tenant_id = l.tenant_id AND d.external_id = l.target_external_id
                         WHERE l.source_item_id = i.id AND l.relationship IN ('assigned_to', 'excluded_from')
                             AND d.tenant_id = $1 AND d.name_key LIKE $2 ESCAPE '\') > 0",
                    args![tenant, self.pattern.clone()],
                );
            }
        }
        statement.push(")", []);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart_by_blanks_and_taken_literally() {
        assert_eq!(patterns("  Firewall\tBITLOCKER firewall "), ["%firewall%", "%bitlocker%"]);
        assert_eq!(patterns("50% a_b"), ["%50\\%%", "%a\\_b%"]);
        assert!(patterns(" \t ").is_empty());
        let many: String = (0..50).map(|number| format!("word{number} ")).collect();
        assert_eq!(patterns(&many).len(), MAX_WORDS);
    }
}
