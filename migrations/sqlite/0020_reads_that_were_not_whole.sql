-- An object that came twice while a list was read: the list changed meanwhile, and another object may not have come at all.
-- What was not seen then is missing with low confidence.
ALTER TABLE inventory_sync_run_types ADD COLUMN unsteady BOOLEAN NOT NULL DEFAULT FALSE;

-- Why the directory told no name when it was asked last: 'gone' or 'refused'.
ALTER TABLE directory_names ADD COLUMN unnamed TEXT;
