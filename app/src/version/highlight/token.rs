//! What a script is made of.

/// What a piece of a script is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing of the others.
    Plain,
    /// A word of the language.
    Keyword,
    /// A text, with what stands around it.
    Text,
    /// What is said to people.
    Comment,
    /// The name of a value.
    Variable,
}

/// A piece of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'script> {
    /// What it is.
    pub kind: Kind,
    /// Its characters; never empty.
    pub text: &'script str,
}
