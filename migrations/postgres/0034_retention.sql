-- How long is kept what has ended, in days: one row. Audit entries are kept.
CREATE TABLE retention (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    run_days BIGINT NOT NULL CHECK (run_days BETWEEN 1 AND 3650),
    notification_days BIGINT NOT NULL CHECK (notification_days BETWEEN 1 AND 3650),
    version_days BIGINT NOT NULL CHECK (version_days BETWEEN 1 AND 3650)
);
INSERT INTO retention (id, run_days, notification_days, version_days) VALUES (1, 180, 90, 365);
-- When a tenant is due to be pruned next; taken by comparing, so that one node starts it.
CREATE TABLE retention_dues (
    tenant_id UUID NOT NULL PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
    due_at BIGINT NOT NULL
);
CREATE INDEX retention_dues_by_time ON retention_dues (due_at);
CREATE INDEX notifications_by_age ON notifications (created_at);
