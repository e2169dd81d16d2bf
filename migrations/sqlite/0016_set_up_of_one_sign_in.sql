-- A second factor that is set up at sign-in belongs to the sign-in that waits for it, and to no other of the same person:
-- whoever knows the password too must not see its secret and its recovery codes. Both are sealed. Where the sign-in came
-- from is kept for the notice to its person when the second step does not come; told says that there was one.
DELETE FROM pending_sign_ins;
ALTER TABLE pending_sign_ins ADD COLUMN set_up_secret BLOB;
ALTER TABLE pending_sign_ins ADD COLUMN set_up_codes BLOB;
ALTER TABLE pending_sign_ins ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE pending_sign_ins ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
ALTER TABLE pending_sign_ins ADD COLUMN told BOOLEAN NOT NULL DEFAULT FALSE;

-- What is shown of a second factor, secret or new recovery codes, is shown in the session that asked for it. What was begun
-- before begins anew.
ALTER TABLE second_factors ADD COLUMN shown_in BLOB;
DELETE FROM second_factors WHERE confirmed_at IS NULL;
UPDATE second_factors SET new_recovery_codes = NULL;
