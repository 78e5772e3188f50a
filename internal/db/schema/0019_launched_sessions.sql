-- Sessions that launches began before there was a kind of their own for them: they live and count as such from now on.
UPDATE signin_sessions SET kind = 'launched' WHERE kind = 'browser' AND credential_id IS NOT NULL;
