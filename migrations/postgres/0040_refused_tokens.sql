-- Refusals of tokens that were told in the audit log within the hour, with how many more there were since: one row for the same
-- refusal of a token, so that a program which goes on with a token that is worth nothing does not fill the log.
CREATE TABLE api_token_refusals (
    id UUID NOT NULL PRIMARY KEY,
    token_id UUID NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    tenant_id UUID REFERENCES tenants (id) ON DELETE CASCADE,
    action TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    told_at BIGINT NOT NULL,
    counted BIGINT NOT NULL CHECK (counted >= 0)
);
CREATE INDEX api_token_refusals_by_token ON api_token_refusals (token_id);
CREATE INDEX api_token_refusals_by_tenant ON api_token_refusals (tenant_id);
CREATE INDEX api_token_refusals_by_age ON api_token_refusals (told_at);

