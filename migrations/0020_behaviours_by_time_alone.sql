-- Behaviours of all classes are listed too.
CREATE INDEX behaviour_by_time_alone ON behaviour (at);
