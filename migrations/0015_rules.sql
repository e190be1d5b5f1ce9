-- Rules over the objects that a camera sees.
CREATE TABLE rule (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    camera INTEGER NOT NULL REFERENCES camera ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- line
    kind TEXT NOT NULL,
    -- person | vehicle
    object TEXT NOT NULL,
    -- x and y of each corner of its zone, as shares of the picture's width and height.
    points BLOB NOT NULL,
    -- a_to_b | b_to_a | both
    direction TEXT NOT NULL,
    UNIQUE (camera, name)
) STRICT;
