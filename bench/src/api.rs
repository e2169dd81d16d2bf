//! A page of 100 items by the REST API, of a large tenant and requested by many programs.

use std::fs;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::load::{Answered, Visitors};
use crate::process;
use crate::site::Site;

/// Programs that ask, each with a token of its own: one may ask ten times a second.
const PROGRAMS: usize = 20;
/// Requests a second.
const PER_SECOND: u32 = 50;

/// Reads a tenant, and prints a line for each way to ask for its items.
pub async fn measure(name: &str, objects: u64, postgres: Option<&str>) -> Result<()> {
    let site = Site::make(&["--objects", &objects.to_string()], postgres, 1).await?;
    site.sync()?;
    let mut tokens = Vec::with_capacity(PROGRAMS);
    for index in 0..PROGRAMS {
        tokens.push(token(&site, index)?);
    }
    let server = site.serve()?;
    let visitors = Visitors::with_tokens(server.address, &tokens)?;
    let items = format!("/api/v1/tenants/{}/items?limit=100", site.tenant);
    let first: Value = serde_json::from_str(&visitors.text(&items).await?)?;
    let next = first["next"].as_str().context("the list has a second page")?;
    for (page, path) in [
        ("first", items.clone()),
        ("second", format!("{items}&after={next}")),
        ("`?type=settingsCatalogPolicy`", format!("{items}&type=settingsCatalogPolicy")),
        ("`?state=missing`", format!("{items}&state=missing")),
    ] {
        let Answered { times, failed, alone } = visitors.request(&path, PER_SECOND).await?;
        println!(
            "| {name} | {objects} | {page} | {PER_SECOND} | {} | {failed} | {:.1} ms | {:.1} ms | {:.1} ms | {alone:.1} ms | p50 < 10 ms |",
            times.len() + failed,
            times.at(0.5),
            times.at(0.99),
            times.at(1.0),
        );
    }
    Ok(())
}

/// Makes a token of the tenant; answers with the header that shows it.
fn token(site: &Site, index: usize) -> Result<String> {
    let name = format!("Program {index}");
    let arguments = ["token", "create", "--tenant", "Bench", "--role", "readonly", "--name", name.as_str()];
    process::run(site.folder(), site.database(), &arguments)?;
    let made: Value = serde_json::from_slice(&fs::read(site.folder().join("output.json"))?)?;
    Ok(format!("Bearer {}", made["token"].as_str().context("a token was made")?))
}
