-- Groups, who is in them, and what was granted to users and to groups.

CREATE TABLE {groups} (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	uuid        TEXT NOT NULL,
	name        TEXT NOT NULL,
	name_key    TEXT NOT NULL CHECK (name_key <> ''),
	description TEXT NOT NULL,
	data        TEXT,
	created_by  INTEGER NOT NULL, -- may be gone
	created_at  TEXT NOT NULL,
	updated_at  TEXT NOT NULL,
	version     INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX {groups_uuid} ON {groups} (uuid);
CREATE UNIQUE INDEX {groups_name} ON {groups} (name_key);

CREATE TABLE {members} (
	group_id   INTEGER NOT NULL REFERENCES {groups} (id) ON DELETE CASCADE,
	user_id    INTEGER NOT NULL REFERENCES {users} (id) ON DELETE CASCADE,
	rights     TEXT NOT NULL,
	created_at TEXT NOT NULL,
	PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX {members_user} ON {members} (user_id, group_id);

-- The empty permission gives nothing; * in scope 0 gives all.
CREATE TABLE {grants} (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id     INTEGER REFERENCES {users} (id) ON DELETE CASCADE,
	group_id    INTEGER REFERENCES {groups} (id) ON DELETE CASCADE,
	scope_id    INTEGER NOT NULL,
	permission  TEXT NOT NULL,
	valid_from  TEXT,
	valid_until TEXT,
	created_by  INTEGER NOT NULL, -- may be gone
	created_at  TEXT NOT NULL,
	CHECK ((user_id IS NULL) <> (group_id IS NULL))
) STRICT;

CREATE UNIQUE INDEX {grants_user} ON {grants} (user_id, scope_id, permission) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX {grants_group} ON {grants} (group_id, scope_id, permission) WHERE group_id IS NOT NULL;
CREATE INDEX {grants_permission} ON {grants} (permission, scope_id, user_id, group_id);
CREATE INDEX {grants_scope} ON {grants} (scope_id, id);
