-- What a person is to know, persisted. The payload is structured and safe; text is made from it when shown.
CREATE TABLE notifications (
    id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    operation_run_id BLOB,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    read_at BIGINT
);
-- A step that is repeated after a crash tells a person only once.
CREATE UNIQUE INDEX notifications_once ON notifications (user_id, operation_run_id, kind) WHERE operation_run_id IS NOT NULL;
CREATE INDEX notifications_by_user ON notifications (user_id, created_at, id);
CREATE INDEX notifications_unread ON notifications (user_id, tenant_id) WHERE read_at IS NULL;
