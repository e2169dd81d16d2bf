-- A link may invite somebody. SQLite cannot relax a constraint: the table is made anew, with its rows.
CREATE TABLE one_time_links_anew (
    token_hash BLOB NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('first_administrator', 'set_password', 'invitation')),
    user_id BLOB REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
INSERT INTO one_time_links_anew (token_hash, purpose, user_id, created_at, expires_at, used_at)
SELECT token_hash, purpose, user_id, created_at, expires_at, used_at FROM one_time_links;
DROP TABLE one_time_links;
ALTER TABLE one_time_links_anew RENAME TO one_time_links;

-- To what a link invites: a membership for whoever makes the account of this address. It goes with its link, and with who
-- invited; invited_by is NULL for the command line. One per tenant and address.
CREATE TABLE invitations (
    id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL UNIQUE REFERENCES one_time_links (token_hash) ON DELETE CASCADE,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('readonly', 'operator', 'manager', 'owner')),
    invited_by BLOB REFERENCES users (id) ON DELETE CASCADE,
    UNIQUE (tenant_id, email_key)
);
CREATE INDEX invitations_by_inviter ON invitations (invited_by);
