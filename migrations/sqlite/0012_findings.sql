-- Persisted results of analysis; the first kind is drift between two sync runs (product rules, section Drift findings).
CREATE TABLE findings (
    id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    finding_type TEXT NOT NULL,
    scope_key TEXT NOT NULL,
    baseline_run_id BLOB,
    current_run_id BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    subject_type TEXT NOT NULL,
    subject_external_id TEXT NOT NULL,
    severity TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('new', 'acknowledged')),
    acknowledged_by BLOB,
    acknowledged_at BIGINT,
    acknowledged_reason TEXT,
    evidence TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    resolved_at BIGINT,
    UNIQUE (tenant_id, fingerprint)
);
CREATE INDEX findings_by_scope ON findings (tenant_id, scope_key, status, id);
