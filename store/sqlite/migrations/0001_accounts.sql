-- Users, the names they hold, their addresses, activations and credentials.
--
-- Times are UTC text, "2006-01-02 15:04:05.999999+00:00", which sorts as the
-- times do. Of several unique indices SQLite reports the one that was created
-- last, so what is reported first stands last.

CREATE TABLE {migrations} (
	id         INTEGER NOT NULL PRIMARY KEY,
	name       TEXT NOT NULL,
	applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT;

CREATE TABLE {users} (
	id                  INTEGER PRIMARY KEY AUTOINCREMENT,
	uuid                TEXT NOT NULL,
	name                TEXT NOT NULL,
	name_key            TEXT NOT NULL CHECK (name_key <> ''),
	name_auto           INTEGER NOT NULL CHECK (name_auto IN (0, 1)),
	real_name           TEXT NOT NULL,
	locale              TEXT NOT NULL,
	timezone            TEXT NOT NULL,
	directory_dn        TEXT NOT NULL,
	directory_id        TEXT NOT NULL,
	enabled             INTEGER NOT NULL CHECK (enabled IN (0, 1)),
	flags               INTEGER NOT NULL,
	activated_at        TEXT,
	deleted_at          TEXT,
	last_login_at       TEXT,
	last_login_ip       TEXT NOT NULL,
	password_changed_at TEXT,
	auth_changed_at     TEXT,
	created_at          TEXT NOT NULL,
	updated_at          TEXT NOT NULL,
	data                TEXT,
	version             INTEGER NOT NULL,
	search              TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX {users_uuid} ON {users} (uuid);
CREATE UNIQUE INDEX {users_name} ON {users} (name_key) WHERE deleted_at IS NULL;

-- A search for what many match goes through this in order.
CREATE INDEX {users_page} ON {users} (name_key, search) WHERE deleted_at IS NULL;
CREATE INDEX {users_pending} ON {users} (name_key) WHERE activated_at IS NULL AND deleted_at IS NULL;
CREATE INDEX {users_deleted} ON {users} (name_key) WHERE deleted_at IS NOT NULL;
CREATE INDEX {users_prune} ON {users} (id) WHERE activated_at IS NULL AND deleted_at IS NULL;

-- A search for what few match asks this.
CREATE VIRTUAL TABLE {users_search} USING fts5(
	search, content = '{users}', content_rowid = 'id', detail = none, tokenize = 'trigram case_sensitive 1'
);

CREATE TRIGGER {users_search_insert} AFTER INSERT ON {users} BEGIN
	INSERT INTO {users_search} (rowid, search) VALUES (new.id, new.search);
END;

CREATE TRIGGER {users_search_update} AFTER UPDATE OF search ON {users} WHEN old.search <> new.search BEGIN
	INSERT INTO {users_search} ({users_search}, rowid, search) VALUES ('delete', old.id, old.search);
	INSERT INTO {users_search} (rowid, search) VALUES (new.id, new.search);
END;

CREATE TRIGGER {users_search_delete} AFTER DELETE ON {users} BEGIN
	INSERT INTO {users_search} ({users_search}, rowid, search) VALUES ('delete', old.id, old.search);
END;

-- A key without a time is held by its owner, else it is held back until then.
CREATE TABLE {names} (
	name_key TEXT NOT NULL PRIMARY KEY CHECK (name_key <> ''),
	user_id  INTEGER NOT NULL REFERENCES {users} (id) ON DELETE CASCADE,
	until    TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX {names_user} ON {names} (user_id);
CREATE INDEX {names_until} ON {names} (until, name_key) WHERE until IS NOT NULL;

CREATE TABLE {emails} (
	id           INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id      INTEGER NOT NULL REFERENCES {users} (id) ON DELETE CASCADE,
	address      TEXT NOT NULL,
	address_key  TEXT NOT NULL CHECK (address_key <> ''),
	is_primary   INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
	activated_at TEXT,
	released_at  TEXT,
	created_at   TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX {emails_user} ON {emails} (user_id, id);
CREATE UNIQUE INDEX {emails_primary} ON {emails} (user_id) WHERE is_primary;
CREATE UNIQUE INDEX {emails_own} ON {emails} (user_id, address_key);
CREATE UNIQUE INDEX {emails_active} ON {emails} (address_key) WHERE activated_at IS NOT NULL AND released_at IS NULL;
CREATE INDEX {emails_key} ON {emails} (address_key, id) WHERE released_at IS NULL;
CREATE INDEX {emails_prune} ON {emails} (id) WHERE activated_at IS NULL AND NOT is_primary;

CREATE TABLE {activations} (
	hash       TEXT NOT NULL PRIMARY KEY CHECK (hash <> ''),
	purpose    TEXT NOT NULL,
	user_id    INTEGER NOT NULL,
	email_id   INTEGER NOT NULL,
	created_at TEXT NOT NULL,
	expires_at TEXT NOT NULL,
	FOREIGN KEY (user_id, email_id) REFERENCES {emails} (user_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX {activations_email} ON {activations} (user_id, email_id);
CREATE INDEX {activations_expiry} ON {activations} (expires_at, hash);

CREATE TABLE {credentials} (
	user_id    INTEGER NOT NULL REFERENCES {users} (id) ON DELETE CASCADE,
	scope_id   INTEGER NOT NULL,
	hash       TEXT NOT NULL,
	created_at TEXT NOT NULL,
	PRIMARY KEY (user_id, scope_id)
) STRICT, WITHOUT ROWID;
