//! Canonical JSON: the one text of a value on every platform.
//!
//! Object keys sorted by code point, no whitespace, UTF-8: byte for byte what
//! Python writes with `json.dumps(value, sort_keys=True, separators=(",", ":"),
//! ensure_ascii=False)`, so that any other tool can recompute a hash.

use serde_json::{Number, Value};

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends the canonical text of `value` to `out`.
pub fn write_canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(elements) => {
            out.push(b'[');
            for (position, element) in elements.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_canonical(element, out);
            }
            out.push(b']');
        }
        Value::Object(object) => {
            out.push(b'{');
            let mut first = true;
            for_each_sorted(object, |key, element| {
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                write_string(key, out);
                out.push(b':');
                write_canonical(element, out);
            });
            out.push(b'}');
        }
    }
}

/// The canonical text of `value`.
#[must_use]
pub fn to_canonical_string(value: &Value) -> String {
    let mut out = Vec::with_capacity(256);
    write_canonical(value, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Visits the members by key in code point order. The order in which the map
/// keeps its keys depends on a feature that any crate of the build may switch
/// on, so it is checked, not trusted.
pub(crate) fn for_each_sorted<'value>(
    object: &'value serde_json::Map<String, Value>,
    mut visit: impl FnMut(&'value String, &'value Value),
) {
    if object.keys().is_sorted() {
        for (key, value) in object {
            visit(key, value);
        }
    } else {
        let mut members: Vec<_> = object.iter().collect();
        members.sort_unstable_by_key(|(key, _)| *key);
        for (key, value) in members {
            visit(key, value);
        }
    }
}

/// Appends a JSON string: only quote, backslash and control characters are escaped.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (position, byte) in bytes.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[copied..position]);
        copied = position + 1;
        let short = match byte {
            b'"' | b'\\' => *byte,
            0x08 => b'b',
            0x09 => b't',
            0x0a => b'n',
            0x0c => b'f',
            0x0d => b'r',
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX_DIGITS[usize::from(byte >> 4)]);
                out.push(HEX_DIGITS[usize::from(byte & 15)]);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

/// Appends a number: integers as they are, others as Python's `repr` writes them
/// (shortest digits that read back; exponent below -4 or from 16 on).
pub(crate) fn write_number(number: &Number, out: &mut Vec<u8>) {
    if !number.is_f64() {
        out.extend_from_slice(number.to_string().as_bytes());
        return;
    }
    let float = number.as_f64().unwrap_or_default();
    let scientific = format!("{float:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let plain = float.to_string();
        out.extend_from_slice(plain.as_bytes());
        if !plain.contains('.') {
            out.extend_from_slice(b".0");
        }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        out.extend_from_slice(format!("{mantissa}e{sign}{:02}", exponent.abs()).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn the_text_of_a_nested_value_has_sorted_keys_and_no_space() {
        let value = json!({"b": [true, null, 1], "a": {"d": "x", "c": false}});
        assert_eq!(to_canonical_string(&value), r#"{"a":{"c":false,"d":"x"},"b":[true,null,1]}"#);
    }

    #[test]
    fn keys_sort_by_code_point_and_not_by_utf16_unit() {
        let value = json!({"\u{1F600}": 1, "\u{FF5E}": 2});
        assert_eq!(to_canonical_string(&value), "{\"\u{FF5E}\":2,\"\u{1F600}\":1}");
    }

    /// Pairs of lines, both written by Python: `json.dumps(value)` and
    /// `json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)`.
    #[test]
    fn the_text_is_the_one_that_python_writes() {
        let lines: Vec<&str> = include_str!("canonical/python.golden").split_terminator('\n').collect();
        for pair in lines.chunks_exact(2) {
            let value: Value = serde_json::from_str(pair[0]).unwrap();
            assert_eq!(to_canonical_string(&value), pair[1]);
        }
        assert_eq!(lines.len(), 22);
    }

    proptest! {
        #[test]
        fn the_canonical_text_reads_back_as_the_same_value(text in "\\PC*", control in "[\\x00-\\x7f]{0,20}", number in any::<i64>()) {
            let value = json!({ text.clone(): [control, number], "k": text });
            let canonical = to_canonical_string(&value);
            prop_assert_eq!(serde_json::from_str::<Value>(&canonical).unwrap(), value);
        }

        #[test]
        fn a_float_reads_back_as_the_same_float(float in proptest::num::f64::NORMAL) {
            let value = json!(float);
            let canonical = to_canonical_string(&value);
            prop_assert_eq!(canonical.parse::<f64>().unwrap(), float);
        }
    }
}
