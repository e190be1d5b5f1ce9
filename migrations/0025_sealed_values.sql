-- What identifies people and what other systems trust the device with is stored sealed (store/seal/): names, numbers,
-- addresses, codes, notes, values of adapters, settings. A column `sealed` has the former columns of its row in one
-- value, in the order given here. Columns ending in _key are keyed hashes of values that are looked up exactly.
-- `sealed`, `fields` and `keyed` are functions of the program (store/seal/sql.rs) that exist while it migrates.
-- Templates and picture files are sealed after this step, a few at a time.

CREATE TABLE sealed_person (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    code_key BLOB NOT NULL UNIQUE,
    photo BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Of the folded name.
    name_key BLOB NOT NULL,
    gender TEXT,
    age INTEGER,
    document_key BLOB NOT NULL,
    address_key BLOB NOT NULL,
    category TEXT NOT NULL,
    -- permanent | between (valid_from, valid_to) | daily (daily_from, daily_to, first_day, last_day) | uses (uses_left)
    validity TEXT NOT NULL,
    valid_from INTEGER,
    valid_to INTEGER,
    daily_from TEXT,
    daily_to TEXT,
    first_day TEXT,
    last_day TEXT,
    uses_left INTEGER,
    -- enrolled | pending | failed
    enrolment TEXT NOT NULL,
    -- bad_picture | no_face | many_faces | low_quality
    photo_fault TEXT,
    -- code, name, birth_date, document_kind, document_number, phone, email, address, native_place, ethnic_group, remark
    sealed BLOB NOT NULL
) STRICT;

INSERT INTO sealed_person
SELECT id, keyed('code', code), photo, created_at, updated_at, keyed('name', name_folded), gender, age,
    keyed('document', document_number), keyed('address', address), category,
    validity, valid_from, valid_to, daily_from, daily_to, first_day, last_day, uses_left, enrolment, photo_fault,
    sealed('person', id, '', fields(code, name, birth_date, document_kind, document_number, phone, email, address,
        native_place, ethnic_group, remark))
FROM person ORDER BY id;
-- A deleted person's number is not used again.
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'person')
WHERE name = 'sealed_person' AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'person');
INSERT INTO sqlite_sequence (name, seq) SELECT 'sealed_person', seq FROM sqlite_sequence
WHERE name = 'person' AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'sealed_person');
DROP TABLE person;
ALTER TABLE sealed_person RENAME TO person;

CREATE INDEX person_by_creation ON person (created_at);
CREATE INDEX person_by_name ON person (name_key, created_at);
CREATE INDEX person_by_document ON person (document_key, created_at);
CREATE INDEX person_by_address ON person (address_key, created_at);
CREATE INDEX person_by_gender ON person (gender, created_at);
CREATE INDEX person_by_age ON person (age, created_at);
CREATE INDEX person_by_photo ON person (photo);
CREATE INDEX person_by_enrolment ON person (enrolment, created_at);

CREATE TRIGGER note_of_person AFTER DELETE ON person BEGIN
    DELETE FROM note WHERE thing = 'person' AND id = OLD.id;
END;
CREATE TRIGGER erasure_of_person AFTER DELETE ON person BEGIN
    INSERT OR IGNORE INTO erasure (person) VALUES (OLD.id);
END;

-- Counts the changes of what people are searched by in part, so that opened texts in memory can be told from outdated
-- ones.
CREATE TABLE text_generation (
    value INTEGER NOT NULL
) STRICT;
INSERT INTO text_generation (value) VALUES (0);
CREATE TRIGGER text_inserted AFTER INSERT ON person BEGIN UPDATE text_generation SET value = value + 1; END;
CREATE TRIGGER text_updated AFTER UPDATE OF sealed ON person BEGIN UPDATE text_generation SET value = value + 1; END;
CREATE TRIGGER text_deleted AFTER DELETE ON person BEGIN UPDATE text_generation SET value = value + 1; END;

