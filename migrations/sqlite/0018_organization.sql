-- What the last check of the connection found out about the tenant: its name at Microsoft, and whether it has Intune.

ALTER TABLE tenants ADD COLUMN organization TEXT;
ALTER TABLE tenants ADD COLUMN licence TEXT;
