//! How much memory JSON values take, counted before they are made.
//!
//! The text says little about it: `{"a":0}` is a node of a B-tree with space for eleven members, about ninety bytes for each
//! byte of text, while a long text takes what it is long. So the values are counted one by one, by the reader that would
//! make them and without making any.

use std::cell::Cell;
use std::fmt;
use std::mem::size_of;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Members that fit into one node of the standard library's B-tree.
const NODE_CAPACITY: usize = 11;
/// Members that a node has at least, once there is more than one.
const NODE_LEAST: usize = 5;
/// Bytes of one node: its members, and a fifth more for what an allocation costs and for the nodes above the leaves.
const NODE: usize = NODE_CAPACITY * (size_of::<String>() + size_of::<Value>()) * 6 / 5;
/// Bytes of one place of an array: the value, and as much again for the copy while the array grows and for what sorting it
/// takes.
const PLACE: usize = 2 * size_of::<Value>();

/// Bytes of memory that the JSON values of a text take, and those of one canonical copy of the text. Of a text that breaks
/// off, what a reader would have made until then.
#[must_use]
pub fn value_size(text: &str) -> usize {
    let sum = Cell::new(text.len());
    let read = Count(&sum).deserialize(&mut serde_json::Deserializer::from_str(text));
    // Whoever makes the values is told what is wrong with the text, and stops at the same place.
    drop(read);
    sum.get()
}

/// Adds what is read to a sum.
#[derive(Clone, Copy)]
struct Count<'a>(&'a Cell<usize>);

impl Count<'_> {
    fn add(self, bytes: usize) {
        self.0.set(self.0.get().saturating_add(bytes));
    }
}

impl<'de> DeserializeSeed<'de> for Count<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Count<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        // An allocation has a head, and comes in steps of sixteen bytes.
        self.add((text.len() + 16).next_multiple_of(16));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let (mut length, mut capacity) = (0, 0);
        while elements.next_element_seed(self)?.is_some() {
            length += 1;
            if length > capacity {
                let grown = usize::max(4, capacity * 2);
                self.add((grown - capacity) * PLACE);
                capacity = grown;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut length = 0;
        while members.next_key_seed(self)?.is_some() {
            length += 1;
            if length == 1 || length > NODE_CAPACITY && length % NODE_LEAST == 0 {
                self.add(NODE);
            }
            members.next_value_seed(self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes that a value holds at least: nodes and arrays as small as they can be, texts without their allocations.
    fn least(value: &Value) -> usize {
        match value {
            Value::String(text) => text.len(),
            Value::Array(elements) => elements.iter().map(|element| size_of::<Value>() + least(element)).sum(),
            Value::Object(members) => {
                let member = NODE_CAPACITY * (size_of::<String>() + size_of::<Value>());
                let nodes = members.len().div_ceil(NODE_CAPACITY) * member;
                nodes + members.iter().map(|(key, value)| key.len() + least(value)).sum::<usize>()
            }
            _ => 0,
        }
    }

    #[test]
    fn many_small_values_are_not_taken_for_the_size_of_their_text() {
        let times = |one: &str, count: usize| format!("[{}]", vec![one; count].join(","));
        // What the standard library's collections were measured to take: bytes for each element.
        for (element, taken) in [(r#"{"a":0}"#, 696), ("[0]", 184), ("0", 35)] {
            let (count, text) = (10_000, times(element, 10_000));
            assert!(value_size(&text) >= count * taken, "{element}: {}", value_size(&text) / count);
            assert!(value_size(&text) <= 4 * count * taken, "{element}: {}", value_size(&text) / count);
        }
        let long = format!("\"{}\"", "x".repeat(1_000_000));
        assert!(value_size(&long) < 2_001_000, "a long text takes what it is long");
    }

    #[test]
    fn a_text_that_breaks_off_counts_for_what_was_read_of_it() {
        let whole = format!("[{}]", vec![r#"{"a":0}"#; 1_000].join(","));
        let broken = &whole[..whole.len() - 3];
        assert!(value_size(broken) > value_size(&whole) * 9 / 10);
        assert!(value_size(&"[".repeat(100_000)) < 200_000, "what is nested too deeply is not read on");
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), ".{0,20}".prop_map(Value::from)];
        leaf.prop_recursive(4, 200, 30, |inner| {
            let object = proptest::collection::hash_map(".{0,6}", inner.clone(), 0..40);
            prop_oneof![
                proptest::collection::vec(inner, 0..30).prop_map(Value::from),
                object.prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_value_holds_more_than_was_counted(value in value()) {
            prop_assert!(value_size(&value.to_string()) >= least(&value));
        }
    }
}
