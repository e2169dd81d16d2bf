-- When the person of a session last proved who they are; sensitive changes ask for it again after ten minutes. Sessions
-- from before are asked at the first such change.
ALTER TABLE web_sessions ADD COLUMN verified_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX web_sessions_by_idle_end ON web_sessions (idle_expires_at);

-- Sign-ins whose password was right and that wait for the second factor. They give no right: no query of sessions sees
-- them.
CREATE TABLE pending_sign_ins (
    token_hash BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX pending_sign_ins_by_user ON pending_sign_ins (user_id);
CREATE INDEX pending_sign_ins_by_end ON pending_sign_ins (expires_at);

-- Time-based one-time codes (RFC 6238). The secret is sealed for its person. A code of a step up to last_step does not
-- work any more. Recovery codes that are shown and not yet in force are sealed beside it.
CREATE TABLE second_factors (
    user_id BLOB NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret BLOB NOT NULL,
    new_recovery_codes BLOB,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    last_step BIGINT NOT NULL DEFAULT 0
);

-- Recovery codes in force, as keyed hashes. One that was used is gone.
CREATE TABLE recovery_codes (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);

-- Browsers in which a person has signed in, by the SHA-256 of a random cookie.
CREATE TABLE known_browsers (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, token_hash)
);
CREATE INDEX known_browsers_by_token ON known_browsers (token_hash);
CREATE INDEX known_browsers_by_use ON known_browsers (last_used_at);

-- A notification may be about the account of its person and no tenant. SQLite cannot relax a column: the table is made
-- anew, with its rows and indexes.
CREATE TABLE notifications_anew (
    id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant_id BLOB REFERENCES tenants (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    operation_run_id BLOB,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    read_at BIGINT
);
INSERT INTO notifications_anew (id, user_id, tenant_id, kind, operation_run_id, payload, created_at, read_at)
SELECT id, user_id, tenant_id, kind, operation_run_id, payload, created_at, read_at FROM notifications;
DROP TABLE notifications;
ALTER TABLE notifications_anew RENAME TO notifications;
CREATE UNIQUE INDEX notifications_once ON notifications (user_id, operation_run_id, kind) WHERE operation_run_id IS NOT NULL;
CREATE INDEX notifications_by_user ON notifications (user_id, created_at, id);
CREATE INDEX notifications_unread ON notifications (user_id, tenant_id) WHERE read_at IS NULL;
