-- Texts as searches compare them, letter case folded and characters normalised. `folded` is a function of the program
-- (`domain::names`) that exists while it migrates; rows are written with the folded texts beside the texts.

ALTER TABLE person ADD COLUMN name_folded TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN document_folded TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN address_folded TEXT NOT NULL DEFAULT '';

-- A whole name is looked for here.
DROP INDEX person_by_name;
-- A part of a name or phone number is looked for in every entry of this, and in no row of the table.
DROP INDEX person_by_text;

UPDATE person SET
    name_folded = folded(name), document_folded = folded(document_number), address_folded = folded(address);

CREATE INDEX person_by_name ON person (name_folded, created_at);
CREATE INDEX person_by_text ON person (created_at, id, name_folded, phone, category);

ALTER TABLE library ADD COLUMN name_folded TEXT NOT NULL DEFAULT '';
UPDATE library SET name_folded = folded(name);

-- Nothing but searches reads these.
ALTER TABLE record RENAME COLUMN best_library_name TO best_library_folded;
UPDATE record SET best_library_folded = folded(best_library_folded)
WHERE best_library_folded <> folded(best_library_folded);
ALTER TABLE sighting RENAME COLUMN name TO name_folded;
UPDATE sighting SET name_folded = folded(name_folded) WHERE name_folded <> folded(name_folded);

-- An end of a validity that is not set was a far date: midnight of 1970-01-01 and the last second of 9999-06-01, local
-- time. Now it is the first and the last number, or no day, and both dates are dates like others.
UPDATE person SET valid_from = -9223372036854775808
WHERE validity = 'between' AND valid_from BETWEEN -50400000 AND 43200000;
UPDATE person SET valid_to = 9223372036854775807
WHERE validity = 'between' AND valid_to BETWEEN 253383847199999 AND 253383940799999;

-- A daily window that ends as it begins lasts a day, so that the one that ends on the last day begins the day before.
UPDATE person SET last_day = date(last_day, '-1 day') WHERE validity = 'daily' AND daily_from = daily_to;

UPDATE person SET first_day = NULL WHERE validity = 'daily' AND first_day = '1970-01-01' AND daily_from = '00:00:00';
-- Midnight is the end of the day, and of every day.
UPDATE person SET last_day = NULL, daily_to = '00:00:00'
WHERE validity = 'daily' AND last_day = '9999-06-01' AND daily_to = '23:59:59';
