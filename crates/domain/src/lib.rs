//! The rules of TenantAtlas without I/O.
