-- More kinds of rules, with options; those of before keep what they did.

-- kind: line | line_count | area | enter | leave | border | area_count | crowd | gathering | loitering | absence | alone |
--       fast | parking | presence
-- object: person | vehicle | cycle | dog
ALTER TABLE rule ADD COLUMN sensitivity INTEGER NOT NULL DEFAULT 80;
-- Sizes as shares of the picture's width and height.
ALTER TABLE rule ADD COLUMN min_width REAL NOT NULL DEFAULT 0;
ALTER TABLE rule ADD COLUMN min_height REAL NOT NULL DEFAULT 0;
ALTER TABLE rule ADD COLUMN max_width REAL NOT NULL DEFAULT 1;
ALTER TABLE rule ADD COLUMN max_height REAL NOT NULL DEFAULT 1;
-- Trigger time and report interval.
ALTER TABLE rule ADD COLUMN after_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rule ADD COLUMN every_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rule ADD COLUMN people INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rule ADD COLUMN tolerance INTEGER NOT NULL DEFAULT 0;
-- 0 to 23, local time. NULL: the count is never reset.
ALTER TABLE rule ADD COLUMN reset_hour INTEGER;

-- People who crossed a counting line.
ALTER TABLE behaviour ADD COLUMN inwards INTEGER NOT NULL DEFAULT 0;
ALTER TABLE behaviour ADD COLUMN outwards INTEGER NOT NULL DEFAULT 0;
-- Of a rule that recovered: the capture with which it fired last. NULL: none, or not known.
ALTER TABLE behaviour ADD COLUMN ends BLOB;
