-- Passwords that must be changed, and what a former mailbox can undo.

ALTER TABLE {credentials} ADD COLUMN must_change INTEGER NOT NULL DEFAULT 0 CHECK (must_change IN (0, 1));
ALTER TABLE {credentials} ADD COLUMN expires_at TEXT;

-- The address may be no row of the user any more.
CREATE TABLE {undos} (
	hash        TEXT NOT NULL PRIMARY KEY CHECK (hash <> ''),
	user_id     INTEGER NOT NULL REFERENCES {users} (id) ON DELETE CASCADE,
	address     TEXT NOT NULL,
	address_key TEXT NOT NULL CHECK (address_key <> ''),
	rank        INTEGER NOT NULL,
	created_at  TEXT NOT NULL,
	expires_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX {undos_user} ON {undos} (user_id, rank);
CREATE INDEX {undos_expiry} ON {undos} (expires_at, hash);
