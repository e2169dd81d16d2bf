//! The text forms of the enumerations that are stored by name.

/// Gives an enumeration with `ALL` and `as_str` its `Display` and `FromStr`, and
/// the error type of the latter.
macro_rules! named {
    ($name:ident, $error:ident, $what:literal) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        #[doc = concat!("The text is no ", $what, ".")]
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[error("{given:?} is not a {what}", given = .0, what = $what)]
        pub struct $error(pub String);

        impl std::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| $error(text.to_owned()))
            }
        }
    };
}

pub(crate) use named;
