-- One person's taking of one activity. Its agent is fixed when it is made.
CREATE TABLE registrations (
  org_id bigint NOT NULL,
  id uuid NOT NULL,
  person_id uuid NOT NULL,
  activity text NOT NULL,
  agent text NOT NULL, -- Agent JSON
  created bigint NOT NULL,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX registrations_of ON registrations (org_id, person_id, activity, created);

-- Each launch: what was opened, in which registration, with which credential.
CREATE TABLE launch_sessions (
  org_id bigint NOT NULL,
  id uuid NOT NULL,
  registration_id uuid NOT NULL,
  person_id uuid NOT NULL,
  credential_id uuid NOT NULL,
  parent_id uuid, -- the credential that was presented, for the launch or for the session; none for a ticket
  package_id uuid, -- none for external content
  started bigint NOT NULL,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX launch_sessions_of ON launch_sessions (org_id, registration_id, id);

-- One-time links. The ticket arrives before the organization is known and is kept as a keyed hash.
CREATE TABLE launch_tickets (
  hash bytea PRIMARY KEY,
  org_id bigint NOT NULL,
  person_id uuid NOT NULL,
  agent text NOT NULL,
  activity text NOT NULL,
  registration_id uuid,
  new_attempt boolean NOT NULL,
  made_by text NOT NULL,
  service_account_id uuid, -- the same, when it is one: its revocation ends the ticket and the launch
  expires bigint NOT NULL,
  used bigint
) STRICT, WITHOUT ROWID;
CREATE INDEX launch_tickets_expire ON launch_tickets (expires);
