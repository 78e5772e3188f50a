-- What was refused and is to be sent again is looked for once a second, however much was refused. Its order is one that the
-- primary key does not give, so that no engine takes that instead.
CREATE INDEX forward_refusals_again ON forward_refusals (org_id, forward_id, at, statement_id) WHERE again;
