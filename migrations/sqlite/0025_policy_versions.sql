-- The bodies of policies, sealed. The key of a tenant is sealed in its turn by the root key: without the key file no body
-- can be read, and a tenant whose row is gone here is unreadable for everybody.
CREATE TABLE policy_keys (
    tenant_id BLOB NOT NULL PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
    sealed BLOB NOT NULL,
    created_at BIGINT NOT NULL
);

-- Parts of bodies, each once per tenant. The address is a keyed hash of the content, so that equal content of two tenants
-- has two addresses. Sealed after compression; codec and dictionary tell how.
CREATE TABLE policy_blobs (
    tenant_id BLOB NOT NULL,
    address BLOB NOT NULL,
    codec BIGINT NOT NULL,
    dictionary BIGINT NOT NULL,
    plain_length BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, address)
);

-- One execution of a capture, and how each of its types went.
CREATE TABLE policy_captures (
    id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL,
    operation_run_id BLOB NOT NULL UNIQUE,
    user_id BLOB,
    status TEXT NOT NULL CHECK (status IN ('running', 'success', 'partial', 'failed', 'skipped')),
    stopped TEXT,
    requests BIGINT NOT NULL DEFAULT 0,
    retries BIGINT NOT NULL DEFAULT 0,
    started_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX policy_captures_by_tenant ON policy_captures (tenant_id, started_at);

CREATE TABLE policy_capture_types (
    capture_id BLOB NOT NULL REFERENCES policy_captures (id) ON DELETE CASCADE,
    policy_type TEXT NOT NULL,
    tenant_id BLOB NOT NULL,
    outcome TEXT CHECK (outcome IN ('succeeded', 'failed', 'skipped')),
    reason_code TEXT,
    message TEXT,
    items BIGINT NOT NULL DEFAULT 0,
    captured BIGINT NOT NULL DEFAULT 0,
    created BIGINT NOT NULL DEFAULT 0,
    unchanged BIGINT NOT NULL DEFAULT 0,
    partial BIGINT NOT NULL DEFAULT 0,
    gone BIGINT NOT NULL DEFAULT 0,
    failed BIGINT NOT NULL DEFAULT 0,
    requests BIGINT NOT NULL DEFAULT 0,
    retries BIGINT NOT NULL DEFAULT 0,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    PRIMARY KEY (capture_id, policy_type)
) WITHOUT ROWID;

-- Versions of policies: never changed, and removed by retention alone, or with their tenant. Numbered from 1 per object.
CREATE TABLE policy_versions (
    id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL,
    policy_type TEXT NOT NULL,
    external_id TEXT NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    display_name TEXT NOT NULL,
    api_version TEXT NOT NULL,
    collection TEXT NOT NULL,
    odata_type TEXT,
    completeness TEXT NOT NULL CHECK (completeness IN ('complete', 'partial')),
    lacks TEXT NOT NULL,
    content_hash BLOB NOT NULL,
    normaliser_version BIGINT NOT NULL,
    settings BIGINT,
    withheld BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    capture_id BLOB NOT NULL,
    UNIQUE (tenant_id, policy_type, external_id, number)
);
CREATE INDEX policy_versions_by_time ON policy_versions (tenant_id, read_at);

CREATE TABLE policy_version_slots (
    version_id BLOB NOT NULL REFERENCES policy_versions (id),
    slot TEXT NOT NULL,
    tenant_id BLOB NOT NULL,
    address BLOB NOT NULL,
    content_hash BLOB NOT NULL,
    PRIMARY KEY (version_id, slot),
    FOREIGN KEY (tenant_id, address) REFERENCES policy_blobs (tenant_id, address)
) WITHOUT ROWID;
CREATE INDEX policy_version_slots_by_address ON policy_version_slots (tenant_id, address);

-- The latest version of each object, and what the inventory knew of it when it was last read: as long as it knows the same
-- nothing has changed since.
CREATE TABLE policy_heads (
    tenant_id BLOB NOT NULL,
    policy_type TEXT NOT NULL,
    external_id TEXT NOT NULL,
    version_id BLOB NOT NULL REFERENCES policy_versions (id),
    number BIGINT NOT NULL,
    item_hash BLOB NOT NULL,
    item_normaliser BIGINT NOT NULL,
    checked_at BIGINT NOT NULL,
    capture_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, policy_type, external_id)
) WITHOUT ROWID;
CREATE INDEX policy_heads_by_version ON policy_heads (version_id);

