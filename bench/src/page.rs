//! The inventory page of a large tenant, requested by many.

use crate::{
    load::{Answered, Visitors},
    site::Site,
};
use anyhow::{Context as _, Result};

/// People who look at it.
const PEOPLE: usize = 50;
/// Steps the tenant goes on between its two syncs: in each an object of every larger kind goes missing.
const STEPS: u64 = 20;

/// Reads a tenant twice, and prints a line for each way to look at its inventory.
pub async fn measure(name: &str, objects: u64, postgres: Option<&str>) -> Result<()> {
    let site = Site::make(&["--objects", &objects.to_string()], postgres, PEOPLE).await?;
    site.sync()?;
    site.cloud.evolve(STEPS).await?;
    site.sync()?;
    let server = site.serve()?;
    let visitors = Visitors::new(server.address, &site.cookies)?;
    let inventory = format!("/t/{}/inventory", site.tenant);
    let second = next_of(&visitors.text(&inventory).await?).context("the list has a second page")?;
    let pages = [
        ("first", inventory.clone()),
        ("second", second),
        ("`?type=settingsCatalogPolicy`", format!("{inventory}?type=settingsCatalogPolicy")),
        ("`?state=missing`", format!("{inventory}?state=missing")),
        ("`?q=kiosk`, in a name of twelve", format!("{inventory}?q=kiosk")),
        ("`?q=nowhere`, in no name", format!("{inventory}?q=nowhere")),
    ];
    for (page, path) in pages {
        let Answered { times, failed, alone } = visitors.request(&path).await?;
        println!(
            "| {name} | {objects} | {page} | {} | {failed} | {:.1} ms | {:.1} ms | {:.1} ms | {alone:.1} ms | p50 < 10, p99 < 50 ms |",
            times.len() + failed,
            times.at(0.5),
            times.at(0.99),
            times.at(1.0),
        );
    }
    Ok(())
}

/// The address of the link to the next page.
fn next_of(html: &str) -> Option<String> {
    let (before, _) = html.split_once("rel=\"next\"")?;
    let (_, address) = before.rsplit_once("href=\"")?;
    Some(address.split_once('"')?.0.replace("&amp;", "&"))
}
