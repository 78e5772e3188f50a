-- The record store (internal/lrs/DESIGN.md).
-- What keys and page tokens are made with; made once, when the store first opens.
CREATE TABLE record_secrets (
  name text PRIMARY KEY,
  value bytea NOT NULL
) STRICT, WITHOUT ROWID;

-- Statements in their order: pos is the millisecond of stored, then 20 bits that tell apart those of one millisecond.
CREATE SEQUENCE statement_blocks MINVALUE 0 MAXVALUE 1023 START 0 CYCLE; -- postgres
CREATE TABLE statements (
  org_id bigint NOT NULL,
  pos bigint PRIMARY KEY, -- sqlite
  pos bigint NOT NULL, -- postgres
  PRIMARY KEY (org_id, pos), -- postgres
  id uuid NOT NULL,
  actor bigint NOT NULL, -- key
  authority bigint NOT NULL, -- key
  registration bigint NOT NULL, -- key, 0 without one
  voids boolean NOT NULL, -- it voids another
  voided boolean NOT NULL, -- it is voided
  hash bytea NOT NULL, -- the first 16 bytes of SHA-256 of body
  index_keys bytea NOT NULL, -- what it is found by, 8 bytes each
  body bytea NOT NULL -- as served
) STRICT;
CREATE UNIQUE INDEX statements_id ON statements (org_id, id);
CREATE INDEX statements_org ON statements (org_id); -- sqlite
CREATE INDEX statements_pos ON statements (pos); -- postgres

-- What statements are found by: for each key the positions of those that have it, in blocks of up to 512. more is what each
-- next position is more than the one before, as varints. Written for many statements at a time, up to statement_index.indexed.
CREATE TABLE statement_postings (
  org_id bigint NOT NULL,
  key bigint NOT NULL,
  first bigint NOT NULL,
  more bytea NOT NULL,
  PRIMARY KEY (org_id, key, first)
) STRICT, WITHOUT ROWID;
CREATE TABLE statement_index (
  indexed bigint NOT NULL,
  busy_until bigint NOT NULL -- a node is writing it, microseconds
) STRICT;
INSERT INTO statement_index (indexed, busy_until) VALUES (0, 0);

-- What statements are found by because they point at others that say it, directly or by way of others: src is the pos of the
-- statement that says it.
CREATE TABLE statement_inherited (
  org_id bigint NOT NULL,
  key bigint NOT NULL,
  pos bigint NOT NULL,
  src bigint NOT NULL,
  PRIMARY KEY (org_id, key, pos, src)
) STRICT, WITHOUT ROWID;

-- Statements whose object is a reference to another, which may not have come yet.
CREATE TABLE statement_refs (
  org_id bigint NOT NULL,
  target uuid NOT NULL,
  pos bigint NOT NULL,
  PRIMARY KEY (org_id, target, pos)
) STRICT, WITHOUT ROWID;

-- What statements said of activities, merged.
CREATE TABLE activities (
  org_id bigint NOT NULL,
  key bigint NOT NULL,
  iri text NOT NULL,
  definition bytea NOT NULL, -- JSON object
  PRIMARY KEY (org_id, key)
) STRICT, WITHOUT ROWID;

-- Documents of content. space is the keyed hash of kind, activity and agent.
CREATE TABLE documents (
  org_id bigint NOT NULL,
  space bytea NOT NULL,
  registration bytea NOT NULL, -- 16 bytes, or none
  name text NOT NULL, -- stateId or profileId
  activity text NOT NULL, -- IRI, or none
  agent text NOT NULL, -- identifier's key, or none
  content_type text NOT NULL,
  content bytea NOT NULL,
  etag text NOT NULL, -- SHA-1 of the content, 40 digits
  updated bigint NOT NULL,
  PRIMARY KEY (org_id, space, registration, name)
) STRICT;
