//! The inventory page of a large tenant, requested by many.

use anyhow::{Context as _, Result};

use crate::load::{Answered, Visitors};
use crate::site::Site;

/// People who look at it.
const PEOPLE: usize = 50;
/// Requests a second for a page that walks along an index.
const PER_SECOND: u32 = 100;
/// Requests a second that look for a part of a name, which looks through all names: people do that, crowds do not.
const SEARCHES_PER_SECOND: u32 = 2;
/// Steps the tenant goes on between its two syncs: in each an object of every larger kind goes missing.
const STEPS: u64 = 20;
/// About how many items are assigned to the group whose page is requested.
const LARGE_GROUP: u64 = 10_000;

/// The page of a group that gets so many items, which counts all of them.
const OF_A_GROUP: &str = "of a group with 10,000";

/// Reads a tenant twice, and prints a line for each way to look at its inventory.
pub async fn measure(name: &str, objects: u64, postgres: Option<&str>) -> Result<()> {
    let site =
        Site::make(&["--objects", &objects.to_string(), "--large-group", &LARGE_GROUP.to_string()], postgres, PEOPLE)
            .await?;
    site.sync()?;
    site.cloud.evolve(STEPS).await?;
    site.sync()?;
    let server = site.serve()?;
    let visitors = Visitors::new(server.address, &site.cookies)?;
    let inventory = format!("/t/{}/inventory", site.tenant);
    let second = next_of(&visitors.text(&inventory).await?).context("the list has a second page")?;
    let search = format!("{inventory}?q=nowhere");
    let group = format!("/t/{}/groups/{}", site.tenant, site.cloud.fact("/tenants/0/large_group_id"));
    let pages = [
        ("first", PER_SECOND, inventory.clone()),
        ("second", PER_SECOND, second),
        ("`?type=settingsCatalogPolicy`", PER_SECOND, format!("{inventory}?type=settingsCatalogPolicy")),
        ("`?state=missing`", PER_SECOND, format!("{inventory}?state=missing")),
        (OF_A_GROUP, PER_SECOND, group),
        ("`?q=kiosk`, in a name of twelve", SEARCHES_PER_SECOND, format!("{inventory}?q=kiosk")),
        ("`?q=nowhere`, in no name", SEARCHES_PER_SECOND, search.clone()),
    ];
    for (page, per_second, path) in pages {
        print(name, objects, page, per_second, &visitors.request(&path, per_second).await?);
    }
    let (beside, _) =
        tokio::try_join!(visitors.request(&inventory, PER_SECOND), visitors.request(&search, SEARCHES_PER_SECOND))?;
    print(name, objects, "first, while others search", PER_SECOND, &beside);
    Ok(())
}

fn print(name: &str, objects: u64, page: &str, per_second: u32, answered: &Answered) {
    let Answered { times, failed, alone } = answered;
    let target = match page {
        OF_A_GROUP => "p50 < 20 ms",
        _ if per_second == PER_SECOND => "p50 < 10, p99 < 50 ms",
        _ => "",
    };
    println!(
        "| {name} | {objects} | {page} | {per_second} | {} | {failed} | {:.1} ms | {:.1} ms | {:.1} ms | {alone:.1} ms | {target} |",
        times.len() + failed,
        times.at(0.5),
        times.at(0.99),
        times.at(1.0),
    );
}

/// The address of the link to the next page.
pub fn next_of(html: &str) -> Option<String> {
    let (before, _) = html.split_once("rel=\"next\"")?;
    let (_, address) = before.rsplit_once("href=\"")?;
    Some(address.split_once('"')?.0.replace("&amp;", "&"))
}
