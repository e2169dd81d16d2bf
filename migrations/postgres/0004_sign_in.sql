-- Sessions of the web application. Only the SHA-256 of a token is kept: who reads the table cannot sign in with it.
CREATE TABLE web_sessions (
    id UUID NOT NULL PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    idle_expires_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    user_agent TEXT NOT NULL,
    address TEXT NOT NULL
);
CREATE INDEX web_sessions_by_user ON web_sessions (user_id, last_used_at);
CREATE INDEX web_sessions_by_end ON web_sessions (expires_at);

-- Links that work once: the first administrator, an invitation, a new password.
CREATE TABLE one_time_links (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('first_administrator', 'set_password')),
    user_id UUID REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

-- Failed sign-ins per account and per address (a keyed hash of either), to slow guessing down.
CREATE TABLE sign_in_attempts (
    subject BYTEA NOT NULL PRIMARY KEY,
    window_started_at BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL
);
