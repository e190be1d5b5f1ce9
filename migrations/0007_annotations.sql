-- What an adapter alone knows of a person; it goes with the person.

CREATE TABLE adapter_annotation (
    person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
    adapter TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (person, adapter)
) STRICT, WITHOUT ROWID;
