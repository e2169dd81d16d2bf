-- What the audit logs of Microsoft told of who changed what: facts that are listed here and nothing else, above all no value
-- of a property. Removed after 400 days, and with their tenant.
CREATE TABLE audit_events (
    tenant_id BLOB NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('intune', 'entra')),
    event_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    activity TEXT NOT NULL,
    operation TEXT NOT NULL,
    correlation_id TEXT,
    user_id TEXT,
    user_name TEXT,
    application_id TEXT,
    application_name TEXT,
    objects TEXT NOT NULL,
    changed TEXT NOT NULL,
    PRIMARY KEY (tenant_id, source, event_id)
) WITHOUT ROWID;
CREATE INDEX audit_events_by_time ON audit_events (tenant_id, at, source, event_id);

-- The objects that an event names, for "what happened to this object between two moments". Ids are in lower case.
CREATE TABLE audit_event_objects (
    tenant_id BLOB NOT NULL,
    object_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, object_id, at, source, event_id)
) WITHOUT ROWID;
CREATE INDEX audit_event_objects_by_time ON audit_event_objects (tenant_id, at);

-- What is known of each log: the stretch of time of which every event was read, and why the last reading did not come to its
-- end, when it did not.
CREATE TABLE audit_event_sources (
    tenant_id BLOB NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('intune', 'entra')),
    read_from BIGINT,
    read_to BIGINT,
    reason_code TEXT,
    message TEXT,
    attempted_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, source),
    CHECK ((read_from IS NULL) = (read_to IS NULL))
) WITHOUT ROWID;

-- How each log went in a run.
CREATE TABLE audit_event_reads (
    operation_run_id BLOB NOT NULL REFERENCES bulk_operation_runs (id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (source IN ('intune', 'entra')),
    tenant_id BLOB NOT NULL,
    outcome TEXT CHECK (outcome IN ('succeeded', 'failed', 'skipped')),
    reason_code TEXT,
    message TEXT,
    events BIGINT NOT NULL DEFAULT 0,
    kept BIGINT NOT NULL DEFAULT 0,
    requests BIGINT NOT NULL DEFAULT 0,
    retries BIGINT NOT NULL DEFAULT 0,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    PRIMARY KEY (operation_run_id, source)
) WITHOUT ROWID;
