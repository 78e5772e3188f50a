-- Organizations: every other table carries their number first.
CREATE TABLE organizations (
  id bigint PRIMARY KEY,
  slug text NOT NULL UNIQUE,
  name text NOT NULL,
  created bigint NOT NULL
) STRICT;
INSERT INTO organizations (id, slug, name, created) VALUES (1, 'default', 'Default', 0);

-- What other processes must hear of: a revocation, a suspension, a changed scope. Each serve polls it every second.
CREATE TABLE changes (
  seq bigint PRIMARY KEY, -- sqlite
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- postgres
  org_id bigint NOT NULL,
  kind text NOT NULL,
  subject bytea NOT NULL,
  at bigint NOT NULL
) STRICT;
CREATE INDEX changes_at ON changes (at);

-- Tells whether a key file is the one that this database's secrets were hashed under. One row.
CREATE TABLE secret_keys (
  id bigint PRIMARY KEY,
  check_value bytea NOT NULL,
  created bigint NOT NULL
) STRICT;

-- Other systems' identities. A key is looked up before the organization is known, by its keyed hash; an account has two
-- live pairs of key and secret while one replaces the other.
CREATE TABLE service_accounts (
  org_id bigint NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  scopes bigint NOT NULL,
  home_pages text NOT NULL, -- JSON array of prefixes; an empty one allows any
  created bigint NOT NULL,
  expires bigint,
  revoked bigint,
  last_used bigint,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE service_account_secrets (
  key_hash bytea PRIMARY KEY,
  secret_hash bytea NOT NULL,
  org_id bigint NOT NULL,
  service_account_id uuid NOT NULL,
  created bigint NOT NULL,
  expires bigint -- set when another pair replaces it
) STRICT, WITHOUT ROWID;
CREATE INDEX service_account_secrets_of ON service_account_secrets (org_id, service_account_id);

-- Admin scopes held by people.
CREATE TABLE grants (
  org_id bigint NOT NULL,
  person_id uuid NOT NULL,
  scope text NOT NULL,
  created bigint NOT NULL,
  PRIMARY KEY (org_id, person_id, scope)
) STRICT, WITHOUT ROWID;

-- The audit trail. It is only ever added to.
CREATE TABLE audit_entries (
  org_id bigint NOT NULL,
  id uuid NOT NULL,
  at bigint NOT NULL,
  caller text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  detail text NOT NULL, -- JSON object
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
