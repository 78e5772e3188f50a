-- Credentials: a user name and a secret that act for one agent, or, unbound, for the system that minted them. A row is never
-- deleted, so that no user name is ever used twice.
CREATE TABLE credentials (
  org_id bigint NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL, -- minted, unbound, launch
  username text NOT NULL,
  person_id uuid, -- none when unbound
  person_suspensions bigint NOT NULL DEFAULT 0, -- as they were when it was made: one more ends it
  agent text NOT NULL, -- IFI key; empty when unbound
  agent_name text NOT NULL,
  registration_id uuid, -- of a launch
  activity text NOT NULL, -- of a launch
  parent_id uuid, -- the credential that a launch was opened with, or that began the session
  signin_id uuid, -- the session of the person that a launch was opened from
  minted_by uuid, -- service account; of a launch: whose ticket it was opened with
  scopes bigint NOT NULL,
  created bigint NOT NULL,
  expires bigint NOT NULL, -- moved on by use for a launch
  revoked bigint, -- it is over too when its parent or the account that minted either is revoked
  last_used bigint,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX credentials_of ON credentials (org_id, person_id, id);

-- User names arrive before the organization is known and are looked up by their keyed hash.
CREATE TABLE credential_names (
  name_hash bytea PRIMARY KEY,
  org_id bigint NOT NULL,
  credential_id uuid NOT NULL,
  secret_hash bytea NOT NULL
) STRICT, WITHOUT ROWID;
