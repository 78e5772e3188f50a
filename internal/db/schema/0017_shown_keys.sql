-- Keys of service accounts as they are listed: the user name, no secret. Empty for pairs from before this was kept.
ALTER TABLE service_account_secrets ADD COLUMN shown_key text NOT NULL DEFAULT '';
