-- A link may invite somebody.
ALTER TABLE one_time_links DROP CONSTRAINT one_time_links_purpose_check;
ALTER TABLE one_time_links ADD CONSTRAINT one_time_links_purpose_check
    CHECK (purpose IN ('first_administrator', 'set_password', 'invitation'));

-- To what a link invites: a membership for whoever makes the account of this address. It goes with its link, and with who
-- invited; invited_by is NULL for the command line. One per tenant and address.
CREATE TABLE invitations (
    id UUID NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    token_hash BYTEA NOT NULL UNIQUE REFERENCES one_time_links (token_hash) ON DELETE CASCADE,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('readonly', 'operator', 'manager', 'owner')),
    invited_by UUID REFERENCES users (id) ON DELETE CASCADE,
    UNIQUE (tenant_id, email_key)
);
CREATE INDEX invitations_by_inviter ON invitations (invited_by);
