//! Ids in addresses.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is escaped: all that is no `pchar` (RFC 3986, section 3.3), and `&` and `+`, which some servers read otherwise.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b';')
    .remove(b':')
    .remove(b'@')
    .remove(b'=');

/// An id that comes from outside as one segment of a path, whatever it holds. A segment of dots would climb the path, also
/// when its dots are escaped: it names something that does not exist instead.
#[must_use]
pub fn path_segment(id: &str) -> String {
    let segment = utf8_percent_encode(id, ESCAPED).to_string();
    if segment.bytes().all(|byte| byte == b'.') { segment.replace('.', "%252E") } else { segment }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_can_neither_end_its_segment_nor_climb_the_path() {
        let cases = [
            ("0f3c-a_b~c", "0f3c-a_b~c"),
            ("T_1;x=(a,b)'", "T_1;x=(a,b)'"),
            ("a/b?c#d%e", "a%2Fb%3Fc%23d%25e"),
            ("a b+c&d\\é", "a%20b%2Bc%26d%5C%C3%A9"),
            (".", "%252E"),
            ("..", "%252E%252E"),
            ("..a", "..a"),
            ("", ""),
        ];
        for (id, segment) in cases {
            assert_eq!(path_segment(id), segment);
        }
    }
}
