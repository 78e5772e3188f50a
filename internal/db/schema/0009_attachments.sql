-- Data of attachments that came with statements; the bytes are blobs.
CREATE TABLE attachments (
  org_id bigint NOT NULL,
  pos bigint NOT NULL, -- of the statement
  sha2 text NOT NULL, -- as in the statement
  content_type text NOT NULL, -- as in the statement
  sha256 bytea NOT NULL, -- blob
  size bigint NOT NULL,
  PRIMARY KEY (org_id, pos, sha2)
) STRICT, WITHOUT ROWID;

-- By what they name, for the collector of blobs.
CREATE INDEX attachments_blob ON attachments (org_id, sha256);
CREATE INDEX package_files_blob ON package_files (org_id, sha256);
