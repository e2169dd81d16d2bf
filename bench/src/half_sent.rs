//! Requests whose bodies do not come, and what pages of others take meanwhile.

use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::load::{Answered, Visitors};
use crate::site::Site;
use crate::streams::raise_open_files;

/// Requests that are begun and not ended.
pub const HALF_SENT: usize = 3_500;
/// Of these are being sent at a time.
const OPENING: usize = 100;
/// Files that a process with all of them has open besides.
const OTHER_FILES: u64 = 600;
/// Objects of the tenant, people who look at it, and requests for its inventory a second.
const OBJECTS: &str = "2000";
const PEOPLE: usize = 20;
const PER_SECOND: u32 = 50;

/// Prints a line without and one with half-sent requests.
pub async fn measure(name: &str, postgres: Option<&str>) -> Result<()> {
    let files = raise_open_files();
    if files < HALF_SENT as u64 + OTHER_FILES {
        println!("| {name} | not measured: `ulimit -Hn` is {files}, {HALF_SENT} connections need more | | | | | |");
        return Ok(());
    }
    let site = Site::make(&["--objects", OBJECTS], postgres, PEOPLE).await?;
    site.sync()?;
    let server = site.serve()?;
    let visitors = Visitors::new(server.address, &site.cookies)?;
    let inventory = format!("/t/{}/inventory", site.tenant);
    let without = visitors.request(&inventory, PER_SECOND).await?;
    let before = server.memory_kb();
    let connections: Vec<TcpStream> = futures::stream::iter(0..HALF_SENT)
        .map(|_| half_send(server.address))
        .buffer_unordered(OPENING)
        .try_collect()
        .await?;
    let each = server.memory_kb().saturating_sub(before) as f64 * 1.024 / HALF_SENT as f64;
    let with = visitors.request(&inventory, PER_SECOND).await?;
    let open = connections.iter().filter(|connection| is_open(connection)).count();
    let ratio = with.times.at(0.99) / without.times.at(0.99).max(f64::MIN_POSITIVE);
    print(name, "none", &without, "");
    print(name, &format!("{HALF_SENT}, {open} open at the end, {each:.1} kB each"), &with, &format!("{ratio:.2}"));
    Ok(())
}

fn print(name: &str, half_sent: &str, answered: &Answered, ratio: &str) {
    let Answered { times, failed, .. } = answered;
    println!(
        "| {name} | {half_sent} | {} | {failed} | {:.1} ms | {:.1} ms | {ratio} |",
        times.len() + failed,
        times.at(0.5),
        times.at(0.99),
    );
}

/// The head of a sign-in, and a part of its body.
async fn half_send(address: SocketAddr) -> Result<TcpStream> {
    let mut connection = TcpStream::connect(address).await?;
    let head = format!(
        "POST /api/sign_in HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 1000\r\n\r\nemail="
    );
    connection.write_all(head.as_bytes()).await?;
    Ok(connection)
}

/// Whether the server has neither answered nor closed.
fn is_open(connection: &TcpStream) -> bool {
    matches!(connection.try_read(&mut [0; 16]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}
