-- Who somebody is elsewhere: in a directory, at a provider.

CREATE TABLE {identities} (
	provider   TEXT NOT NULL CHECK (provider <> ''),
	subject    TEXT NOT NULL CHECK (subject <> ''),
	user_id    INTEGER NOT NULL REFERENCES {users} (id) ON DELETE CASCADE,
	emails     TEXT NOT NULL,
	data       TEXT,
	created_at TEXT NOT NULL,
	updated_at TEXT NOT NULL,
	PRIMARY KEY (provider, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX {identities_user} ON {identities} (user_id, provider, subject);
