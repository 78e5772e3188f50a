-- Where the server answers (internal/app), as it was last told: commands that are not told go by it.
CREATE TABLE addresses (
  name text PRIMARY KEY, -- of the setting: public-url or courseware-url
  url text NOT NULL
) STRICT, WITHOUT ROWID;
