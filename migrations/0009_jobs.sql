-- Work that an adapter does item by item, and goes on with after a restart; gone when it is done and told of.

CREATE TABLE adapter_job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    adapter TEXT NOT NULL,
    about TEXT NOT NULL
) STRICT;

-- outcome: NULL until the item is done.
CREATE TABLE adapter_job_item (
    job INTEGER NOT NULL REFERENCES adapter_job ON DELETE CASCADE,
    place INTEGER NOT NULL,
    about TEXT NOT NULL,
    outcome TEXT,
    PRIMARY KEY (job, place)
) STRICT, WITHOUT ROWID;