CREATE TABLE sealed_card (
    number_key BLOB NOT NULL PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
    position INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO sealed_card
SELECT keyed('card', number), person, position, sealed('person_card', person, position, number) FROM person_card;
DROP TABLE person_card;
ALTER TABLE sealed_card RENAME TO person_card;
CREATE INDEX person_card_by_person ON person_card (person, position);

-- A person as known when something happened; entries of the log refer to it. One row for each different content, which
-- `fingerprint` (keyed) finds. Removed with the person.
CREATE TABLE candidate (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint BLOB NOT NULL UNIQUE,
    person INTEGER NOT NULL,
    -- code, name, document_number, address
    sealed BLOB NOT NULL
) STRICT;

INSERT OR IGNORE INTO candidate (fingerprint, person, sealed)
SELECT keyed('candidate ' || person, fields(code, name, document_number, address)), person,
    sealed('candidate', person, '', fields(code, name, document_number, address))
FROM record_match WHERE person > 0;
INSERT OR IGNORE INTO candidate (fingerprint, person, sealed)
SELECT keyed('candidate ' || person, fields(code, name, document_number, address)), person,
    sealed('candidate', person, '', fields(code, name, document_number, address))
FROM behaviour_match WHERE person > 0;
CREATE INDEX candidate_by_person ON candidate (person);

CREATE TABLE sealed_match (
    record INTEGER NOT NULL REFERENCES record ON DELETE CASCADE,
    position INTEGER NOT NULL,
    watch INTEGER NOT NULL,
    threshold REAL NOT NULL,
    -- NULL, like all that follows up to enrolled_at, when the libraries of the watch were empty; 0: erased.
    person INTEGER,
    -- NULL: erased.
    candidate INTEGER,
    library INTEGER,
    library_name TEXT,
    library_kind TEXT,
    similarity REAL,
    gender TEXT,
    age INTEGER,
    category TEXT,
    photo BLOB,
    enrolled_at INTEGER,
    -- What the match was made for; NULL: for the camera's own watch.
    task INTEGER,
    task_name TEXT,
    direction TEXT,
    PRIMARY KEY (record, position)
) STRICT, WITHOUT ROWID;
INSERT INTO sealed_match
SELECT record, position, watch, threshold, person,
    CASE WHEN m.person > 0 THEN (
        SELECT id FROM candidate
        WHERE fingerprint = keyed('candidate ' || m.person, fields(m.code, m.name, m.document_number, m.address))) END,
    library, library_name, library_kind, similarity, gender, age, category, photo, enrolled_at,
    task, task_name, direction
FROM record_match AS m ORDER BY record, position;
DROP TABLE record_match;
ALTER TABLE sealed_match RENAME TO record_match;
CREATE INDEX record_match_by_person ON record_match (person) WHERE person > 0;

CREATE TABLE sealed_comparison (
    behaviour INTEGER NOT NULL REFERENCES behaviour ON DELETE CASCADE,
    -- Place among the targets.
    target INTEGER NOT NULL,
    face_gender TEXT,
    face_age REAL,
    face_expression TEXT,
    threshold REAL NOT NULL,
    accepted INTEGER NOT NULL,
    person INTEGER NOT NULL,
    candidate INTEGER,
    library INTEGER NOT NULL,
    library_name TEXT NOT NULL,
    library_kind TEXT NOT NULL,
    similarity REAL NOT NULL,
    gender TEXT,
    age INTEGER,
    category TEXT NOT NULL,
    photo BLOB NOT NULL,
    enrolled_at INTEGER NOT NULL,
    PRIMARY KEY (behaviour, target)
) STRICT, WITHOUT ROWID;
INSERT INTO sealed_comparison
SELECT behaviour, target, face_gender, face_age, face_expression, threshold, accepted, person,
    CASE WHEN m.person > 0 THEN (
        SELECT id FROM candidate
        WHERE fingerprint = keyed('candidate ' || m.person, fields(m.code, m.name, m.document_number, m.address))) END,
    library, library_name, library_kind, similarity, gender, age, category, photo, enrolled_at
FROM behaviour_match AS m;
DROP TABLE behaviour_match;
ALTER TABLE sealed_comparison RENAME TO behaviour_match;
CREATE INDEX behaviour_match_by_person ON behaviour_match (person) WHERE person > 0;

-- The person recognised: the match's, for those who were.
ALTER TABLE sighting ADD COLUMN candidate INTEGER;
ALTER TABLE sighting ADD COLUMN document_key BLOB;
DROP INDEX sighting_by_document;
UPDATE sighting SET
    candidate = (SELECT candidate FROM record_match AS m WHERE m.record = sighting.record AND m.position = sighting.position),
    document_key = keyed('document', document_number)
WHERE person IS NOT NULL;
ALTER TABLE sighting DROP COLUMN name_folded;
ALTER TABLE sighting DROP COLUMN document_number;
CREATE INDEX sighting_by_document ON sighting (document_key, captured_at) WHERE document_key IS NOT NULL;

-- code, name; NULL: nobody known, or erased.
ALTER TABLE opening ADD COLUMN sealed BLOB;
UPDATE opening SET sealed = sealed('opening', entry, '', fields(person_code, person_name)) WHERE person > 0;
ALTER TABLE opening DROP COLUMN person_code;
ALTER TABLE opening DROP COLUMN person_name;
ALTER TABLE correction ADD COLUMN sealed BLOB;
UPDATE correction SET sealed = sealed('correction', entry, '', fields(person_code, person_name)) WHERE person > 0;
ALTER TABLE correction DROP COLUMN person_code;
ALTER TABLE correction DROP COLUMN person_name;

-- url, device_user, device_password
ALTER TABLE camera ADD COLUMN sealed BLOB NOT NULL DEFAULT x'';
UPDATE camera SET sealed = sealed('camera', id, '', fields(url, device_user, device_password));
ALTER TABLE camera DROP COLUMN url;
ALTER TABLE camera DROP COLUMN device_user;
ALTER TABLE camera DROP COLUMN device_password;

ALTER TABLE note ADD COLUMN sealed BLOB NOT NULL DEFAULT x'';
UPDATE note SET sealed = sealed('note', id, thing || ' ' || adapter, note);
ALTER TABLE note DROP COLUMN note;

ALTER TABLE adapter_value ADD COLUMN sealed BLOB NOT NULL DEFAULT x'';
UPDATE adapter_value SET sealed = sealed('adapter_value', 0, adapter || ' ' || key, value);
ALTER TABLE adapter_value DROP COLUMN value;

ALTER TABLE setting ADD COLUMN sealed BLOB NOT NULL DEFAULT x'';
UPDATE setting SET sealed = sealed('setting', 0, name, value);
ALTER TABLE setting DROP COLUMN value;

-- about
ALTER TABLE adapter_job ADD COLUMN sealed BLOB NOT NULL DEFAULT x'';
UPDATE adapter_job SET sealed = sealed('adapter_job', 0, adapter, about);
ALTER TABLE adapter_job DROP COLUMN about;
-- outcome: NULL until the item is done.
ALTER TABLE adapter_job_item ADD COLUMN sealed BLOB NOT NULL DEFAULT x'';
ALTER TABLE adapter_job_item ADD COLUMN sealed_outcome BLOB;
UPDATE adapter_job_item SET
    sealed = sealed('adapter_job_item', job, 'about ' || place, about),
    sealed_outcome = sealed('adapter_job_item', job, 'outcome ' || place, outcome);
ALTER TABLE adapter_job_item DROP COLUMN about;
ALTER TABLE adapter_job_item DROP COLUMN outcome;
ALTER TABLE adapter_job_item RENAME COLUMN sealed_outcome TO outcome;

-- The digest of the password, with which anybody could log in.
ALTER TABLE account ADD COLUMN digest BLOB;
UPDATE account SET digest = sealed('account', id, 'digest', digest_ha1);
ALTER TABLE account DROP COLUMN digest_ha1;

-- While there is a row, values of former versions are in clear: templates, and remains of others in unused space. A new
-- database has none.
CREATE TABLE unfinished_sealing (
    since INTEGER PRIMARY KEY
) STRICT;
INSERT INTO unfinished_sealing (since)
SELECT unixepoch() * 1000
WHERE EXISTS (
    SELECT 1 FROM account UNION ALL SELECT 1 FROM audit UNION ALL SELECT 1 FROM person UNION ALL SELECT 1 FROM entry
    UNION ALL SELECT 1 FROM camera UNION ALL SELECT 1 FROM setting UNION ALL SELECT 1 FROM adapter_value);
