-- When the person of a session last proved who they are; sensitive changes ask for it again after ten minutes. Sessions
-- from before are asked at the first such change.
ALTER TABLE web_sessions ADD COLUMN verified_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX web_sessions_by_idle_end ON web_sessions (idle_expires_at);

-- Sign-ins whose password was right and that wait for the second factor. They give no right: no query of sessions sees
-- them.
CREATE TABLE pending_sign_ins (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX pending_sign_ins_by_user ON pending_sign_ins (user_id);
CREATE INDEX pending_sign_ins_by_end ON pending_sign_ins (expires_at);

-- Time-based one-time codes (RFC 6238). The secret is sealed for its person. A code of a step up to last_step does not
-- work any more. Recovery codes that are shown and not yet in force are sealed beside it.
CREATE TABLE second_factors (
    user_id UUID NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret BYTEA NOT NULL,
    new_recovery_codes BYTEA,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    last_step BIGINT NOT NULL DEFAULT 0
);

-- Recovery codes in force, as keyed hashes. One that was used is gone.
CREATE TABLE recovery_codes (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);

-- Browsers in which a person has signed in, by the SHA-256 of a random cookie.
CREATE TABLE known_browsers (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, token_hash)
);
CREATE INDEX known_browsers_by_token ON known_browsers (token_hash);
CREATE INDEX known_browsers_by_use ON known_browsers (last_used_at);

-- A notification may be about the account of its person and no tenant.
ALTER TABLE notifications ALTER COLUMN tenant_id DROP NOT NULL;
