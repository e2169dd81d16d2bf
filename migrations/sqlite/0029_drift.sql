-- What tells which part of a content differs from another: digests of what an object sets and of its assignments. Empty for
-- what was read before.
ALTER TABLE inventory_items ADD COLUMN settings_digest BIGINT;
ALTER TABLE inventory_items ADD COLUMN assignments_digest BIGINT;
ALTER TABLE inventory_item_versions ADD COLUMN settings_digest BIGINT;
ALTER TABLE inventory_item_versions ADD COLUMN assignments_digest BIGINT;

-- With the item, so that what changed since a run is one walk along an index, however much it is.
DROP INDEX inventory_items_by_change;
CREATE INDEX inventory_items_by_change ON inventory_items (tenant_id, changed_seq, policy_type, id);

-- Findings (docs/rules.md, section Drift). Nothing was ever written into the table of before.
-- fingerprint names what drifted and not the values. baseline_seq is the number of the read that the object is compared with,
-- checked_seq that of the read that told of it last, checked_by the operation run that compared. The values are those of
-- tenantatlas_domain::drift; an accepted_value that is empty while accepted is set is the absence of the object.
-- severity_rank is 0 for the most severe.
DROP TABLE findings;
CREATE TABLE findings (
    id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    finding_type TEXT NOT NULL,
    scope_key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    kind TEXT NOT NULL,
    subject_type TEXT NOT NULL,
    subject_external_id TEXT NOT NULL,
    item_id BLOB NOT NULL,
    related_item_id BLOB,
    display_name TEXT NOT NULL,
    severity TEXT NOT NULL,
    severity_rank BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('new', 'acknowledged')),
    reopened TEXT,
    baseline_run_id BLOB NOT NULL,
    baseline_seq BIGINT NOT NULL,
    current_run_id BLOB NOT NULL,
    checked_seq BIGINT NOT NULL,
    checked_by BLOB NOT NULL,
    current_value BLOB,
    accepted BOOLEAN NOT NULL DEFAULT FALSE,
    accepted_value BLOB,
    accepted_until BIGINT,
    accepted_evidence TEXT,
    acknowledged_by BLOB,
    acknowledged_by_name TEXT,
    acknowledged_at BIGINT,
    acknowledged_reason TEXT,
    evidence TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    since_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    resolved_at BIGINT,
    UNIQUE (tenant_id, fingerprint)
);
CREATE INDEX findings_open ON findings (tenant_id, scope_key, severity_rank, since_at DESC, item_id, id)
    WHERE resolved_at IS NULL;
CREATE INDEX findings_by_item ON findings (tenant_id, item_id);
CREATE INDEX findings_by_related ON findings (tenant_id, related_item_id) WHERE related_item_id IS NOT NULL;

-- What each comparison of two runs came to, with what could not be compared.
CREATE TABLE drift_comparisons (
    operation_run_id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    scope_key TEXT NOT NULL,
    baseline_run_id BLOB,
    current_run_id BLOB NOT NULL,
    pinned BOOLEAN NOT NULL,
    not_comparable TEXT NOT NULL,
    counts TEXT NOT NULL,
    finished_at BIGINT NOT NULL
);
CREATE INDEX drift_comparisons_by_scope ON drift_comparisons (tenant_id, scope_key, finished_at);

-- What follows each sync of the tenant: a comparison with the run before it, a capture of what is new or changed, a reading of
-- the audit logs of Microsoft.
ALTER TABLE tenants ADD COLUMN drift_after_sync BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE tenants ADD COLUMN capture_after_sync BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE tenants ADD COLUMN audit_events_after_sync BOOLEAN NOT NULL DEFAULT FALSE;

-- The run that a person wants a scope compared with; the one before the latest where there is none.
ALTER TABLE inventory_scopes ADD COLUMN drift_baseline_run_id BLOB;

-- How much a change of a type matters, where the tenant says otherwise than tenantatlas_domain::drift::default_severity.
CREATE TABLE drift_severities (
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    policy_type TEXT NOT NULL,
    severity TEXT NOT NULL,
    PRIMARY KEY (tenant_id, policy_type)
) WITHOUT ROWID;

-- Which version an object was found to be while the inventory knew it by a content: what leads from a finding to the two
-- versions that tell what it is about.
CREATE TABLE policy_version_items (
    version_id BLOB NOT NULL REFERENCES policy_versions (id),
    item_hash BLOB NOT NULL,
    tenant_id BLOB NOT NULL,
    PRIMARY KEY (version_id, item_hash)
) WITHOUT ROWID;
CREATE INDEX policy_version_items_by_hash ON policy_version_items (tenant_id, item_hash);
INSERT INTO policy_version_items (version_id, item_hash, tenant_id) SELECT version_id, item_hash, tenant_id FROM policy_heads;
