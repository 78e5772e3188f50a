-- What documents belong to counts as well, for it may be longer than they are.
UPDATE record_usage SET bytes = bytes
  + (SELECT coalesce(sum(octet_length(d.activity) + octet_length(d.agent)), 0) FROM documents d WHERE d.org_id = record_usage.org_id);
