-- What lists of runs are filtered by stands in the indexes of their order. `reasons` holds the codes of what was not done in a
-- run and of why it ended, between commas: ",license_missing,throttled,".
ALTER TABLE bulk_operation_runs ADD COLUMN reasons TEXT NOT NULL DEFAULT '';
ALTER TABLE bulk_operation_runs ADD COLUMN pauses JSONB NOT NULL DEFAULT '[]';
UPDATE bulk_operation_runs
SET reasons = COALESCE((
    SELECT ',' || string_agg(code, ',' ORDER BY code) || ','
    FROM (
        SELECT f.value ->> 'reason_code' AS code FROM jsonb_array_elements(bulk_operation_runs.failures) f
        UNION
        SELECT bulk_operation_runs.reason_code) codes
    WHERE code IS NOT NULL), '');
DROP INDEX bulk_operation_runs_by_tenant;
DROP INDEX bulk_operation_runs_by_age;
CREATE INDEX bulk_operation_runs_by_tenant
    ON bulk_operation_runs (tenant_id, created_at, id) INCLUDE (status, resource, action, user_id, reasons);
CREATE INDEX bulk_operation_runs_by_age
    ON bulk_operation_runs (created_at, id) INCLUDE (tenant_id, status, resource, action, user_id, reasons);
-- What became of each attempt at a run. Runs of before tell only how many there were.
CREATE TABLE operation_run_attempts (
    run_id UUID NOT NULL REFERENCES bulk_operation_runs (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    began_at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_by TEXT CHECK (ended_by IN ('end', 'given_back', 'worker_lost')),
    PRIMARY KEY (run_id, attempt),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
-- Whether options of settings were called otherwise meanwhile is asked by whatever makes settings searchable.
CREATE INDEX setting_definitions_by_options ON setting_definitions (options_at);
