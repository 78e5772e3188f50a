-- How many bytes of records each organization keeps that has a quota: all but the one that every installation starts with.
-- Kept by what stores and deletes, in its transaction: statements and the data of attachments as they are, 32 for each
-- inherited key, 1,000 more than its content for each document (internal/lrs/quota.go).
CREATE TABLE record_usage (
  org_id bigint PRIMARY KEY,
  bytes bigint NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO record_usage (org_id, bytes) SELECT o.id,
  (SELECT coalesce(sum(length(s.body)), 0) FROM statements s WHERE s.org_id = o.id)
  + (SELECT coalesce(sum(a.size), 0) FROM attachments a WHERE a.org_id = o.id)
  + (SELECT 32 * count(*) FROM statement_inherited i WHERE i.org_id = o.id)
  + (SELECT coalesce(sum(length(d.content) + 1000), 0) FROM documents d WHERE d.org_id = o.id)
  FROM organizations o WHERE o.id <> 1;
