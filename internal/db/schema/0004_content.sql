-- Packages that were added. A row stays when another version replaces it, since launches of it go on.
CREATE TABLE packages (
  org_id bigint NOT NULL,
  id uuid NOT NULL,
  activity text NOT NULL,
  digest bytea NOT NULL, -- SHA-256 over the paths and hashes of its files
  files bigint NOT NULL,
  bytes bigint NOT NULL, -- of all files together
  created bigint NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, digest)
) STRICT, WITHOUT ROWID;

-- Their files: the only paths there are, each with the blob that holds its bytes.
CREATE TABLE package_files (
  org_id bigint NOT NULL,
  package_id uuid NOT NULL,
  path text COLLATE "C" NOT NULL, -- postgres
  path text NOT NULL, -- sqlite
  sha256 bytea NOT NULL,
  size bigint NOT NULL,
  PRIMARY KEY (org_id, package_id, path)
) STRICT, WITHOUT ROWID;

-- What an activity launches now. Sorted by bytes on both engines.
CREATE TABLE contents (
  org_id bigint NOT NULL,
  activity text COLLATE "C" NOT NULL, -- postgres
  activity text NOT NULL, -- sqlite
  kind text NOT NULL, -- xapi, link
  package_id uuid, -- none for a link
  launch text NOT NULL, -- path, query and fragment inside the package
  url text NOT NULL, -- of a link
  title text NOT NULL,
  created bigint NOT NULL,
  PRIMARY KEY (org_id, activity)
) STRICT, WITHOUT ROWID;
