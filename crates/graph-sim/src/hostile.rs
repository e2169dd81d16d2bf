//! Bodies that are made to hurt whoever reads them. They are made while they are sent, so that the simulator itself stays
//! small.

use std::convert::Infallible;
use std::io::Write as _;
use std::iter;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

/// Bytes of one piece of a body.
const PIECE: usize = 64 * 1024;

/// A body that hurts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostileBody {
    /// Zeros, packed to a thousandth.
    GzipBomb {
        /// Megabytes when unpacked.
        megabytes: u64,
    },
    /// A page with an object whose text never ends.
    Endless,
    /// A proper page of objects of 32 kB each, with ids, names and descriptions.
    FatPage {
        /// Megabytes in all, about.
        megabytes: u64,
    },
    /// A proper page of empty objects.
    ManyItems {
        /// Objects.
        items: u64,
    },
    /// A proper page of objects with an id and an array of very many very small objects.
    SmallValues {
        /// Objects on the page.
        items: u64,
        /// Kilobytes of each, about.
        kilobytes: u64,
    },
    /// A page with one object that is an array in an array, and so on.
    Deep {
        /// Brackets.
        levels: u64,
    },
    /// Opening brackets and nothing else.
    Brackets {
        /// Brackets.
        count: u64,
    },
    /// A page with one object with one text.
    LongText {
        /// Megabytes of the text.
        megabytes: u64,
    },
    /// A page that comes byte by byte.
    Drip {
        /// Milliseconds between two bytes.
        pause_ms: u64,
    },
}

impl HostileBody {
    /// The body, with its `Content-Encoding`.
    pub(crate) fn send(self) -> (Body, Option<&'static str>) {
        let parts: Box<dyn Iterator<Item = Bytes> + Send> = match self {
            Self::GzipBomb { megabytes } => return (pieces(bomb(megabytes)), Some("gzip")),
            Self::Drip { pause_ms } => return (drip(Duration::from_millis(pause_ms)), None),
            Self::Endless => Box::new(text(r#"{"value":[{"id":"1","name":""#).chain(filler(b'a', u64::MAX))),
            Self::FatPage { megabytes } => Box::new(fat_page(megabytes)),
            Self::ManyItems { items } => {
                let all = repeated("{},", items.saturating_sub(1)).chain(text(if items > 0 { "{}" } else { "" }));
                Box::new(text(r#"{"value":["#).chain(all).chain(text("]}")))
            }
            Self::SmallValues { items, kilobytes } => Box::new(small_values(items, kilobytes)),
            Self::Deep { levels } => {
                let nested = repeated("[", levels).chain(repeated("]", levels));
                Box::new(text(r#"{"value":[{"id":"1","name":"deep","x":"#).chain(nested).chain(text("}]}")))
            }
            Self::Brackets { count } => Box::new(repeated("[", count)),
            Self::LongText { megabytes } => Box::new(
                text(r#"{"value":[{"id":"1","name":""#)
                    .chain(filler(b'a', megabytes.saturating_mul(1_000_000)))
                    .chain(text(r#""}]}"#)),
            ),
        };
        (pieces(parts), None)
    }
}

fn pieces(parts: impl Iterator<Item = Bytes> + Send + 'static) -> Body {
    Body::from_stream(futures::stream::iter(parts.map(Ok::<_, Infallible>)))
}

fn text(text: &'static str) -> impl Iterator<Item = Bytes> + Send {
    iter::once(Bytes::from_static(text.as_bytes()))
}

/// So many times the same byte.
fn filler(byte: u8, bytes: u64) -> impl Iterator<Item = Bytes> + Send {
    let piece = Bytes::from(vec![byte; PIECE]);
    let mut rest = bytes;
    iter::from_fn(move || {
        let length = rest.min(PIECE as u64);
        rest -= length;
        (length > 0).then(|| piece.slice(..usize::try_from(length).unwrap_or(PIECE)))
    })
}

/// So many times the same text.
fn repeated(text: &'static str, times: u64) -> impl Iterator<Item = Bytes> + Send {
    let whole = PIECE / text.len();
    let piece = Bytes::from(text.repeat(whole));
    let mut rest = times;
    iter::from_fn(move || {
        let count = rest.min(whole as u64);
        rest -= count;
        (count > 0).then(|| piece.slice(..usize::try_from(count).unwrap_or(whole) * text.len()))
    })
}

fn fat_page(megabytes: u64) -> impl Iterator<Item = Bytes> + Send {
    let padding = "x".repeat(32_000);
    let items = (megabytes.saturating_mul(1_000_000) / 32_100).max(1);
    let objects = (0..items).map(move |number| {
        let comma = if number == 0 { "" } else { "," };
        Bytes::from(format!(
            r#"{comma}{{"id":"fat-{number}","displayName":"Fat {number}","name":"Fat {number}","description":"{padding}"}}"#
        ))
    });
    text(r#"{"value":["#).chain(objects).chain(text("]}"))
}

fn small_values(items: u64, kilobytes: u64) -> impl Iterator<Item = Bytes> + Send {
    const VALUE: &str = r#"{"a":0},"#;
    let values = kilobytes.saturating_mul(1_000) / VALUE.len() as u64;
    let objects = (0..items).flat_map(move |number| {
        let comma = if number == 0 { "" } else { "," };
        let head = format!(r#"{comma}{{"id":"small-{number}","displayName":"S","name":"S","values":["#);
        iter::once(Bytes::from(head)).chain(repeated(VALUE, values)).chain(text("0]}"))
    });
    text(r#"{"value":["#).chain(objects).chain(text("]}"))
}

fn bomb(megabytes: u64) -> impl Iterator<Item = Bytes> + Send {
    let zeros = vec![0; 1_000_000];
    let mut encoder = Some(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut rest = megabytes;
    iter::from_fn(move || {
        let mut packing = encoder.take()?;
        if rest == 0 {
            return packing.finish().ok().map(Bytes::from);
        }
        rest -= 1;
        packing.write_all(&zeros).ok()?;
        let packed = std::mem::take(packing.get_mut());
        encoder = Some(packing);
        Some(Bytes::from(packed))
    })
}

/// A text, packed so many times.
pub(crate) fn packed(body: &[u8], times: u32) -> Bytes {
    (0..times).fold(Bytes::copy_from_slice(body), |body, _| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        // Writing to memory does not fail.
        let _ = encoder.write_all(&body);
        encoder.finish().map_or_else(|_| Bytes::new(), Bytes::from)
    })
}

fn drip(pause: Duration) -> Body {
    let bytes = r#"{"value":[{"id":"1","name":""#.bytes().chain(iter::repeat(b'a'));
    Body::from_stream(futures::stream::unfold(bytes, move |mut bytes| async move {
        let byte = bytes.next()?;
        tokio::time::sleep(pause).await;
        Some((Ok::<_, Infallible>(Bytes::copy_from_slice(&[byte])), bytes))
    }))
}
