//! Which properties of an object may be kept as metadata.

/// The shape that a metadata value must have to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetaKind {
    /// A short text, such as a name from an enumeration.
    Text,
    /// A date and time.
    Time,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A list of short texts.
    TextList,
    /// Only the number of elements of a list.
    Count,
}

/// One property that may be kept as metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MetaField {
    /// The name under which it is kept.
    pub key: &'static str,
    /// Where it is in the object, segments divided by dots.
    pub path: &'static str,
    /// The shape it must have.
    pub kind: MetaKind,
}

macro_rules! meta_constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)+) => {
        impl MetaField {
            $($(#[$doc])*
            #[must_use]
            pub const fn $name(property: &'static str) -> Self {
                Self { key: property, path: property, kind: MetaKind::$kind }
            })+

            /// The same field, found at another place of the object.
            #[must_use]
            pub const fn at(self, path: &'static str) -> Self {
                Self { key: self.key, path, kind: self.kind }
            }
        }
    };
}

meta_constructors! {
    /// A short text.
    text => Text;
    /// A date and time.
    time => Time;
    /// A whole number.
    integer => Integer;
    /// True or false.
    boolean => Boolean;
    /// A list of short texts.
    texts => TextList;
    /// The number of elements of a list.
    count => Count;
}
