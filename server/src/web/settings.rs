//! Downloads of what a search of settings finds, streamed page by page.

use std::collections::HashMap;
use std::io;

use axum::body::Bytes;
use axum::extract::{Path, Query, State as Extract};
use axum::response::Response;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt as _};
use tenantatlas_app::error::AppError;
use tenantatlas_app::filter::ListFilter as _;
use tenantatlas_app::filter::setting::SettingFilter;
use tenantatlas_app::format;
use tenantatlas_app::inventory::assigned::target_cell;
use tenantatlas_app::inventory::labels::type_label;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_engine::{
    Actor, Engine, EngineError, FoundPolicy, FoundSetting, SearchAnswer, SearchCoverage, SearchRequest,
};

use super::State;
use super::answer::refuse;
use super::export::{Exported, attachment, file_name};
use super::inside::{InTenant, SignedIn};
use super::setting_values;
use super::spreadsheet::{self, Cell};

/// Settings that are looked for at once.
const AT_ONCE: u32 = 500;

type Parameters = Query<HashMap<String, String>>;

/// `GET /settings/export.csv` and `.json`, with the parameters of the page.
pub async fn of_person(
    Extract(state): Extract<State>,
    SignedIn(session): SignedIn,
    Path(kind): Path<String>,
    Query(parameters): Parameters,
) -> Response {
    let name = format!("policy-settings-{}", format::utc_day(state.engine.now().as_millis()));
    download(Asked { engine: state.engine, actor: session.actor(), tenants: Vec::new() }, &name, &kind, &parameters)
        .await
}

/// The same of one tenant: `GET /t/{tenant}/policy-settings/export.csv` and `.json`.
pub async fn of_tenant(
    InTenant(inside): InTenant,
    Path((_, kind)): Path<(String, String)>,
    Query(parameters): Parameters,
) -> Response {
    let name = file_name(&inside, "policy-settings");
    let asked = Asked { engine: inside.engine.clone(), actor: inside.session.actor(), tenants: vec![inside.id()] };
    download(asked, &name, &kind, &parameters).await
}

/// Who asks, and where.
struct Asked {
    engine: Engine,
    actor: Actor,
    tenants: Vec<TenantId>,
}

impl Asked {
    async fn page(&self, query: &str, after: Option<SearchAnswer>) -> Result<SearchAnswer, EngineError> {
        let request = SearchRequest {
            query: query.to_owned(),
            tenants: self.tenants.clone(),
            after: after.and_then(|page| page.next),
            limit: AT_ONCE,
        };
        self.engine.search_settings(&self.actor, &request).await
    }
}

async fn download(asked: Asked, name: &str, kind: &str, parameters: &HashMap<String, String>) -> Response {
    let filter = SettingFilter::read(|name| parameters.get(name).cloned());
    let is_csv = match kind {
        "csv" => true,
        "json" => false,
        _ => return refuse(&AppError::not_found("This kind of export")),
    };
    if !filter.setting.is_empty() && !filter.search.is_empty() {
        let request =
            SearchRequest { query: filter.search, tenants: asked.tenants.clone(), after: None, limit: AT_ONCE };
        return match asked.engine.pivot_setting(&asked.actor, &request, &filter.setting).await {
            Ok(pivot) => setting_values::download(&pivot, name, is_csv),
            Err(error) => refuse(&error.into()),
        };
    }
    // As on the page: where nothing is looked for, nothing is found.
    let found = if filter.search.is_empty() { Ok(None) } else { asked.page(&filter.search, None).await.map(Some) };
    let (coverage, policies) = match found {
        Ok(Some(first)) => (first.coverage.clone(), policies(asked, filter.search, first)),
        Ok(None) => (SearchCoverage::default(), stream::empty().boxed()),
        Err(error) => return refuse(&error.into()),
    };
    let exported = Exported::settings(if is_csv { "csv" } else { "json" }, coverage.searched.clone());
    match is_csv {
        true => attachment(exported, name, "text/csv; charset=utf-8", csv_of(&coverage, policies)),
        false => attachment(exported, name, "application/json", json_of(coverage, policies)),
    }
}

/// Every policy that is found, each once: with the last one of a page is waited whether it goes on on the next.
fn policies(
    asked: Asked,
    query: String,
    first: SearchAnswer,
) -> BoxStream<'static, Result<Vec<FoundPolicy>, EngineError>> {
    let begin = Some((asked, query, first));
    let pages = stream::try_unfold(begin, |at| async move {
        let Some((asked, query, mut page)) = at else { return Ok(None) };
        let mut whole = std::mem::take(&mut page.policies);
        if page.next.is_none() {
            return Ok(Some((whole, None)));
        }
        let last = whole.pop();
        let mut next = asked.page(&query, Some(page)).await?;
        let more = std::mem::replace(&mut next.policies, last.into_iter().collect());
        next.add(more);
        Ok::<_, EngineError>(Some((whole, Some((asked, query, next)))))
    });
    pages.boxed()
}

