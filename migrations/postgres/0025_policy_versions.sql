-- The bodies of policies, sealed. The key of a tenant is sealed in its turn by the root key: without the key file no body
-- can be read, and a tenant whose row is gone here is unreadable for everybody.
CREATE TABLE policy_keys (
    tenant_id UUID NOT NULL PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

-- Parts of bodies, each once per tenant. The address is a keyed hash of the content, so that equal content of two tenants
-- has two addresses. Sealed after compression; codec and dictionary tell how.
CREATE TABLE policy_blobs (
    tenant_id UUID NOT NULL,
    address BYTEA NOT NULL,
    codec BIGINT NOT NULL,
    dictionary BIGINT NOT NULL,
    plain_length BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, address)
);

-- One execution of a capture, and how each of its types went.
CREATE TABLE policy_captures (
    id UUID NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL,
    operation_run_id UUID NOT NULL UNIQUE,
    user_id UUID,
    status TEXT NOT NULL CHECK (status IN ('running', 'success', 'partial', 'failed', 'skipped')),
    stopped TEXT,
    requests BIGINT NOT NULL DEFAULT 0,
    retries BIGINT NOT NULL DEFAULT 0,
    started_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX policy_captures_by_tenant ON policy_captures (tenant_id, started_at);

CREATE TABLE policy_capture_types (
    capture_id UUID NOT NULL REFERENCES policy_captures (id) ON DELETE CASCADE,
    policy_type TEXT COLLATE "C" NOT NULL,
    tenant_id UUID NOT NULL,
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
);

-- Versions of policies: never changed, and removed by retention alone, or with their tenant. Numbered from 1 per object.
CREATE TABLE policy_versions (
    id UUID NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL,
    policy_type TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    display_name TEXT NOT NULL,
    api_version TEXT NOT NULL,
    collection TEXT NOT NULL,
    odata_type TEXT,
    completeness TEXT NOT NULL CHECK (completeness IN ('complete', 'partial')),
    lacks JSONB NOT NULL,
    content_hash BYTEA NOT NULL,
    normaliser_version BIGINT NOT NULL,
    settings BIGINT,
    withheld BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    capture_id UUID NOT NULL,
    UNIQUE (tenant_id, policy_type, external_id, number)
);
CREATE INDEX policy_versions_by_time ON policy_versions (tenant_id, read_at);

CREATE TABLE policy_version_slots (
    version_id UUID NOT NULL REFERENCES policy_versions (id),
    slot TEXT COLLATE "C" NOT NULL,
    tenant_id UUID NOT NULL,
    address BYTEA NOT NULL,
    content_hash BYTEA NOT NULL,
    PRIMARY KEY (version_id, slot),
    FOREIGN KEY (tenant_id, address) REFERENCES policy_blobs (tenant_id, address)
);
CREATE INDEX policy_version_slots_by_address ON policy_version_slots (tenant_id, address);

-- The latest version of each object, and what the inventory knew of it when it was last read: as long as it knows the same
-- nothing has changed since.
CREATE TABLE policy_heads (
    tenant_id UUID NOT NULL,
    policy_type TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    version_id UUID NOT NULL REFERENCES policy_versions (id),
    number BIGINT NOT NULL,
    item_hash BYTEA NOT NULL,
    item_normaliser BIGINT NOT NULL,
    checked_at BIGINT NOT NULL,
    capture_id UUID NOT NULL,
    PRIMARY KEY (tenant_id, policy_type, external_id)
);
CREATE INDEX policy_heads_by_version ON policy_heads (version_id);

-- Versions that retention removes: named here first, in the same transaction. The latest of an object cannot be named.
CREATE TABLE policy_retirements (
    version_id UUID NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL,
    at BIGINT NOT NULL
);

-- Bodies are compressed already.
ALTER TABLE policy_blobs ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE FUNCTION refuse_kept_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    version UUID;
BEGIN
    version := CASE TG_TABLE_NAME WHEN 'policy_versions' THEN to_jsonb(OLD) ->> 'id' ELSE to_jsonb(OLD) ->> 'version_id' END;
    IF EXISTS (SELECT 1 FROM policy_retirements r WHERE r.version_id = version)
        OR EXISTS (SELECT 1 FROM tenants t WHERE t.id = OLD.tenant_id AND t.removed_at IS NOT NULL) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% are removed by retention alone', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END;
$$;
CREATE FUNCTION refuse_needed_blob() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM policy_version_slots s WHERE s.tenant_id = OLD.tenant_id AND s.address = OLD.address)
        AND NOT EXISTS (SELECT 1 FROM tenants t WHERE t.id = OLD.tenant_id AND t.removed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'policy_blobs that a version needs are never removed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END;
$$;
CREATE FUNCTION refuse_latest_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM policy_heads h WHERE h.version_id = NEW.version_id) THEN
        RAISE EXCEPTION 'the latest version of a policy is kept' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER policy_versions_refuse_update BEFORE UPDATE ON policy_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER policy_versions_refuse_truncate BEFORE TRUNCATE ON policy_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER policy_versions_refuse_delete BEFORE DELETE ON policy_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_kept_version();
CREATE TRIGGER policy_version_slots_refuse_update BEFORE UPDATE ON policy_version_slots
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER policy_version_slots_refuse_truncate BEFORE TRUNCATE ON policy_version_slots
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER policy_version_slots_refuse_delete BEFORE DELETE ON policy_version_slots
    FOR EACH ROW EXECUTE FUNCTION refuse_kept_version();
CREATE TRIGGER policy_blobs_refuse_update BEFORE UPDATE ON policy_blobs
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER policy_blobs_refuse_truncate BEFORE TRUNCATE ON policy_blobs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER policy_blobs_refuse_delete BEFORE DELETE ON policy_blobs
    FOR EACH ROW EXECUTE FUNCTION refuse_needed_blob();
CREATE TRIGGER policy_retirements_spare_latest BEFORE INSERT ON policy_retirements
    FOR EACH ROW EXECUTE FUNCTION refuse_latest_version();
