//! The text forms of the enumerations that are stored by name.

/// Gives an enumeration its text form: `Display`, `FromStr`, `TryFrom<String>`, and the error type of the latter two.
///
/// Of an enumeration that is written out, with `ALL` and `as_str` of its own: `named!(Role, UnknownRole, "role")`. Or it
/// declares the enumeration as well, with `ALL`, `as_str` and the same names in JSON:
///
/// ```
/// tenantatlas_domain::named! {
///     /// The side of the road on which one drives.
///     pub enum Side: UnknownSide, "side" {
///         /// As in Japan.
///         Left = "left",
///         /// As in France.
///         Right = "right",
///     }
/// }
/// assert_eq!("left".parse(), Ok(Side::Left));
/// assert_eq!("up".parse::<Side>().unwrap_err().to_string(), "\"up\" is not a side: expected left, right");
/// ```
///
/// The crate that uses this form needs `serde` with its derive.
#[macro_export]
macro_rules! named {
    ($name:ident, $error:ident, $what:literal) => {
        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        #[doc = concat!("The text is no ", $what, ".")]
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $error(pub String);

        impl ::std::fmt::Display for $error {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let names: Vec<&str> = $name::ALL.iter().map(|value| value.as_str()).collect();
                write!(formatter, "{:?} is not a {}: expected {}", self.0, $what, names.join(", "))
            }
        }

        impl ::std::error::Error for $error {}

        impl ::std::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| $error(text.to_owned()))
            }
        }

        impl ::std::convert::TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> ::std::result::Result<Self, Self::Error> {
                text.parse()
            }
        }
    };

    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident: $error:ident, $what:literal {
            $($(#[$variant_attribute:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ::serde::Serialize, ::serde::Deserialize)]
        $visibility enum $name {
            $($(#[$variant_attribute])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name as stored.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        $crate::named!($name, $error, $what);
    };
}

pub(crate) use named;
