//! The statement that finds settings, put together for what is looked for.

use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::setting_query::{SettingQuery, Sought, SoughtIn};

use super::{NAME_WORD, VALUE_WORD, document_of, keys};
use crate::dialect::{self, Held};
use crate::policies::TenantKey;
use crate::reader::Readable;
use crate::sql::{Statement, Value, args};
use crate::{Backend, StoreError};

/// Settings of so many names are looked up one by one; more are found sooner by walking along the settings of a tenant.
const PROBED: usize = 200;

/// A tenant in which settings are looked for, with the key of its words.
#[derive(Clone, Debug)]
pub struct SearchedTenant {
    /// The tenant.
    pub id: TenantId,
    /// Its key.
    pub key: TenantKey,
}

/// What is looked for, with the settings whose names fit.
#[derive(Clone, Debug)]
pub struct Search {
    pub(super) backend: Backend,
    pub(super) terms: Vec<Term>,
    types: Vec<String>,
    /// Every word that is looked for, with what its mark is for; each is a column of the tenants that are searched.
    words: Vec<(&'static str, String)>,
}

/// One text that must be found.
#[derive(Clone, Debug)]
pub(super) struct Term {
    keys: Option<Vec<i64>>,
    /// By their place among the words of the search; of one of these lists all must be there.
    words: Vec<Vec<usize>>,
}

impl Search {
    /// Looks up which settings are called as a query says. The inner error is the text that fits more settings than are
    /// looked for together.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prepare(db: &impl Readable, query: &SettingQuery) -> Result<Result<Self, String>, StoreError> {
        let types = query.types.iter().map(|key| (*key).to_owned()).collect();
        let mut search = Self { backend: db.database().backend(), terms: Vec::new(), types, words: Vec::new() };
        for sought in &query.sought {
            let mut known = None;
            if sought.within != SoughtIn::Value {
                match keys::matching(db.database(), &sought.text).await? {
                    Some(found) => known = Some(found),
                    None => return Ok(Err(sought.text.clone())),
                }
            }
            search.add(sought, known);
        }
        Ok(Ok(search))
    }

    fn add(&mut self, sought: &Sought, keys: Option<Vec<i64>>) {
        let purposes: &[&'static str] = match sought.within {
            SoughtIn::Anything => &[VALUE_WORD, NAME_WORD],
            SoughtIn::Name => &[NAME_WORD],
            SoughtIn::Value => &[VALUE_WORD],
        };
        let words = purposes
            .iter()
            .map(|purpose| sought.words().into_iter().map(|word| self.place_of(purpose, word)).collect());
        let words = words.collect();
        self.terms.push(Term { keys: keys.filter(|keys| !keys.is_empty()), words });
    }

    fn place_of(&mut self, purpose: &'static str, word: String) -> usize {
        let word = (purpose, word);
        self.words.iter().position(|known| *known == word).unwrap_or_else(|| {
            self.words.push(word);
            self.words.len() - 1
        })
    }

    /// `WITH wanted (tenant_id, rank, m0, …) AS (VALUES …)`: the tenants in their order, each with the marks of all words.
    pub(super) fn wanted(&self, tenants: &[SearchedTenant]) -> Statement {
        let columns: String = (0..self.words.len()).map(|at| format!(", m{at}")).collect();
        let mut statement = Statement::new(&format!("WITH wanted (tenant_id, rank{columns}) AS (VALUES "));
        for (rank, tenant) in (0_i64..).zip(tenants) {
            statement.push(if rank == 0 { "($1, $2" } else { ", ($1, $2" }, args![tenant.id, rank]);
            for (purpose, word) in &self.words {
                statement.push(", $1", [Value::from(tenant.key.mark(purpose, word))]);
            }
            statement.push(")", []);
        }
        statement.push(")", []);
        statement
    }

    /// The lines that have one text, or all where none is looked for, and all other texts: `rank`, `tenant_id` and `line`. Of all
    /// lines at least so many as the limit says, the first ones.
    pub(super) fn found(&self, first: Option<usize>, after: Option<i64>, limit: usize) -> Statement {
        let mut statement = Statement::default();
        let mut branches = 0;
        let mut branch = |from: Statement| {
            statement.push(if branches == 0 { "" } else { " UNION " }, []).push_statement(from);
            for (at, term) in self.terms.iter().enumerate() {
                if Some(at) != first {
                    statement.push(" AND ", []).push_statement(term.holds(self.backend));
                }
            }
            if let Some(after) = after {
                statement.push(" AND x.line > $1", args![after]);
            }
            branches += 1;
        };
        match first.and_then(|first| self.terms.get(first)) {
            Some(term) => term.sources(self.backend).into_iter().for_each(&mut branch),
            None => branch(self.of_documents(after, limit)),
        }
        statement
    }

