-- When each unit of a run was worked on, of operations that keep nothing else of their units.
CREATE TABLE operation_run_units (
    run_id UUID NOT NULL REFERENCES bulk_operation_runs (id) ON DELETE CASCADE,
    unit TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    PRIMARY KEY (run_id, unit),
    CHECK (finished_at >= started_at)
);
