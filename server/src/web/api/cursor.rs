//! Where a page begins, for whoever reads on: opaque, and good only for the tenant, the address and the filters that it came from.
//! It names no secret and gives no right, since every query names its tenant; what it is bound to is looked at, so that a cursor
//! of another list is told and not misread.

use tenantatlas_engine::hash_token;

use super::problem::Problem;

/// Bytes of the hash of what a cursor is bound to.
const BOUND: usize = 8;

/// A place in a list as a cursor. `list` names the address, the tenant and the filters.
pub fn seal(list: &str, place: &str) -> String {
    format!("{}{}", bound(list, place), hex::encode(place))
}

/// The place in a list that a cursor names.
///
/// # Errors
/// When it is none, or one of another list.
pub fn open(list: &str, cursor: &str) -> Result<String, Problem> {
    let place = cursor.split_at_checked(BOUND * 2).and_then(|(tag, place)| {
        let place = String::from_utf8(hex::decode(place).ok()?).ok()?;
        (bound(list, &place) == tag).then_some(place)
    });
    place.ok_or_else(|| {
        Problem::parameter(
            "after",
            "after: expected what `next` of the page before said, of the same tenant and with the same filters. Begin again without it.",
        )
    })
}

fn bound(list: &str, place: &str) -> String {
    let hash = hash_token(&format!("{list}\n{place}"));
    hex::encode(hash.get(..BOUND).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_alone_and_nothing_made_up_is_one() {
        let cursor = seal("/items?tenant=1&state=missing", "17.ä");
        assert_eq!(open("/items?tenant=1&state=missing", &cursor).ok().as_deref(), Some("17.ä"));
        assert!(open("/items?tenant=2&state=missing", &cursor).is_err());
        for wrong in ["", "x", "é", "0011223344556677", "00112233445566770", &format!("{cursor}00"), &cursor[1..]] {
            assert!(open("/items?tenant=1&state=missing", wrong).is_err(), "{wrong}");
        }
    }
}