    /// The lines that have one text, whatever else they have; some twice.
    pub(super) fn alone(&self, term: usize) -> Statement {
        let mut statement = Statement::default();
        for (at, source) in self.sources(term).into_iter().enumerate() {
            statement.push(if at == 0 { "" } else { " UNION ALL " }, []).push_statement(source);
        }
        statement
    }

    fn sources(&self, term: usize) -> Vec<Statement> {
        self.terms.get(term).map(|term| term.sources(self.backend)).unwrap_or_default()
    }

    /// The lines of the first policies that have any: one for each line that is wanted are enough, and one more where only a part
    /// of the first is.
    fn of_documents(&self, after: Option<i64>, limit: usize) -> Statement {
        let mut statement = Statement::new(
            "SELECT s.rank, s.tenant_id, x.line
             FROM (SELECT w.rank, w.tenant_id, d.id
                 FROM wanted w CROSS JOIN setting_documents d
                 WHERE d.tenant_id = w.tenant_id AND d.indexed_id = d.version_id AND d.settings > 0",
        );
        self.of_types("d", &mut statement);
        if let Some(after) = after {
            statement.push(" AND d.id >= $1", args![document_of(after)]);
        }
        statement.push(" ORDER BY w.rank, d.id LIMIT $1) s", args![limit as u64 + 1]);
        let of_document =
            Statement::new("x.tenant_id = s.tenant_id AND x.line BETWEEN s.id * 65536 AND s.id * 65536 + 65535");
        statement.push_statement(dialect::probe(self.backend, ("setting_lines", "x"), of_document, Held::Not));
        statement
    }

    /// `AND {alias}.policy_type IN …` where types are named.
    pub(super) fn of_types(&self, alias: &str, statement: &mut Statement) {
        if !self.types.is_empty() {
            statement.push_in(&format!(" AND {alias}.policy_type"), &self.types);
        }
    }
}

impl Term {
    /// Where the lines come from that have this text.
    fn sources(&self, backend: Backend) -> Vec<Statement> {
        let mut sources = Vec::new();
        if let Some(keys) = &self.keys {
            let mut statement = Statement::new(
                "SELECT w.rank, w.tenant_id, x.line FROM wanted w CROSS JOIN setting_lines x
                 WHERE x.tenant_id = w.tenant_id",
            );
            // A term that no index has: the settings of a tenant are walked along.
            let key = if keys.len() <= PROBED { " AND x.key_id" } else { " AND +x.key_id" };
            statement.push_among(backend, key, keys);
            sources.push(statement);
        }
        for words in &self.words {
            let Some((first, more)) = words.split_first() else { continue };
            let mut statement = Statement::new(&format!(
                "SELECT w.rank, w.tenant_id, x.line FROM wanted w CROSS JOIN setting_words x
                 WHERE x.tenant_id = w.tenant_id AND x.word = w.m{first}"
            ));
            for word in more {
                statement.push(" AND ", []).push(&has_word(*word), []);
            }
            sources.push(statement);
        }
        sources
    }

    /// Whether the line `x` has this text.
    fn holds(&self, backend: Backend) -> Statement {
        let mut statement = Statement::new("(");
        let mut or = "";
        if let Some(keys) = &self.keys {
            statement
                .push("EXISTS (SELECT 1 FROM setting_lines k WHERE k.tenant_id = w.tenant_id AND k.line = x.line", []);
            statement.push_among(backend, " AND k.key_id", keys).push(")", []);
            or = " OR ";
        }
        for words in &self.words {
            let all: Vec<String> = words.iter().map(|word| has_word(*word)).collect();
            statement.push(&format!("{or}({})", all.join(" AND ")), []);
            or = " OR ";
        }
        statement.push(")", []);
        statement
    }
}

fn has_word(word: usize) -> String {
    format!(
        "EXISTS (SELECT 1 FROM setting_words m
             WHERE m.tenant_id = w.tenant_id AND m.word = w.m{word} AND m.line = x.line)"
    )
}
