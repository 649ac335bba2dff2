-- Sessions. Who acts as somebody else is somebody else.

CREATE TABLE {sessions} (
	hash                    TEXT NOT NULL PRIMARY KEY CHECK (hash <> ''),
	id                      TEXT NOT NULL,
	user_id                 INTEGER NOT NULL REFERENCES {users} (id) ON DELETE CASCADE,
	impersonator_id         INTEGER REFERENCES {users} (id) ON DELETE CASCADE CHECK (impersonator_id <> user_id),
	auth_changed_at         TEXT,
	impersonator_changed_at TEXT,
	created_at              TEXT NOT NULL,
	authenticated_at        TEXT NOT NULL,
	last_seen_at            TEXT NOT NULL,
	expires_at              TEXT NOT NULL,
	addr                    TEXT NOT NULL,
	user_agent              TEXT NOT NULL,
	tls                     INTEGER NOT NULL CHECK (tls IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX {sessions_user} ON {sessions} (user_id, id);
CREATE INDEX {sessions_impersonator} ON {sessions} (impersonator_id) WHERE impersonator_id IS NOT NULL;
CREATE INDEX {sessions_expiry} ON {sessions} (expires_at, hash);
