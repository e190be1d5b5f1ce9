-- Tasks: named watches over several cameras. Whom a task looks for and when is in its watch, which has no camera of its own.
CREATE TABLE task (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    watch INTEGER NOT NULL UNIQUE REFERENCES watch,
    created_at INTEGER NOT NULL,
    name TEXT NOT NULL UNIQUE,
    -- plain | roll_call | sign_in
    kind TEXT NOT NULL,
    remark TEXT NOT NULL
) STRICT;

CREATE TABLE task_camera (
    task INTEGER NOT NULL REFERENCES task ON DELETE CASCADE,
    -- entry | exit
    direction TEXT NOT NULL,
    position INTEGER NOT NULL,
    camera INTEGER NOT NULL REFERENCES camera,
    PRIMARY KEY (task, direction, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX task_camera_by_camera ON task_camera (camera);

-- What a match was made for; NULL: for the camera's own watch.
ALTER TABLE record_match ADD COLUMN task INTEGER;
ALTER TABLE record_match ADD COLUMN task_name TEXT;
ALTER TABLE record_match ADD COLUMN direction TEXT;
ALTER TABLE record_match ADD COLUMN category TEXT;

-- What is searched of the records of tasks: one short row for each match made for a task. person and what follows are
-- of the person recognised, similarity is the best candidate's. Like records they never change.
CREATE TABLE sighting (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record INTEGER NOT NULL REFERENCES record ON DELETE CASCADE,
    position INTEGER NOT NULL,
    captured_at INTEGER NOT NULL,
    task INTEGER NOT NULL,
    direction TEXT NOT NULL,
    camera INTEGER NOT NULL,
    similarity REAL NOT NULL,
    person INTEGER,
    library INTEGER,
    name TEXT,
    document_number TEXT
) STRICT;

CREATE INDEX sighting_by_record ON sighting (record);
CREATE INDEX sighting_by_time ON sighting (captured_at);
CREATE INDEX sighting_by_task ON sighting (task, captured_at);
CREATE INDEX sighting_by_camera ON sighting (camera, captured_at);
CREATE INDEX sighting_by_library ON sighting (library, captured_at) WHERE library IS NOT NULL;
CREATE INDEX sighting_by_document ON sighting (document_number, captured_at) WHERE document_number IS NOT NULL;
CREATE INDEX sighting_by_person ON sighting (task, person, captured_at) WHERE person IS NOT NULL;


-- Pictures that were kept for people who are still to be enrolled: until then nothing else names them.
CREATE TABLE kept_picture (
    picture BLOB PRIMARY KEY,
    kept_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A part of a name or phone number is looked for in every entry of this, and in no row of the table.
CREATE INDEX person_by_text ON person (created_at, id, name, phone, category);
