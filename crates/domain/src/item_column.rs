//! The columns of the list of items.

crate::names::named! {
    /// A column of the list of items, beside the name, which always comes first.
    #[derive(PartialOrd, Ord)]
    pub enum ItemColumn: UnknownItemColumn, "column of items" {
        /// The policy type.
        Type = "type",
        /// The category of the type.
        Category = "category",
        /// Whether it is there.
        State = "state",
        /// Whom it is assigned to.
        Assigned = "assigned",
        /// The platform.
        Platform = "platform",
        /// When it was last modified, as Microsoft tells.
        Modified = "modified",
        /// When a run last saw it.
        LastSeen = "seen",
        /// When a run first saw it.
        FirstSeen = "first_seen",
        /// When a run last found it new or changed.
        Changed = "changed",
        /// The id that Microsoft gave it.
        Id = "id",
    }
}

impl ItemColumn {
    /// What is shown to whoever did not choose.
    pub const DEFAULT: [Self; 6] =
        [Self::Type, Self::State, Self::Assigned, Self::Platform, Self::Modified, Self::LastSeen];

    /// Its words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Type => "Type",
            Self::Category => "Category",
            Self::State => "State",
            Self::Assigned => "Assigned to",
            Self::Platform => "Platform",
            Self::Modified => "Last modified",
            Self::LastSeen => "Last seen",
            Self::FirstSeen => "First seen",
            Self::Changed => "Changed",
            Self::Id => "ID",
        }
    }
}
