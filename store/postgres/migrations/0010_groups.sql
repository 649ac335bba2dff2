-- Groups, who is in them, and what was granted to users and to groups.

CREATE TABLE {groups} (
	id          bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT {groups_pkey} PRIMARY KEY,
	uuid        uuid NOT NULL,
	name        text NOT NULL,
	name_key    text COLLATE "C" NOT NULL CONSTRAINT {groups_name_key_check} CHECK (name_key <> ''),
	description text NOT NULL,
	data        json, -- not jsonb: what comes out is what went in
	created_by  bigint NOT NULL, -- may be gone
	created_at  timestamptz(6) NOT NULL,
	updated_at  timestamptz(6) NOT NULL,
	version     bigint NOT NULL
);

CREATE UNIQUE INDEX {groups_name} ON {groups} (name_key);
CREATE UNIQUE INDEX {groups_uuid} ON {groups} (uuid);

CREATE TABLE {members} (
	group_id   bigint NOT NULL CONSTRAINT {members_group_fkey} REFERENCES {groups} (id) ON DELETE CASCADE,
	user_id    bigint NOT NULL CONSTRAINT {members_user_fkey} REFERENCES {users} (id) ON DELETE CASCADE,
	rights     text NOT NULL,
	created_at timestamptz(6) NOT NULL,
	CONSTRAINT {members_pkey} PRIMARY KEY (group_id, user_id)
);

CREATE INDEX {members_user} ON {members} (user_id, group_id);

-- The empty permission gives nothing; * in scope 0 gives all.
CREATE TABLE {grants} (
	id          bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT {grants_pkey} PRIMARY KEY,
	user_id     bigint CONSTRAINT {grants_user_fkey} REFERENCES {users} (id) ON DELETE CASCADE,
	group_id    bigint CONSTRAINT {grants_group_fkey} REFERENCES {groups} (id) ON DELETE CASCADE,
	scope_id    bigint NOT NULL,
	permission  text COLLATE "C" NOT NULL,
	valid_from  timestamptz(6),
	valid_until timestamptz(6),
	created_by  bigint NOT NULL, -- may be gone
	created_at  timestamptz(6) NOT NULL,
	CONSTRAINT {grants_subject_check} CHECK ((user_id IS NULL) <> (group_id IS NULL))
);

CREATE UNIQUE INDEX {grants_user} ON {grants} (user_id, scope_id, permission) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX {grants_group} ON {grants} (group_id, scope_id, permission) WHERE group_id IS NOT NULL;
CREATE INDEX {grants_permission} ON {grants} (permission, scope_id, user_id, group_id);
CREATE INDEX {grants_scope} ON {grants} (scope_id, id);
