-- How many runs of each operation of a tenant have ended in each state: of a long history, counting them takes longer than
-- all else of a page. Those that have not ended are few and counted when somebody asks.
CREATE TABLE ended_run_counts (
    tenant_id BLOB NOT NULL,
    resource TEXT NOT NULL,
    action TEXT NOT NULL,
    status TEXT NOT NULL,
    runs BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, resource, action, status)
) WITHOUT ROWID;

INSERT INTO ended_run_counts (tenant_id, resource, action, status, runs)
SELECT tenant_id, resource, action, status, COUNT(*)
FROM bulk_operation_runs
WHERE status NOT IN ('pending', 'running')
GROUP BY tenant_id, resource, action, status;

CREATE TRIGGER bulk_operation_runs_inserted AFTER INSERT ON bulk_operation_runs
WHEN NEW.status NOT IN ('pending', 'running')
BEGIN
    INSERT INTO ended_run_counts (tenant_id, resource, action, status, runs)
    VALUES (NEW.tenant_id, NEW.resource, NEW.action, NEW.status, 1)
    ON CONFLICT (tenant_id, resource, action, status) DO UPDATE SET runs = runs + 1;
END;

CREATE TRIGGER bulk_operation_runs_ended AFTER UPDATE OF status ON bulk_operation_runs
WHEN NEW.status <> OLD.status AND NEW.status NOT IN ('pending', 'running')
BEGIN
    INSERT INTO ended_run_counts (tenant_id, resource, action, status, runs)
    VALUES (NEW.tenant_id, NEW.resource, NEW.action, NEW.status, 1)
    ON CONFLICT (tenant_id, resource, action, status) DO UPDATE SET runs = runs + 1;
END;

CREATE TRIGGER bulk_operation_runs_begun_again AFTER UPDATE OF status ON bulk_operation_runs
WHEN NEW.status <> OLD.status AND OLD.status NOT IN ('pending', 'running')
BEGIN
    UPDATE ended_run_counts
    SET runs = runs - 1
    WHERE tenant_id = OLD.tenant_id AND resource = OLD.resource AND action = OLD.action AND status = OLD.status;
END;

CREATE TRIGGER bulk_operation_runs_deleted AFTER DELETE ON bulk_operation_runs
WHEN OLD.status NOT IN ('pending', 'running')
BEGIN
    UPDATE ended_run_counts
    SET runs = runs - 1
    WHERE tenant_id = OLD.tenant_id AND resource = OLD.resource AND action = OLD.action AND status = OLD.status;
    DELETE FROM ended_run_counts
    WHERE tenant_id = OLD.tenant_id AND resource = OLD.resource AND action = OLD.action AND status = OLD.status
        AND runs <= 0;
END;
