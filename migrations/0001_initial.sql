-- Conventions: times are milliseconds since 1970 UTC; civil dates and times of day are ISO 8601 text;
-- enumerations are lower-case words; pictures are the 32 bytes of their SHA-256; vectors are little-endian f32.
-- AUTOINCREMENT wherever an id must never be used twice.

CREATE TABLE library (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

INSERT INTO library (id, name, kind, description, created_at, updated_at)
VALUES (1, 'default_group', 'allow', '', unixepoch() * 1000, unixepoch() * 1000);

CREATE TABLE person (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    code TEXT NOT NULL UNIQUE,
    photo BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    name TEXT NOT NULL,
    gender TEXT,
    birth_date TEXT,
    age INTEGER,
    document_kind TEXT NOT NULL,
    document_number TEXT NOT NULL,
    phone TEXT NOT NULL,
    email TEXT NOT NULL,
    address TEXT NOT NULL,
    native_place TEXT NOT NULL,
    ethnic_group TEXT NOT NULL,
    remark TEXT NOT NULL,
    category TEXT NOT NULL,
    -- permanent | between (valid_from, valid_to) | daily (daily_from, daily_to, first_day, last_day) | uses (uses_left)
    validity TEXT NOT NULL,
    valid_from INTEGER,
    valid_to INTEGER,
    daily_from TEXT,
    daily_to TEXT,
    first_day TEXT,
    last_day TEXT,
    uses_left INTEGER
) STRICT;

-- The rowid ends every index entry, so each of these serves "newest first" (created_at, id) without sorting.
CREATE INDEX person_by_creation ON person (created_at);
CREATE INDEX person_by_name ON person (name, created_at);
CREATE INDEX person_by_document ON person (document_number, created_at);
CREATE INDEX person_by_address ON person (address, created_at);
CREATE INDEX person_by_gender ON person (gender, created_at);
CREATE INDEX person_by_age ON person (age, created_at);
CREATE INDEX person_by_photo ON person (photo);

-- created_at is the person's (it never changes): a library is listed newest first straight from the key.
CREATE TABLE person_library (
    library INTEGER NOT NULL REFERENCES library ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
    PRIMARY KEY (library, created_at, person)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX person_library_by_person ON person_library (person, library);

CREATE TABLE person_card (
    number TEXT NOT NULL PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX person_card_by_person ON person_card (person, position);

CREATE TABLE person_permission_group (
    person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (person, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE template (
    person INTEGER PRIMARY KEY REFERENCES person ON DELETE CASCADE,
    model TEXT NOT NULL,
    quality INTEGER NOT NULL,
    embedding BLOB NOT NULL
) STRICT;

CREATE TABLE camera (
    -- The channel: the lowest free number, so no AUTOINCREMENT.
    id INTEGER PRIMARY KEY,
    created_at INTEGER NOT NULL,
    name TEXT NOT NULL,
    position TEXT NOT NULL,
    description TEXT NOT NULL,
    -- rtsp | file (url) | onvif (device_*) | gb28181 (device_*, *_sip_id) | capture (device_*, vendor, product)
    source TEXT NOT NULL,
    url TEXT,
    device_host TEXT,
    device_port INTEGER,
    device_user TEXT,
    device_password TEXT,
    server_sip_id TEXT,
    camera_sip_id TEXT,
    vendor TEXT,
    product TEXT,
    region_left REAL,
    region_top REAL,
    region_right REAL,
    region_bottom REAL,
    min_face_px INTEGER NOT NULL,
    max_face_px INTEGER NOT NULL,
    snap_mode TEXT NOT NULL
) STRICT;

-- A watch without a camera of its own is free for watches over several cameras.
CREATE TABLE watch (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    camera INTEGER UNIQUE REFERENCES camera ON DELETE CASCADE,
    threshold REAL NOT NULL,
    rearm_ms INTEGER NOT NULL,
    enabled INTEGER NOT NULL
) STRICT;

CREATE TABLE watch_library (
    watch INTEGER NOT NULL REFERENCES watch ON DELETE CASCADE,
    library INTEGER NOT NULL REFERENCES library,
    PRIMARY KEY (watch, library)
) STRICT, WITHOUT ROWID;

CREATE INDEX watch_library_by_library ON watch_library (library);

CREATE TABLE watch_window (
    watch INTEGER NOT NULL REFERENCES watch ON DELETE CASCADE,
    position INTEGER NOT NULL,
    -- 1 is Monday.
    day INTEGER NOT NULL,
    from_time TEXT NOT NULL,
    to_time TEXT NOT NULL,
    PRIMARY KEY (watch, position)
) STRICT, WITHOUT ROWID;

-- The record log, split in two: what is searched (short rows, read while filtering) and what is only shown.
-- accepted and best_* repeat the answer of the camera's own watch (record_match at position 0). Records never
-- change, so the copy cannot go stale, and one index serves each filter in the order of the answer, without a join.
CREATE TABLE record (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    capture BLOB NOT NULL UNIQUE,
    captured_at INTEGER NOT NULL,
    camera INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    best_person INTEGER,
    best_library INTEGER,
    best_library_name TEXT,
    best_library_kind TEXT,
    crop BLOB NOT NULL,
    scene BLOB NOT NULL
) STRICT;

CREATE INDEX record_by_time ON record (captured_at);
CREATE INDEX record_by_camera ON record (camera, captured_at);
CREATE INDEX record_by_verdict ON record (verdict, captured_at);
CREATE INDEX record_by_acceptance ON record (captured_at) WHERE accepted = 1;
CREATE INDEX record_by_person ON record (best_person, captured_at) WHERE best_person IS NOT NULL;
CREATE INDEX record_by_library ON record (best_library, captured_at) WHERE best_library IS NOT NULL;
CREATE INDEX record_by_library_name ON record (best_library_name, captured_at) WHERE best_library_name IS NOT NULL;
CREATE INDEX record_by_library_kind ON record (best_library_kind, captured_at) WHERE best_library_kind IS NOT NULL;
CREATE INDEX record_by_crop ON record (crop);
CREATE INDEX record_by_scene ON record (scene);

CREATE TABLE record_capture (
    record INTEGER PRIMARY KEY REFERENCES record ON DELETE CASCADE,
    camera_name TEXT NOT NULL,
    camera_position TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    box_left REAL NOT NULL,
    box_top REAL NOT NULL,
    box_right REAL NOT NULL,
    box_bottom REAL NOT NULL,
    -- x and y of the five points.
    landmarks BLOB NOT NULL,
    quality INTEGER NOT NULL,
    quality_size INTEGER NOT NULL,
    quality_sharpness INTEGER NOT NULL,
    quality_brightness INTEGER NOT NULL,
    quality_pose INTEGER NOT NULL,
    yaw REAL NOT NULL,
    pitch REAL NOT NULL,
    roll REAL NOT NULL,
    gender TEXT,
    age REAL,
    expression TEXT,
    liveness REAL,
    model TEXT NOT NULL,
    embedding BLOB NOT NULL
) STRICT;

-- One row per watch; the camera's own has position 0. The candidate is the person as it was then: no reference.
CREATE TABLE record_match (
    record INTEGER NOT NULL REFERENCES record ON DELETE CASCADE,
    position INTEGER NOT NULL,
    watch INTEGER NOT NULL,
    threshold REAL NOT NULL,
    -- NULL, like all that follows, when the libraries of the watch were empty.
    person INTEGER,
    code TEXT,
    library INTEGER,
    library_name TEXT,
    library_kind TEXT,
    similarity REAL,
    name TEXT,
    gender TEXT,
    age INTEGER,
    document_number TEXT,
    address TEXT,
    photo BLOB,
    enrolled_at INTEGER,
    PRIMARY KEY (record, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    password TEXT NOT NULL,
    digest_ha1 TEXT NOT NULL,
    md5 TEXT NOT NULL
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL
) STRICT;

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE adapter_cursor (
    adapter TEXT NOT NULL,
    feed TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (adapter, feed)
) STRICT, WITHOUT ROWID;

CREATE TABLE adapter_value (
    adapter TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (adapter, key)
) STRICT, WITHOUT ROWID;