-- Versions that retention removes: named here first, in the same transaction. The latest of an object cannot be named.
CREATE TABLE policy_retirements (
    version_id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL,
    at BIGINT NOT NULL
);

CREATE TRIGGER policy_versions_refuse_update BEFORE UPDATE ON policy_versions
BEGIN
    SELECT RAISE(ABORT, 'policy_versions are never changed');
END;
CREATE TRIGGER policy_versions_refuse_delete BEFORE DELETE ON policy_versions
WHEN NOT EXISTS (SELECT 1 FROM policy_retirements r WHERE r.version_id = OLD.id)
    AND NOT EXISTS (SELECT 1 FROM tenants t WHERE t.id = OLD.tenant_id AND t.removed_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'policy_versions are removed by retention alone');
END;
-- INSERT OR REPLACE deletes without the delete trigger unless recursive triggers are on: refuse it as well.
CREATE TRIGGER policy_versions_refuse_replace BEFORE INSERT ON policy_versions
WHEN EXISTS (
    SELECT 1 FROM policy_versions v
    WHERE v.id = NEW.id OR (v.tenant_id = NEW.tenant_id AND v.policy_type = NEW.policy_type
        AND v.external_id = NEW.external_id AND v.number = NEW.number))
BEGIN
    SELECT RAISE(ABORT, 'policy_versions are never changed');
END;

CREATE TRIGGER policy_version_slots_refuse_update BEFORE UPDATE ON policy_version_slots
BEGIN
    SELECT RAISE(ABORT, 'policy_version_slots are never changed');
END;
CREATE TRIGGER policy_version_slots_refuse_delete BEFORE DELETE ON policy_version_slots
WHEN NOT EXISTS (SELECT 1 FROM policy_retirements r WHERE r.version_id = OLD.version_id)
    AND NOT EXISTS (SELECT 1 FROM tenants t WHERE t.id = OLD.tenant_id AND t.removed_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'policy_version_slots are removed by retention alone');
END;
CREATE TRIGGER policy_version_slots_refuse_replace BEFORE INSERT ON policy_version_slots
WHEN EXISTS (SELECT 1 FROM policy_version_slots s WHERE s.version_id = NEW.version_id AND s.slot = NEW.slot)
BEGIN
    SELECT RAISE(ABORT, 'policy_version_slots are never changed');
END;

CREATE TRIGGER policy_blobs_refuse_update BEFORE UPDATE ON policy_blobs
BEGIN
    SELECT RAISE(ABORT, 'policy_blobs are never changed');
END;
CREATE TRIGGER policy_blobs_refuse_delete BEFORE DELETE ON policy_blobs
WHEN EXISTS (SELECT 1 FROM policy_version_slots s WHERE s.tenant_id = OLD.tenant_id AND s.address = OLD.address)
    AND NOT EXISTS (SELECT 1 FROM tenants t WHERE t.id = OLD.tenant_id AND t.removed_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'policy_blobs that a version needs are never removed');
END;
-- What is there stays, whichever way it is inserted again.
CREATE TRIGGER policy_blobs_keep_first BEFORE INSERT ON policy_blobs
WHEN EXISTS (SELECT 1 FROM policy_blobs b WHERE b.tenant_id = NEW.tenant_id AND b.address = NEW.address)
BEGIN
    SELECT RAISE(IGNORE);
END;

CREATE TRIGGER policy_retirements_spare_latest BEFORE INSERT ON policy_retirements
WHEN EXISTS (SELECT 1 FROM policy_heads h WHERE h.version_id = NEW.version_id)
BEGIN
    SELECT RAISE(ABORT, 'the latest version of a policy is kept');
END;
