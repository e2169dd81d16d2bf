//! Downloads of the values of one setting by tenant, as the page shows them.

use std::io;

use axum::body::Bytes;
use axum::response::Response;
use futures::stream;
use tenantatlas_app::inventory::labels::type_label;
use tenantatlas_engine::{SearchCoverage, SettingPivot};

use super::export::{Exported, attachment};
use super::spreadsheet::{self, Cell};

/// The columns of the file: a row for each tenant and value, each tenant without one, and what was not searched and why.
const COLUMNS: [&str; 8] = ["kind", "tenant", "type", "setting", "key", "value", "policies", "reason"];

/// The values as a file: the JSON has the document that the command line writes.
pub(super) fn download(pivot: &SettingPivot, name: &str, is_csv: bool) -> Response {
    let format = if is_csv { "csv" } else { "json" };
    let kind = if is_csv { "text/csv; charset=utf-8" } else { "application/json" };
    let exported = Exported::settings(format, pivot.coverage.searched.clone());
    let file = if is_csv {
        spreadsheet::lines(&lines(pivot))
    } else {
        serde_json::to_vec(pivot).map(Bytes::from).map_err(io::Error::from)
    };
    attachment(exported, &format!("{name}-values"), kind, stream::iter([file]))
}

fn lines(pivot: &SettingPivot) -> Vec<Vec<Cell>> {
    let setting = |kind: &str, tenant: &str, value: &str, policies: Cell| -> Vec<Cell> {
        let texts = [kind, tenant, "", &pivot.name, &pivot.key, value].map(Cell::from);
        texts.into_iter().chain([policies, Cell::from("")]).collect()
    };
    let mut lines: Vec<Vec<Cell>> = vec![COLUMNS.map(Cell::from).into()];
    lines.extend(not_told(pivot));
    for row in &pivot.rows {
        let values = pivot.values.iter().zip(&row.policies).filter(|(_, count)| **count > 0);
        let count = |count: u64| Cell::Number(i64::try_from(count).unwrap_or(i64::MAX));
        lines.extend(values.map(|(value, policies)| setting("value", &row.tenant, value, count(*policies))));
    }
    lines.extend(pivot.not_set.iter().map(|tenant| setting("not_set", tenant, "", Cell::Number(0))));
    lines
}

/// What the values do not tell of, which stands first.
fn not_told(pivot: &SettingPivot) -> Vec<Vec<Cell>> {
    let line = |tenant: &str, key: &str, reason: &str| -> Vec<Cell> {
        let label = if key.is_empty() { String::new() } else { type_label(key) };
        ["not_searched", tenant, &label, "", "", "", "", reason].map(Cell::from).into()
    };
    let SearchCoverage { left_out, without_versions, not_searched, .. } = &pivot.coverage;
    let mut lines: Vec<Vec<Cell>> = left_out.iter().map(|one| line(&one.tenant, "", one.reason)).collect();
    lines.extend(without_versions.iter().map(|key| line("", key, "no versions of it are kept")));
    lines.extend(not_searched.iter().map(|one| line(&one.tenant, &one.policy_type, &one.words())));
    lines.extend(pivot.more.then(|| line("", "", "there are more values than are told")));
    lines
}
