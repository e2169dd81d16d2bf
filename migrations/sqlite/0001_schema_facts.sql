-- Facts about the database itself: which key file its secrets were sealed with, and such.
CREATE TABLE schema_facts (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
