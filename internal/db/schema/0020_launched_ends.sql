-- Sessions of the launched kind end a day after their last use at the latest, those too that launches began earlier.
UPDATE signin_sessions SET expires = seen + 86400000000 WHERE kind = 'launched' AND expires > seen + 86400000000;
