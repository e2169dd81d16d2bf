//! One open event stream, read with as little work as possible: the readers share the machine with the server.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use tenantatlas_domain::ids::TenantId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A state of a run that arrived.
pub struct Arrival {
    /// The same for the same state at every reader.
    pub state: u64,
    /// When this reader had it.
    pub at: Instant,
}

/// An open stream.
pub struct Reader {
    stream: TcpStream,
    scanner: Scanner,
    /// The states that arrived, each once.
    pub arrivals: Vec<Arrival>,
}

impl Reader {
    /// Opens the stream of a tenant, and waits for its snapshot.
    pub async fn open(address: SocketAddr, tenant: TenantId, cookie: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        // The headers that Chromium sends for an EventSource: the server keeps some memory for them.
        let request = format!(
            "GET /t/{tenant}/events HTTP/1.1\r\nHost: {address}\r\nConnection: keep-alive\r\n\
             Accept: text/event-stream\r\nCache-Control: no-cache\r\n\
             User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 \
             Safari/537.36\r\nsec-ch-ua: \"Chromium\";v=\"150\"\r\nsec-ch-ua-mobile: ?0\r\n\
             sec-ch-ua-platform: \"Linux\"\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\n\
             Sec-Fetch-Dest: empty\r\nReferer: http://{address}/t/{tenant}/inventory\r\n\
             Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\nCookie: {cookie}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::with_capacity(2_048);
        while !contains(&head, b"event: snapshot") {
            ensure!(stream.read_buf(&mut head).await? > 0, "the stream ended before its snapshot");
            if !head.starts_with(b"HTTP/1.1 200") {
                bail!("a stream was refused: {}", String::from_utf8_lossy(&head));
            }
        }
        Ok(Self { stream, scanner: Scanner::default(), arrivals: Vec::new() })
    }

    /// Notes the states that arrive, until a run has ended. Cancel-safe.
    pub async fn until_ended(&mut self) -> Result<()> {
        let mut piece = [0; 2_048];
        loop {
            let length = self.stream.read(&mut piece).await?;
            ensure!(length > 0, "the server ended a stream");
            let at = Instant::now();
            let (mut ended, arrivals) = (false, &mut self.arrivals);
            self.scanner.scan(&piece[..length], |state| {
                let mut hasher = DefaultHasher::new();
                state.hash(&mut hasher);
                let hash = hasher.finish();
                if !arrivals.iter().rev().any(|arrival| arrival.state == hash) {
                    arrivals.push(Arrival { state: hash, at });
                }
                ended |= !contains(state, b"\"finished_at\":null");
            });
            if ended {
                return Ok(());
            }
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    let mut rest = text;
    // Few bytes are like the first of the part, so looking for that one alone leaves little to compare.
    while let Some(at) = rest.iter().position(|byte| *byte == part[0]) {
        if rest[at..].starts_with(part) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

/// Finds the states of runs in what comes over the wire. Chunks of HTTP/1.1 hold whole events, so their heads are lines
/// like any other and fall through.
#[derive(Default)]
struct Scanner {
    /// The begun line.
    begun: Vec<u8>,
    /// Whether the last `event:` line named a run.
    run: bool,
}

impl Scanner {
    fn scan(&mut self, piece: &[u8], mut found: impl FnMut(&[u8])) {
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            rest = &after[1..];
            if self.begun.is_empty() {
                Self::line(&mut self.run, line, &mut found);
            } else {
                self.begun.extend_from_slice(line);
                Self::line(&mut self.run, &self.begun, &mut found);
                self.begun.clear();
            }
        }
        self.begun.extend_from_slice(rest);
    }

    fn line(run: &mut bool, line: &[u8], found: &mut impl FnMut(&[u8])) {
        if let Some(name) = line.strip_prefix(b"event: ") {
            *run = name == b"run";
        } else if let Some(state) = line.strip_prefix(b"data: ").filter(|_| *run) {
            found(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_runs_are_found_however_the_bytes_are_cut() {
        let wire = b"2a\r\nevent: heartbeat\ndata: {}\n\n\r\n1f\r\nevent: run\ndata: {\"a\":1}\n\nevent: unread\ndata: {\"b\":2}\n\n\
                     event: run\ndata: {\"c\":3}\n\n\r\n";
        for size in 1..wire.len() {
            let (mut scanner, mut found) = (Scanner::default(), Vec::new());
            for piece in wire.chunks(size) {
                scanner.scan(piece, |state| found.push(String::from_utf8_lossy(state).into_owned()));
            }
            assert_eq!(found, ["{\"a\":1}", "{\"c\":3}"], "pieces of {size}");
        }
    }
}
