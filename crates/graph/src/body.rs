//! Reading an answer's body: bounded by itself, and in sum by the budget of the process.

use reqwest::Response;

use crate::budget::{Charge, NoMemory, Reservation};

/// The smallest step in which the memory of a body grows, in bytes.
const FIRST_STEP: usize = 16 * 1024;

/// What some services put before a text in UTF-8; a reader of JSON may ignore it (RFC 8259, section 8.1).
const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// Why a body could not be had.
pub(crate) enum BodyFault {
    /// The connection failed or went silent.
    Transport(reqwest::Error),
    /// Longer than so many bytes, the most that is read.
    TooLarge(usize),
    /// Its JSON values would take more than so many bytes, the most that may be held.
    TooManyValues(usize),
    /// Others hold the memory for it.
    NoMemory,
    /// Not UTF-8.
    Text,
}

impl From<NoMemory> for BodyFault {
    fn from(no_memory: NoMemory) -> Self {
        match no_memory {
            NoMemory::Now => Self::NoMemory,
            NoMemory::Ever(limit) => Self::TooLarge(limit),
        }
    }
}

/// Reads the whole body as text, decompressed, up to `limit` bytes. Memory is taken before each step: as much as the buffer
/// reserves and not only what has come, and in the end what the JSON values need, where it becomes such.
pub(crate) async fn read_text(
    mut response: Response,
    limit: usize,
    reservation: &Reservation,
) -> Result<(String, Charge), BodyFault> {
    let mut charge = Charge::new(reservation);
    let mut body = Vec::new();
    // The announced length is a hint from outside: it may end the reading, it may not make us reserve anything.
    if response.content_length().is_some_and(|announced| announced > limit as u64) {
        return Err(BodyFault::TooLarge(limit));
    }
    while let Some(chunk) = response.chunk().await.map_err(BodyFault::Transport)? {
        let length = body.len() + chunk.len();
        if length > limit {
            return Err(BodyFault::TooLarge(limit));
        }
        if length > body.capacity() {
            let capacity = length.max(body.capacity() * 2).max(FIRST_STEP).min(limit);
            charge.resize(capacity)?;
            body.reserve_exact(capacity - body.len());
        }
        body.extend_from_slice(&chunk);
    }
    if body.starts_with(BYTE_ORDER_MARK) {
        body.drain(..BYTE_ORDER_MARK.len());
    }
    body.shrink_to_fit();
    charge.resize(body.capacity())?;
    reservation.settle();
    let text = String::from_utf8(body).map_err(|_| BodyFault::Text)?;
    charge.value(&text).map_err(|no_memory| match no_memory {
        NoMemory::Now => BodyFault::NoMemory,
        NoMemory::Ever(limit) => BodyFault::TooManyValues(limit),
    })?;
    Ok((text, charge))
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
    String::from_utf8_lossy(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body)).into_owned()
}
