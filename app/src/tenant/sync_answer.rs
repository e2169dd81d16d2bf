//! What became of a sync of several tenants: each has a right and a command of its own. The answer travels in the address
//! as ids under fixed names, so that it works without script and holds no text; names are those that the person may see.

use std::collections::HashMap;

use leptos::prelude::*;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_engine::{DispatchOutcome, EngineError};
use tenantatlas_store::tenants;

use crate::error::AppError;
use crate::ui::drawn::Drawn as _;
use crate::ui::note::note;
use crate::{address, scope};

/// Tenants that are synced with one request, at most: as many as the table shows.
pub const MOST_TENANTS: usize = crate::filter::tenant::PAGE as usize;

/// What became of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// A run was started.
    Started,
    /// The same was under way already.
    Already,
    /// The person may not, or the tenant does not exist for them.
    Refused,
    /// Too much waits already, or was asked for.
    TooMany,
    /// Something failed.
    Failed,
}

impl Became {
    const ALL: [Self; 5] = [Self::Started, Self::Already, Self::Refused, Self::TooMany, Self::Failed];

    /// What a dispatch came to.
    #[must_use]
    pub fn of(outcome: &Result<DispatchOutcome, EngineError>) -> Self {
        match outcome {
            Ok(outcome) if outcome.already_running => Self::Already,
            Ok(_) => Self::Started,
            Err(EngineError::NotFound(_) | EngineError::Forbidden) => Self::Refused,
            Err(EngineError::TooMany(_)) => Self::TooMany,
            Err(_) => Self::Failed,
        }
    }

    /// The parameter of the address.
    const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Already => "already",
            Self::Refused => "refused",
            Self::TooMany => "full",
            Self::Failed => "failed",
        }
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Started => ("ok", "Started"),
            Self::Already => ("info", "Not started again, since the same is under way"),
            Self::Refused => ("warn", "Not started, since your role there does not allow it"),
            Self::TooMany => ("warn", "Not started, since too many runs are waiting; try again when some have ended"),
            Self::Failed => ("bad", "Not started, since something failed; try again"),
        }
    }
}

/// What became of several tenants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncAnswer(pub Vec<(Became, TenantId)>);

impl SyncAnswer {
    /// Reads it from the parameters of an address. What is no id is left out.
    pub fn read(query: &impl Fn(&str) -> Option<String>) -> Self {
        let ids = |became: Became| {
            let text = query(became.name()).unwrap_or_default();
            let ids: Vec<_> = text.split('.').filter_map(|id| id.parse().ok()).take(MOST_TENANTS).collect();
            ids.into_iter().map(move |id| (became, id))
        };
        Self(Became::ALL.into_iter().flat_map(ids).collect())
    }

    /// The parameters again.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let ids = |became: Became| {
            let ids: Vec<String> = self.of(became).map(|id| id.to_string()).collect();
            (!ids.is_empty()).then(|| (became.name(), ids.join(".")))
        };
        Became::ALL.into_iter().filter_map(ids).collect()
    }

    fn of(&self, became: Became) -> impl Iterator<Item = TenantId> {
        self.0.iter().filter(move |(one, _)| *one == became).map(|(_, id)| *id)
    }
}

/// The answer in words, with the names of those tenants that exist for the person.
///
/// # Errors
/// Signed out; when the database fails.
pub(super) async fn answer_note(answer: &SyncAnswer) -> Result<Option<AnyView>, AppError> {
    if answer.0.is_empty() {
        return Ok(None);
    }
    let (session, engine) = (scope::session()?, scope::engine()?);
    let visible = tenants::list_visible(engine.reader(), session.user_id).await?;
    let names: HashMap<TenantId, String> = visible.into_iter().map(|one| (one.tenant.id, one.tenant.name)).collect();
    let notes = Became::ALL.into_iter().filter_map(|became| {
        let known: Vec<_> = answer.of(became).filter_map(|id| Some((id, names.get(&id)?.clone()))).collect();
        (!known.is_empty()).then(|| one_note(became, known))
    });
    Ok(Some(view! { <div class="stack" role="status">{notes.collect_view()}</div> }.drawn()))
}

fn one_note(became: Became, tenants: Vec<(TenantId, String)>) -> AnyView {
    let (tone, words) = became.words();
    let count = tenants.len();
    let links = tenants.into_iter().enumerate().map(|(index, (id, name))| {
        // An empty text would be drawn as a blank.
        let after = if index + 1 < count { ", " } else { "." };
        view! { <a href=address::tenant(id).runs()>{name}</a>{after} }
    });
    let links = links.collect_view();
    note(tone, view! { <p>{format!("{words}: ")}{links}</p> })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_answer_reads_back_from_its_address_and_holds_nothing_but_ids() {
        let id = |number| TenantId::from_uuid(Uuid::from_u128(number));
        let answer = SyncAnswer(vec![
            (Became::Started, id(1)),
            (Became::Started, id(2)),
            (Became::Refused, id(3)),
            (Became::TooMany, id(4)),
        ]);
        let pairs = answer.pairs();
        let get = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
        assert_eq!(SyncAnswer::read(&get), answer);
        assert_eq!(SyncAnswer::read(&|_| Some("<b>Contoso</b>".to_owned())), SyncAnswer::default());
    }
}
