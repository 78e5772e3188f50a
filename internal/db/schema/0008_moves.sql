-- Statements on their way in from elsewhere, and processes that store beside the server (internal/lrs/DESIGN.md).
-- SQLite: processes other than the one that serves which store statements now.
CREATE TABLE statement_guests (
  id bytea PRIMARY KEY, -- 16 random bytes
  seen bigint NOT NULL
) STRICT, WITHOUT ROWID;

-- Imports, and how far each has come.
CREATE TABLE statement_imports (
  org_id bigint NOT NULL,
  number bigint NOT NULL,
  source text NOT NULL, -- a file's path or an address
  cursor text NOT NULL, -- where to go on, in the source's own words
  begun bigint NOT NULL,
  ended bigint, -- NULL until the source is read to its end
  stored bigint NOT NULL,
  known bigint NOT NULL,
  problems bigint NOT NULL,
  PRIMARY KEY (org_id, number)
) STRICT, WITHOUT ROWID;

-- What an imported statement said of itself where it came from.
CREATE TABLE statement_origins (
  org_id bigint NOT NULL,
  pos bigint NOT NULL,
  import bigint NOT NULL,
  stored bigint, -- there; NULL if it did not say
  PRIMARY KEY (org_id, pos)
) STRICT, WITHOUT ROWID;
