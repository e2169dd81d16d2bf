//! `runs --by`: who or what started runs, in the words of the list of runs and by names.

use tenantatlas_app::filter::run::{RunFilter, starter};
use tenantatlas_domain::ids::{ScheduleId, TenantId};
use tenantatlas_store::operation_runs::{Filter, StartedBy};
use tenantatlas_store::{Reader, api_tokens, schedules, users};
use uuid::Uuid;

use crate::exit::Exit;

/// What is asked for of runs by whoever started them; `tenant` narrows which schedules and tokens a name may mean.
///
/// # Errors
/// Exit code 64 for a name that nobody has, or several.
pub async fn started_by(db: &Reader, by: Option<&str>, tenant: Option<TenantId>) -> Result<Filter, Exit> {
    let Some(by) = by else { return Ok(Filter::default()) };
    let mut asked = RunFilter::default();
    match by.split_once(':') {
        Some(("schedule", name)) => asked.starter = Some(StartedBy::Schedule(schedule(db, name, tenant).await?)),
        Some(("token", name)) => asked.starter = Some(StartedBy::Token(token(db, name, tenant).await?)),
        _ if matches!(by, "person" | "schedule" | "token" | "nobody") => asked.start_by(Some(by)),
        _ => asked.starter = Some(person_or_id(db, by).await?),
    }
    let (user_id, schedule_id, token_id) = asked.by_whom();
    Ok(Filter {
        user_id,
        schedule_id,
        token_id,
        by_person: asked.by_person,
        by_schedule: asked.by_schedule.then_some(true),
        by_token: asked.by_token,
        ..Filter::default()
    })
}

/// A person by e-mail, or whoever an id of the address of the list names.
async fn person_or_id(db: &Reader, by: &str) -> Result<StartedBy, Exit> {
    if let Some(found) = users::find_by_email(db, by).await? {
        return Ok(StartedBy::Person(found.user.id));
    }
    starter(by).ok_or_else(|| {
        Exit::usage(format!(
            "--by {by}: expected the e-mail or id of a user, schedule:NAME, token:NAME, person, schedule, token, or nobody"
        ))
    })
}

/// A schedule by its id, also one that is removed by now, or by its name.
async fn schedule(db: &Reader, name: &str, tenant: Option<TenantId>) -> Result<ScheduleId, Exit> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let all = schedules::list_seen(db, None).await?;
    let called = all.into_iter().filter(|one| tenant.is_none_or(|tenant| one.schedule.tenant_id == tenant));
    let called = called.filter(|one| is_same(&one.schedule.name, name));
    let called: Vec<_> =
        called.map(|one| (one.schedule.id, format!("schedule:{} of {}", one.schedule.id, one.tenant_name))).collect();
    only("schedule", "`tenantatlas schedule list`", name, &called)
}

/// A token by its id or its name, also one that is revoked.
async fn token(db: &Reader, name: &str, tenant: Option<TenantId>) -> Result<Uuid, Exit> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let all = api_tokens::list(db).await?;
    // The token of a person may have started something in any tenant.
    let called = all.into_iter().filter(|one| tenant.is_none_or(|tenant| one.tenant_id.is_none_or(|of| of == tenant)));
    let called = called.filter(|one| is_same(&one.name, name));
    let called: Vec<_> = called.map(|one| (one.id, format!("token:{} made by {}", one.id, one.created_by))).collect();
    only("token", "`tenantatlas token list`", name, &called)
}

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.trim().to_lowercase()
}

/// The one of that name.
fn only<I: Copy>(what: &str, list: &str, name: &str, called: &[(I, String)]) -> Result<I, Exit> {
    match called {
        [(id, _)] => Ok(*id),
        [] => {
            Err(Exit::usage(format!("--by {what}:{name}: there is no such {what}; {list} names those that there are")))
        }
        several => {
            let named: Vec<&str> = several.iter().map(|(_, named)| named.as_str()).collect();
            Err(Exit::usage(format!(
                "--by {what}:{name}: {} are called so. Name one by its id, or narrow by --tenant: {}",
                several.len(),
                named.join(", ")
            )))
        }
    }
}
