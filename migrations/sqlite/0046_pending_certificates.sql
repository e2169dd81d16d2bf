-- Certificates that were made here for a tenant that is to be added, until they are used: once, and only by the person for whom
-- they were made. The private key is sealed by the vault for that person and this row; the certificate is public.
CREATE TABLE pending_certificates (
    id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    certificate TEXT NOT NULL,
    private_key_sealed BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX pending_certificates_by_user ON pending_certificates (user_id);
CREATE INDEX pending_certificates_by_end ON pending_certificates (expires_at);
