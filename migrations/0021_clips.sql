-- Videos of behaviours, and the faces in them.

-- Whether the faces of people who fire the rule are compared.
ALTER TABLE rule ADD COLUMN identify INTEGER NOT NULL DEFAULT 0;
-- Time that a clip shows before and after. NULL: no clips.
ALTER TABLE rule ADD COLUMN clip_before_ms INTEGER;
ALTER TABLE rule ADD COLUMN clip_after_ms INTEGER;

-- awaited | stored | lost. NULL: none was asked for. Changes once, with the entry of the clip.
ALTER TABLE behaviour ADD COLUMN clip TEXT;
ALTER TABLE behaviour ADD COLUMN video BLOB;
CREATE INDEX behaviour_awaiting_clip ON behaviour (entry) WHERE clip = 'awaited';
CREATE INDEX behaviour_by_video ON behaviour (video) WHERE video IS NOT NULL;

-- No rule has ever asked for a person.
ALTER TABLE behaviour DROP COLUMN person;
ALTER TABLE behaviour DROP COLUMN person_code;
ALTER TABLE behaviour DROP COLUMN person_name;

-- The clip of a behaviour was stored or lost: the behaviour says which. Removed with it.
CREATE TABLE clip (
    entry INTEGER PRIMARY KEY REFERENCES entry ON DELETE CASCADE,
    behaviour INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX clip_by_behaviour ON clip (behaviour);

-- Faces of a behaviour that were compared. The person is as stored then: no reference.
CREATE TABLE behaviour_match (
    behaviour INTEGER NOT NULL REFERENCES behaviour ON DELETE CASCADE,
    -- Place among the targets.
    target INTEGER NOT NULL,
    face_gender TEXT,
    face_age REAL,
    face_expression TEXT,
    threshold REAL NOT NULL,
    accepted INTEGER NOT NULL,
    person INTEGER NOT NULL,
    code TEXT NOT NULL,
    library INTEGER NOT NULL,
    library_name TEXT NOT NULL,
    library_kind TEXT NOT NULL,
    similarity REAL NOT NULL,
    name TEXT NOT NULL,
    gender TEXT,
    age INTEGER,
    category TEXT NOT NULL,
    document_number TEXT NOT NULL,
    address TEXT NOT NULL,
    photo BLOB NOT NULL,
    enrolled_at INTEGER NOT NULL,
    PRIMARY KEY (behaviour, target)
) STRICT, WITHOUT ROWID;
