//! Requests that come when they are due, whether or not those before were answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use reqwest::header::HeaderName;
use reqwest::{Client, StatusCode, header};
use tokio::time::Instant;

use crate::spread::Spread;

/// How long they keep coming.
const SECONDS: u32 = 20;
/// Requests sent one after the other beforehand: they warm the server, and tell how long one takes alone.
const ALONE: usize = 20;

/// People who look at pages of a server, or programs that ask it.
pub struct Visitors {
    client: Client,
    address: SocketAddr,
    /// The header by which they show who they are.
    shows: HeaderName,
    cookies: Arc<[String]>,
}

/// What came of the requests for one address.
pub struct Answered {
    /// From when each was due to the head of its answer.
    pub times: Spread,
    /// Answers other than 200, or none.
    pub failed: usize,
    /// The median of requests one after the other, milliseconds.
    pub alone: f64,
}

impl Visitors {
    /// Visitors with these `Cookie` headers.
    pub fn new(address: SocketAddr, cookies: &[String]) -> Result<Self> {
        Self::showing(address, header::COOKIE, cookies)
    }

    /// Programs with these `Authorization` headers.
    pub fn with_tokens(address: SocketAddr, tokens: &[String]) -> Result<Self> {
        Self::showing(address, header::AUTHORIZATION, tokens)
    }

    fn showing(address: SocketAddr, shows: HeaderName, cookies: &[String]) -> Result<Self> {
        let client = Client::builder().no_proxy().no_gzip().tcp_nodelay(true).build()?;
        Ok(Self { client, address, shows, cookies: cookies.into() })
    }

    /// A page as text.
    pub async fn text(&self, path: &str) -> Result<String> {
        let request =
            self.client.get(format!("http://{}{path}", self.address)).header(self.shows.clone(), &self.cookies[0]);
        Ok(request.send().await?.error_for_status()?.text().await?)
    }

    /// Requests a page as browsers do: first one after the other, then so many a second for [`SECONDS`].
    pub async fn request(&self, path: &str, per_second: u32) -> Result<Answered> {
        let mut alone = Vec::with_capacity(ALONE);
        for index in 0..ALONE {
            alone.push(self.one(path, index, Instant::now()).await.context("a page that is requested alone")?);
        }
        let start = Instant::now() + Duration::from_millis(100);
        let mut pending = Vec::new();
        for index in 0..per_second * SECONDS {
            let due = start + Duration::from_secs(1) * index / per_second;
            tokio::time::sleep_until(due).await;
            let visitors = Self {
                client: self.client.clone(),
                shows: self.shows.clone(),
                address: self.address,
                cookies: Arc::clone(&self.cookies),
            };
            let path = path.to_owned();
            pending.push(tokio::spawn(async move { visitors.one(&path, index as usize, due).await }));
        }
        let (mut times, mut failed) = (Vec::with_capacity(pending.len()), 0);
        for answer in pending {
            match answer.await? {
                Ok(time) => times.push(time),
                Err(_) => failed += 1,
            }
        }
        Ok(Answered { times: Spread::of(times), failed, alone: Spread::of(alone).at(0.5) })
    }

    /// One request; the time from `due` until its answer begins. The rest of the answer is read and thrown away.
    async fn one(&self, path: &str, index: usize, due: Instant) -> Result<Duration> {
        let cookie = &self.cookies[index % self.cookies.len()];
        let mut answer = self
            .client
            .get(format!("http://{}{path}", self.address))
            .header(self.shows.clone(), cookie)
            .header(header::ACCEPT, "text/html")
            .header(header::ACCEPT_ENCODING, "gzip, deflate, br, zstd")
            .send()
            .await?;
        let time = due.elapsed();
        anyhow::ensure!(answer.status() == StatusCode::OK, "{path} answered {}", answer.status());
        while answer.chunk().await?.is_some() {}
        Ok(time)
    }
}
