-- What is started by the clock. One row a tenant; those that were made together for many tenants share `group_id`, and each of
-- them starts `offset_ms` after the times of the pattern. Patterns and zones are read by the program, so that the next time is
-- kept. `due_local` is the local minute that `due_at` stands for.
CREATE TABLE schedules (
    id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    group_id BLOB,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    resource TEXT NOT NULL,
    action TEXT NOT NULL,
    options TEXT NOT NULL,
    cron TEXT NOT NULL,
    zone TEXT NOT NULL,
    spread_minutes BIGINT NOT NULL,
    offset_ms BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'stopped')),
    stopped_because TEXT,
    -- Whose rights count. A person who is removed leaves none.
    by_person BOOLEAN NOT NULL,
    created_by BLOB REFERENCES users (id) ON DELETE SET NULL,
    creator TEXT NOT NULL,
    period_ms BIGINT NOT NULL,
    due_at BIGINT,
    due_local TEXT,
    last_run_id BLOB,
    last_started_at BIGINT,
    -- Whether what became of the last run is known.
    settled BOOLEAN NOT NULL,
    last_succeeded_at BIGINT,
    counted_from BIGINT NOT NULL,
    overdue_told_at BIGINT,
    trouble TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (tenant_id, name_key),
    CHECK ((state = 'active') = (due_at IS NOT NULL))
);
CREATE INDEX schedules_due ON schedules (due_at) WHERE state = 'active';
CREATE INDEX schedules_unsettled ON schedules (last_run_id) WHERE settled = FALSE;
CREATE INDEX schedules_by_creator ON schedules (created_by);
-- The schedule that started a run, or the run that it follows. A schedule that is removed leaves its runs.
ALTER TABLE bulk_operation_runs ADD COLUMN schedule_id BLOB;
DROP INDEX bulk_operation_runs_by_tenant;
DROP INDEX bulk_operation_runs_by_age;
CREATE INDEX bulk_operation_runs_by_tenant
    ON bulk_operation_runs (tenant_id, created_at, id, status, resource, action, user_id, schedule_id, reasons);
CREATE INDEX bulk_operation_runs_by_age
    ON bulk_operation_runs (created_at, id, tenant_id, status, resource, action, user_id, schedule_id, reasons);
