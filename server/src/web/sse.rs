//! Live events in the form of Server-Sent Events (HTML standard, section Server-sent events).

use axum::body::Bytes;
use tenantatlas_domain::live::LiveEvent;

/// One event as it goes over the wire.
pub fn frame(event: &LiveEvent) -> Bytes {
    let data = event.data().unwrap_or_else(|error| {
        // Nothing of an event can fail to serialise; whoever reads this ignores it and is right again with the next.
        tracing::error!(%error, "a live event could not be written");
        "{}".to_owned()
    });
    Bytes::from(format!("event: {}\ndata: {data}\n\n", event.name().as_str()))
}

/// How long a browser waits before it connects again by itself, and then an event.
pub fn first_frame(retry_millis: u32, event: &LiveEvent) -> Bytes {
    let mut first = format!("retry: {retry_millis}\n").into_bytes();
    first.extend_from_slice(&frame(event));
    Bytes::from(first)
}
