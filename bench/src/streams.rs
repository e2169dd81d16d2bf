//! Many open event streams on one server: how soon each has what was committed, and what each costs.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::header;
use rustix::process::{Resource, getrlimit, setrlimit};
use tenantatlas_domain::registry::registry;

use crate::load::Visitors;
use crate::reader::Reader;
use crate::site::{Server, Site};
use crate::spread::Spread;

/// Streams that are open.
pub const STREAMS: usize = 5_000;
/// People whose streams they are.
const PEOPLE: usize = 200;
/// Streams that are being opened at a time.
const OPENING: usize = 100;
/// Files that a process with all streams has open besides.
const OTHER_FILES: u64 = 200;
/// The tenant: as far away as Microsoft's, so that a sync takes a while.
const CLOUD: [&str; 4] = ["--objects", "20000", "--latency", "150"];
/// How long the streams rest before memory is looked at. The right to see is asked again meanwhile.
const REST: Duration = Duration::from_secs(10);
/// How long a sync may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// Prints a line for the commits of a sync, one for its dispatch, and one for memory.
pub async fn measure(name: &str, postgres: Option<&str>) -> Result<()> {
    let files = raise_open_files();
    if files < STREAMS as u64 + OTHER_FILES {
        println!("| {name} | not measured: `ulimit -Hn` is {files}, {STREAMS} streams need more | | | | | |");
        return Ok(());
    }
    let site = Site::make(&CLOUD, postgres, PEOPLE).await?;
    let server = site.serve()?;
    warm_up(&site, &server).await?;
    let before = server.memory_kb();
    let mut readers: Vec<Reader> = futures::stream::iter(0..STREAMS)
        .map(|index| Reader::open(server.address, site.tenant, &site.cookies[index % PEOPLE]))
        .buffer_unordered(OPENING)
        .try_collect()
        .await?;
    tokio::time::sleep(REST).await;
    let with = server.memory_kb();

    let tasks: Vec<_> = readers
        .drain(..)
        .map(|mut reader| {
            tokio::spawn(async move {
                let ended = tokio::time::timeout(PATIENCE, reader.until_ended()).await;
                (reader, matches!(ended, Ok(Ok(()))))
            })
        })
        .collect();
    let types: Vec<&str> = registry().default_on().map(|policy_type| policy_type.key).collect();
    let posted = Instant::now();
    start_sync(&site, &server, &types, true).await?;
    let mut left_behind = 0;
    for task in tasks {
        let (reader, ended) = task.await?;
        left_behind += usize::from(!ended);
        readers.push(reader);
    }
    tokio::time::sleep(REST).await;
    let after = server.memory_kb();
    print(name, &readers, posted, left_behind);
    let each = |now: u64| now.saturating_sub(before) as f64 * 1.024 / STREAMS as f64;
    println!(
        "| {name} | memory per stream | {:.1} kB; {:.1} kB once the sync has ended | | | | at most 20 kB |",
        each(with),
        each(after)
    );
    Ok(())
}

fn print(name: &str, readers: &[Reader], posted: Instant, left_behind: usize) {
    let mut first: HashMap<u64, Instant> = HashMap::new();
    for arrival in readers.iter().flat_map(|reader| &reader.arrivals) {
        let earliest = first.entry(arrival.state).or_insert(arrival.at);
        *earliest = arrival.at.min(*earliest);
    }
    let since_first =
        readers.iter().flat_map(|reader| &reader.arrivals).map(|one| one.at - first[&one.state]).collect();
    let since_post = readers.iter().filter_map(|reader| Some(reader.arrivals.first()?.at - posted)).collect();
    let (commits, dispatch) = (Spread::of(since_first), Spread::of(since_post));
    let skipped = first.len() * readers.len() - commits.len();
    println!(
        "| {name} | commit, from its first arrival anywhere | {} states, {} arrivals, {skipped} overtaken by a newer state, \
         {left_behind} streams without the end | {:.1} ms | {:.1} ms | {:.1} ms | p99 < 250 ms |",
        first.len(),
        commits.len(),
        commits.at(0.5),
        commits.at(0.99),
        commits.at(1.0)
    );
    println!(
        "| {name} | dispatch, from before the request | {} arrivals | {:.1} ms | {:.1} ms | {:.1} ms | p99 < 250 ms |",
        dispatch.len(),
        dispatch.at(0.5),
        dispatch.at(0.99),
        dispatch.at(1.0)
    );
}

/// Lets the server make what it makes once: connections to the database, compiled statements, a page, a run.
async fn warm_up(site: &Site, server: &Server) -> Result<()> {
    let visitors = Visitors::new(server.address, &site.cookies)?;
    let inventory = format!("/t/{}/inventory", site.tenant);
    let pages = (0..200).map(|_| visitors.text(&inventory));
    // All of one person, who may not have more under way.
    futures::stream::iter(pages).buffer_unordered(OPENING / 2).try_for_each(|_| async { Ok(()) }).await?;
    let mut reader = Reader::open(server.address, site.tenant, &site.cookies[0]).await?;
    start_sync(site, server, &["settingsCatalogPolicy"], false).await?;
    tokio::time::timeout(PATIENCE, reader.until_ended()).await.context("the first sync did not end")??;
    drop(reader);
    tokio::time::sleep(REST).await;
    Ok(())
}

/// Starts a sync as the form of the type picker does.
async fn start_sync(site: &Site, server: &Server, types: &[&str], everything: bool) -> Result<()> {
    let mut form =
        vec![("include_foundations", everything.to_string()), ("include_dependencies", everything.to_string())];
    form.extend(types.iter().map(|key| ("policy_types[]", (*key).to_owned())));
    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client
        .post(format!("http://{}/t/{}/api/start_sync", server.address, site.tenant))
        .header(header::ACCEPT, "application/json")
        .header("sec-fetch-site", "same-origin")
        .header(header::COOKIE, &site.cookies[0])
        .form(&form);
    let answer = request.send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    anyhow::ensure!(status.is_success(), "the sync was not started: {status} {text}");
    Ok(())
}

/// Raises the limit of open files, which the server inherits, as far as this person may; tells what it is then.
pub fn raise_open_files() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
