-- The ledger of rates (internal/limit). A subject is often tried before the organization is known, so it is per installation.
CREATE TABLE limits (
  subject bytea PRIMARY KEY, -- keyed hash of the rule's name and of whom it counts for
  times bytea NOT NULL, -- of the tries that count, 8 bytes each
  ends bigint NOT NULL -- when no rule needs it any more
) STRICT, WITHOUT ROWID;
CREATE INDEX limits_end ON limits (ends);
