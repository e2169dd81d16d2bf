//! What a command is: who gives it, what it needs, and what the audit log says of it.

use tenantatlas_domain::ids::TenantId;

use crate::actor::Actor;
use crate::audit_entry::AuditEntry;
use crate::right::Right;

/// A command that is about to be given.
#[derive(Debug)]
pub struct Command<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) right: Right,
    pub(crate) entry: AuditEntry,
    pub(crate) sensitive: bool,
    pub(crate) rewrites: Option<TenantId>,
    pub(crate) counted: bool,
}

impl<'a> Command<'a> {
    /// `entry` is what the audit log says when the command succeeds; the same entry with another outcome is written when
    /// it is refused or fails.
    pub const fn new(actor: &'a Actor, right: Right, entry: AuditEntry) -> Self {
        Self { actor, right, entry, sensitive: false, rewrites: None, counted: false }
    }

    /// It changes who may do what, or where a credential goes: a person in a browser must have proved who they are within
    /// [`crate::CONFIRMATION_LASTS`] (OWASP ASVS 4.0.3, requirements 3.7.1 and 4.3.3).
    pub const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// It changes the row of a tenant, although its right is not one in that tenant.
    #[must_use]
    pub const fn rewrites(mut self, tenant: TenantId) -> Self {
        self.rewrites = Some(tenant);
        self
    }

    /// It is one of many that somebody asked for at once, which [`crate::Commands::begin_many`] has counted as one.
    #[must_use]
    pub const fn of_many(mut self, is_one: bool) -> Self {
        self.counted = is_one;
        self
    }
}

/// What the audit log will say of a command that succeeds.
#[derive(Debug)]
pub struct Log {
    pub(crate) entry: Option<AuditEntry>,
    pub(crate) also: Vec<AuditEntry>,
}

impl Log {
    /// Adds an entry, written before that of the command.
    pub fn also(&mut self, entry: AuditEntry) {
        self.also.push(entry);
    }

    /// Replaces the entry of the command.
    pub fn replace(&mut self, entry: AuditEntry) {
        self.entry = Some(entry);
    }

    /// Nothing was changed, so nothing is written.
    pub fn unchanged(&mut self) {
        self.entry = None;
    }
}