/// The columns of the file. Of a row of the kind `not_searched` only tenant, type and reason are filled.
const COLUMNS: [&str; 20] = [
    "kind",
    "tenant",
    "type",
    "type_key",
    "policy",
    "external_id",
    "version",
    "read_at",
    "setting",
    "key",
    "category",
    "path",
    "value",
    "since",
    "since_version",
    "or_before",
    "state",
    "included",
    "excluded",
    "reason",
];

fn csv_of(
    coverage: &SearchCoverage,
    policies: BoxStream<'static, Result<Vec<FoundPolicy>, EngineError>>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let mut first: Vec<Vec<Cell>> = vec![COLUMNS.into_iter().map(Cell::from).collect()];
    first.extend(coverage.left_out.iter().map(|one| not_searched(&one.tenant, "", one.reason)));
    first.extend(coverage.without_versions.iter().map(|key| not_searched("", key, "no versions of it are kept")));
    first.extend(coverage.not_searched.iter().map(|one| not_searched(&one.tenant, &one.policy_type, &one.words())));
    let head = stream::once(async move { spreadsheet::lines(&first) });
    head.chain(policies.map(|policies| {
        let policies = policies.map_err(io::Error::other)?;
        let lines: Vec<Vec<Cell>> = policies.iter().flat_map(lines_of).collect();
        spreadsheet::lines(&lines)
    }))
}

fn not_searched(tenant: &str, key: &str, reason: &str) -> Vec<Cell> {
    let label = if key.is_empty() { String::new() } else { type_label(key) };
    let mut cells: Vec<Cell> = ["not_searched", tenant, &label, key].map(Cell::from).into();
    cells.resize(COLUMNS.len() - 1, Cell::from(""));
    cells.push(reason.into());
    cells
}

fn lines_of(policy: &FoundPolicy) -> Vec<Vec<Cell>> {
    policy.settings.iter().map(|setting| line(policy, setting)).collect()
}

fn line(policy: &FoundPolicy, setting: &FoundSetting) -> Vec<Cell> {
    let number = |number: u64| Cell::Number(i64::try_from(number).unwrap_or(i64::MAX));
    let item = policy.item.as_ref();
    vec![
        "setting".into(),
        policy.tenant.clone().into(),
        type_label(&policy.policy_type).into(),
        policy.policy_type.clone().into(),
        policy.display_name.clone().into(),
        policy.external_id.clone().into(),
        number(policy.number),
        policy.read_at.to_rfc3339().into(),
        setting.title().into(),
        setting.key.clone().into(),
        setting.setting.category.clone().unwrap_or_default().into(),
        setting.entry.path.clone().into(),
        setting.value_words().into(),
        setting.since_at.to_rfc3339().into(),
        number(setting.since_number),
        (if setting.since_or_before { "yes" } else { "" }).into(),
        item.map_or("", |row| row.state()).into(),
        item.map(|row| target_cell(row, true)).unwrap_or_default().into(),
        item.map(|row| target_cell(row, false)).unwrap_or_default().into(),
        "".into(),
    ]
}

/// `{"coverage": {…}, "policies": […]}`: what was not searched comes first, since whoever reads the policies must know.
fn json_of(
    coverage: SearchCoverage,
    policies: BoxStream<'static, Result<Vec<FoundPolicy>, EngineError>>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let head = stream::once(async move {
        let mut text = b"{\"coverage\":".to_vec();
        serde_json::to_writer(&mut text, &coverage)?;
        text.extend_from_slice(b",\n\"policies\":[");
        Ok(Bytes::from(text))
    });
    let one_by_one = policies.flat_map(|policies| {
        stream::iter(match policies {
            Ok(policies) => policies.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    });
    let body = one_by_one.enumerate().map(|(at, policy)| {
        let policy = policy.map_err(io::Error::other)?;
        let mut text = if at == 0 { b"\n".to_vec() } else { b",\n".to_vec() };
        serde_json::to_writer(&mut text, &policy.document())?;
        Ok(Bytes::from(text))
    });
    head.chain(body).chain(stream::once(async { Ok(Bytes::from_static(b"\n]}\n")) }))
}
