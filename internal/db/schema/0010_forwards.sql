-- Forwards: other record stores that statements are sent on to (internal/forward). Each has one job in the outbox, unless
-- it is paused.
CREATE TABLE forwards (
  org_id bigint NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  endpoint text NOT NULL, -- ends with a slash
  username text NOT NULL,
  secret bytea NOT NULL, -- sealed under the key file
  filter text NOT NULL, -- JSON object
  allow_private boolean NOT NULL,
  plain_http boolean NOT NULL,
  paused boolean NOT NULL,
  place bigint NOT NULL, -- position in the record store up to which everything was sent
  sent bigint NOT NULL, -- statements taken by the receiver
  last_success bigint,
  created bigint NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, name)
) STRICT, WITHOUT ROWID;

-- Statements that a receiver will not take.
CREATE TABLE forward_refusals (
  org_id bigint NOT NULL,
  forward_id uuid NOT NULL,
  statement_id uuid NOT NULL,
  status bigint NOT NULL, -- of the answer; 0 when it was not sent at all
  answer text NOT NULL, -- the beginning of the answer, or why it was not sent
  at bigint NOT NULL,
  again boolean NOT NULL, -- to be sent again
  PRIMARY KEY (org_id, forward_id, statement_id)
) STRICT, WITHOUT ROWID;
