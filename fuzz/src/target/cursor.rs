//! A cursor from an address is refused or is one that was handed out.

use tenantatlas_store::inventory::Cursor;

pub fn check(input: &[u8]) {
    let Some(cursor) = std::str::from_utf8(input).ok().and_then(Cursor::decode) else { return };
    assert_eq!(Cursor::decode(&cursor.encode()).as_ref(), Some(&cursor));
}
