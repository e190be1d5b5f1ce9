-- One template for each person and embedding model: who goes back to a model need not read the photos again.
CREATE TABLE template_by_model (
    person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
    model TEXT NOT NULL,
    quality INTEGER NOT NULL,
    -- NULL: to this model the photo shows no usable face.
    embedding BLOB,
    UNIQUE (person, model)
) STRICT;

INSERT INTO template_by_model (person, model, quality, embedding)
SELECT person, model, quality, embedding FROM template;

DROP TABLE template;

ALTER TABLE template_by_model RENAME TO template;

-- Serves "all templates of a model" in the order of people.
CREATE INDEX template_of_model ON template (model, person);
