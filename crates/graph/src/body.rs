//! Reading an answer's body, bounded.

use reqwest::Response;

/// Why a body could not be had.
pub(crate) enum BodyFault {
    /// The connection failed or went silent.
    Transport(reqwest::Error),
    /// Longer than the limit.
    TooLarge,
    /// Not UTF-8.
    Text,
}

/// Reads the whole body as text, decompressed, up to `limit` bytes.
pub(crate) async fn read_text(mut response: Response, limit: usize) -> Result<String, BodyFault> {
    // The announced length is a hint from outside: it may save growing, it may not make us reserve much.
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut body = Vec::with_capacity(announced.min(limit).min(4 * 1024 * 1024));
    while let Some(chunk) = response.chunk().await.map_err(BodyFault::Transport)? {
        if body.len() + chunk.len() > limit {
            return Err(BodyFault::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| BodyFault::Text)
}

/// Reads as much of an error body as is worth looking at. A body that breaks off gives what came.
pub(crate) async fn read_error_text(mut response: Response) -> String {
    const LIMIT: usize = 64 * 1024;
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk[..chunk.len().min(LIMIT - body.len())]);
        if body.len() == LIMIT {
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}
