-- Challenges (internal/challenge). Their numbers arrive before the organization is known and are per installation. Answers,
-- tokens and addresses are keyed hashes; what a challenge shows follows from its id and the key file.
CREATE TABLE challenges (
  org_id bigint NOT NULL,
  number bigint PRIMARY KEY,
  id uuid NOT NULL,
  answer bytea NOT NULL,
  token bytea NOT NULL, -- the service token it was made for, or none
  address bytea NOT NULL, -- group of the address it was made for
  tries bigint NOT NULL, -- wrong answers so far
  created bigint NOT NULL,
  expires bigint NOT NULL,
  used bigint -- when the right answer was used up
) STRICT;
CREATE INDEX challenges_expire ON challenges (expires);

-- Work that was done and used up; of work that was only asked for nothing is kept.
CREATE TABLE challenge_works (
  nonce bytea PRIMARY KEY, -- keyed hash
  expires bigint NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX challenge_works_expire ON challenge_works (expires);
