//! Who looks at a page. The server's session layer finds out and puts it into the context of the rendering.

/// The signed-in person and the tenants that exist for them.
#[derive(Debug, Clone, Default)]
pub struct CurrentSession {
    /// The person's name.
    pub name: String,
    /// The address they sign in with.
    pub email: String,
    /// Their tenants, favourites first, then by name.
    pub tenants: Vec<TenantSummary>,
}

/// A tenant as a card shows it.
#[derive(Debug, Clone)]
pub struct TenantSummary {
    /// The name for people.
    pub name: String,
    /// The environment badge: prod, dev, staging or other.
    pub environment: String,
    /// The person's role in it.
    pub role: String,
    /// Items known.
    pub items: u64,
    /// Items missing in the latest completed run.
    pub missing: u64,
    /// Types that run read to the end, of those it was to read; none when no run completed.
    pub types: Option<(u64, u64)>,
    /// When that run ended, as RFC 3339.
    pub last_read: Option<String>,
}
