-- When somebody who waits in vain was last found to be held by a row of the host.

ALTER TABLE {users} ADD COLUMN kept_at TEXT;
