-- Relays in the network that cameras switch for known people.
CREATE TABLE relay (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    camera INTEGER NOT NULL REFERENCES camera ON DELETE CASCADE,
    -- Address and port, as text.
    address TEXT NOT NULL,
    name TEXT NOT NULL,
    tag TEXT NOT NULL
) STRICT;

CREATE INDEX relay_by_camera ON relay (camera);
