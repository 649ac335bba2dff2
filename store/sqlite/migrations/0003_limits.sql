-- What was counted against a limit, until when. A key is the hash of what it
-- stands for; of a row in which nothing is left, the time is that of 1970.

CREATE TABLE {limits} (
	key        TEXT NOT NULL PRIMARY KEY CHECK (key <> ''),
	n          INTEGER NOT NULL,
	budget     INTEGER NOT NULL, -- what n could reach when it was last counted
	last_at    TEXT NOT NULL,
	expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX {limits_expiry} ON {limits} (expires_at, key);
