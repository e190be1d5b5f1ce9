-- One log of what happened. An entry's details are in the table of its kind, under the same number.

CREATE TABLE entry (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    -- record | correction | behaviour | opening | notice
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    camera INTEGER
) STRICT;

-- The rowid ends every index entry: "the next of a kind" is read straight from here.
CREATE INDEX entry_by_kind ON entry (kind);
CREATE INDEX entry_by_time ON entry (at);

-- Nothing has ever captured bodies, which were to be records of another kind. Foreign keys are off while the database migrates, so each table loses its own.
DELETE FROM sighting WHERE record IN (SELECT seq FROM record WHERE kind = 'body');
DELETE FROM record_match WHERE record IN (SELECT seq FROM record WHERE kind = 'body');
DELETE FROM record_capture WHERE record IN (SELECT seq FROM record WHERE kind = 'body');
DELETE FROM record WHERE kind = 'body';

INSERT INTO entry (seq, kind, at, camera) SELECT seq, 'record', captured_at, camera FROM record ORDER BY seq;
DELETE FROM sqlite_sequence WHERE name = 'entry';
INSERT INTO sqlite_sequence (name, seq)
SELECT 'entry', coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'record'), 0);

-- What is searched of a record (short rows, read while filtering); what is only shown is in record_capture.
-- accepted and best_* repeat the answer of the record's first watch (record_match at position 0). Records never
-- change, so the copy cannot go stale, and one index serves each filter in the order of the answer, without a join.
CREATE TABLE new_record (
    seq INTEGER PRIMARY KEY REFERENCES entry ON DELETE CASCADE,
    capture BLOB NOT NULL UNIQUE,
    captured_at INTEGER NOT NULL,
    camera INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    best_person INTEGER,
    best_library INTEGER,
    best_library_folded TEXT,
    best_library_kind TEXT,
    crop BLOB NOT NULL,
    scene BLOB NOT NULL
) STRICT;

INSERT INTO new_record (seq, capture, captured_at, camera, verdict, accepted, best_person, best_library,
    best_library_folded, best_library_kind, crop, scene)
SELECT seq, capture, captured_at, camera, verdict, accepted, best_person, best_library,
    best_library_folded, best_library_kind, crop, scene
FROM record ORDER BY seq;

DROP TABLE record;
ALTER TABLE new_record RENAME TO record;

CREATE INDEX record_by_time ON record (captured_at);
CREATE INDEX record_by_camera ON record (camera, captured_at);
CREATE INDEX record_by_verdict ON record (verdict, captured_at);
CREATE INDEX record_by_acceptance ON record (captured_at) WHERE accepted = 1;
CREATE INDEX record_by_person ON record (best_person, captured_at) WHERE best_person IS NOT NULL;
CREATE INDEX record_by_library ON record (best_library, captured_at) WHERE best_library IS NOT NULL;
CREATE INDEX record_by_library_name ON record (best_library_folded, captured_at) WHERE best_library_folded IS NOT NULL;
CREATE INDEX record_by_library_kind ON record (best_library_kind, captured_at) WHERE best_library_kind IS NOT NULL;
CREATE INDEX record_by_crop ON record (crop);
CREATE INDEX record_by_scene ON record (scene);

-- A record shows somebody else: person, or nobody enrolled (NULL). The person is as named then: no reference.
CREATE TABLE correction (
    entry INTEGER PRIMARY KEY REFERENCES entry ON DELETE CASCADE,
    record INTEGER NOT NULL,
    person INTEGER,
    person_code TEXT,
    person_name TEXT,
    actor TEXT NOT NULL
) STRICT;

CREATE INDEX correction_by_record ON correction (record);

-- A rule over moving objects fired or recovered.
CREATE TABLE behaviour (
    entry INTEGER PRIMARY KEY REFERENCES entry ON DELETE CASCADE,
    capture BLOB NOT NULL UNIQUE,
    -- Of the entry, for the indexes.
    at INTEGER NOT NULL,
    camera INTEGER NOT NULL,
    camera_name TEXT NOT NULL,
    camera_position TEXT NOT NULL,
    -- line
    kind TEXT NOT NULL,
    rule TEXT NOT NULL,
    fired INTEGER NOT NULL,
    -- person | vehicle
    object TEXT NOT NULL,
    -- Left, top, right and bottom of each.
    targets BLOB NOT NULL,
    quality INTEGER NOT NULL,
    count INTEGER NOT NULL,
    -- As named then: no reference. NULL: nobody known.
    person INTEGER,
    person_code TEXT,
    person_name TEXT,
    crop BLOB NOT NULL,
    scene BLOB NOT NULL
) STRICT;

CREATE INDEX behaviour_by_time ON behaviour (object, at);
CREATE INDEX behaviour_by_camera ON behaviour (object, camera, at);
CREATE INDEX behaviour_by_crop ON behaviour (crop);
CREATE INDEX behaviour_by_scene ON behaviour (scene);

CREATE TABLE opening (
    entry INTEGER PRIMARY KEY REFERENCES entry ON DELETE CASCADE,
    -- Of the entry: retention removes openings for people by age.
    at INTEGER NOT NULL,
    -- own | controller | the address of a relay
    door TEXT NOT NULL,
    opened INTEGER NOT NULL,
    -- As named then: no reference. NULL: nobody known.
    person INTEGER,
    person_code TEXT,
    person_name TEXT,
    -- face | card | code | document | face_and_card | face_and_document | command
    means TEXT NOT NULL,
    actor TEXT NOT NULL,
    why TEXT NOT NULL
) STRICT;

CREATE INDEX opening_for_person ON opening (at) WHERE person IS NOT NULL;

CREATE TABLE notice (
    entry INTEGER PRIMARY KEY REFERENCES entry ON DELETE CASCADE,
    -- camera | storage | reader | feed
    topic TEXT NOT NULL,
    subject TEXT NOT NULL,
    raised INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT;

-- What does not work now. Outlives the entry that says so, which retention may remove.
CREATE TABLE standing_notice (
    topic TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (topic, subject)
) STRICT, WITHOUT ROWID;

-- Openings that the MQTT platform had still to confirm were kept as jobs: "milliseconds" of a command, or
-- "milliseconds person otype". They follow all records.
CREATE TABLE waiting_opening AS
SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'entry') + row_number() OVER (ORDER BY id) AS entry,
    CAST(about AS INTEGER) AS at,
    iif(instr(about, ' ') = 0, NULL, CAST(substr(about, instr(about, ' ') + 1) AS INTEGER)) AS person,
    CAST(substr(about, instr(about, ' ') + 1 + instr(substr(about, instr(about, ' ') + 1), ' ')) AS INTEGER) AS otype
FROM adapter_job WHERE adapter = 'terminal openings';

INSERT INTO entry (seq, kind, at) SELECT entry, 'opening', at FROM waiting_opening ORDER BY entry;
INSERT INTO opening (entry, at, door, opened, person, person_code, person_name, means, actor, why)
SELECT entry, at, 'own', 1, person.id, person.code, person.name,
    CASE
        WHEN waiting_opening.person IS NULL THEN 'command'
        WHEN otype IN (22, 25) THEN 'face_and_card'
        WHEN otype = 3 THEN 'face_and_document'
        ELSE 'card'
    END,
    'terminal', ''
FROM waiting_opening LEFT JOIN person ON person.id = waiting_opening.person;

DROP TABLE waiting_opening;
DELETE FROM adapter_job WHERE adapter = 'terminal openings';
