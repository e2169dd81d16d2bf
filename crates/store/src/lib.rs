//! The records of TenantAtlas on SQLite and PostgreSQL.
