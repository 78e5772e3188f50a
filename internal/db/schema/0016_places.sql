-- Where people have signed in before: browsers and networks, each as a keyed hash that differs from person to person. Guesses
-- from elsewhere never keep them out there.
CREATE TABLE signin_places (
  org_id bigint NOT NULL,
  person_id uuid NOT NULL,
  place_hash bytea NOT NULL,
  seen bigint NOT NULL, -- the last sign-in there
  PRIMARY KEY (org_id, person_id, place_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX signin_places_seen ON signin_places (seen);
