-- Passwords and sessions of people. Addresses and tokens arrive before the organization is known.
CREATE TABLE login_addresses (
  address_hash bytea PRIMARY KEY,
  org_id bigint NOT NULL,
  person_id uuid NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE logins (
  org_id bigint NOT NULL,
  person_id uuid NOT NULL,
  address text NOT NULL, -- as mail is sent to it
  password text NOT NULL, -- argon2id, PHC string format
  changed bigint NOT NULL, -- the password, by the person
  created bigint NOT NULL,
  PRIMARY KEY (org_id, person_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE signin_tokens (
  token_hash bytea PRIMARY KEY,
  org_id bigint NOT NULL,
  session_id uuid NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE signin_sessions (
  org_id bigint NOT NULL,
  id uuid NOT NULL,
  person_id uuid NOT NULL,
  person_suspensions bigint NOT NULL, -- as they were when it began: one more ends it
  kind text NOT NULL, -- browser, dialect
  token_hash bytea NOT NULL,
  agent text NOT NULL, -- what the browser says it is, shortened
  address_group text NOT NULL,
  credential_id uuid, -- that another system signed them in with: its revocation ends the session
  created bigint NOT NULL,
  seen bigint NOT NULL,
  expires bigint NOT NULL, -- however much it is used
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX signin_sessions_of ON signin_sessions (org_id, person_id, id);
CREATE INDEX signin_sessions_seen ON signin_sessions (seen);

CREATE TABLE signin_resets (
  token_hash bytea PRIMARY KEY,
  org_id bigint NOT NULL, -- 0 when nobody has the address
  person_id uuid,
  expires bigint NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX signin_resets_of ON signin_resets (org_id, person_id);
CREATE INDEX signin_resets_expire ON signin_resets (expires);
