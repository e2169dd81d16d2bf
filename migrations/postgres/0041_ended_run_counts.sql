-- How many runs of each operation of a tenant have ended in each state: of a long history, counting them takes longer than
-- all else of a page. Those that have not ended are few and counted when somebody asks.
CREATE TABLE ended_run_counts (
    tenant_id UUID NOT NULL,
    resource TEXT NOT NULL,
    action TEXT NOT NULL,
    status TEXT NOT NULL,
    runs BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, resource, action, status)
) WITH (fillfactor = 50);

-- Nobody may end a run between the counting and the trigger.
LOCK TABLE bulk_operation_runs IN SHARE ROW EXCLUSIVE MODE;

INSERT INTO ended_run_counts (tenant_id, resource, action, status, runs)
SELECT tenant_id, resource, action, status, COUNT(*)
FROM bulk_operation_runs
WHERE status NOT IN ('pending', 'running')
GROUP BY tenant_id, resource, action, status;

CREATE FUNCTION count_ended_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.status NOT IN ('pending', 'running') THEN
        UPDATE ended_run_counts
        SET runs = runs - 1
        WHERE tenant_id = OLD.tenant_id AND resource = OLD.resource AND action = OLD.action AND status = OLD.status;
        IF TG_OP = 'DELETE' THEN
            DELETE FROM ended_run_counts
            WHERE tenant_id = OLD.tenant_id AND resource = OLD.resource AND action = OLD.action AND status = OLD.status
                AND runs <= 0;
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.status NOT IN ('pending', 'running') THEN
        INSERT INTO ended_run_counts (tenant_id, resource, action, status, runs)
        VALUES (NEW.tenant_id, NEW.resource, NEW.action, NEW.status, 1)
        ON CONFLICT (tenant_id, resource, action, status) DO UPDATE SET runs = ended_run_counts.runs + 1;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER bulk_operation_runs_inserted AFTER INSERT ON bulk_operation_runs
FOR EACH ROW WHEN (NEW.status NOT IN ('pending', 'running')) EXECUTE FUNCTION count_ended_run();

CREATE TRIGGER bulk_operation_runs_ended AFTER UPDATE OF status ON bulk_operation_runs
FOR EACH ROW WHEN (NEW.status <> OLD.status AND (NEW.status NOT IN ('pending', 'running') OR OLD.status NOT IN ('pending', 'running')))
EXECUTE FUNCTION count_ended_run();

CREATE TRIGGER bulk_operation_runs_deleted AFTER DELETE ON bulk_operation_runs
FOR EACH ROW WHEN (OLD.status NOT IN ('pending', 'running')) EXECUTE FUNCTION count_ended_run();
