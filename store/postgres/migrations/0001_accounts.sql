-- Users, the names they hold, their addresses, activations and credentials.
--
-- Keys are compared by their bytes, whatever the locale of the database. Of
-- several unique indices the one that was created first is reported.

CREATE TABLE {migrations} (
	id         integer NOT NULL CONSTRAINT {migrations_pkey} PRIMARY KEY,
	name       text NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE {users} (
	id                  bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT {users_pkey} PRIMARY KEY,
	uuid                uuid NOT NULL,
	name                text NOT NULL,
	name_key            text COLLATE "C" NOT NULL CONSTRAINT {users_name_key_check} CHECK (name_key <> ''),
	name_auto           boolean NOT NULL,
	real_name           text NOT NULL,
	locale              text NOT NULL,
	timezone            text NOT NULL,
	directory_dn        text NOT NULL,
	directory_id        text NOT NULL,
	enabled             boolean NOT NULL,
	flags               bigint NOT NULL,
	activated_at        timestamptz(6),
	deleted_at          timestamptz(6),
	last_login_at       timestamptz(6),
	last_login_ip       text NOT NULL,
	password_changed_at timestamptz(6),
	auth_changed_at     timestamptz(6),
	created_at          timestamptz(6) NOT NULL,
	updated_at          timestamptz(6) NOT NULL,
	data                json, -- not jsonb: what comes out is what went in
	version             bigint NOT NULL,
	search              text COLLATE "C" NOT NULL
);

CREATE UNIQUE INDEX {users_name} ON {users} (name_key) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX {users_uuid} ON {users} (uuid);
CREATE INDEX {users_pending} ON {users} (name_key) WHERE activated_at IS NULL AND deleted_at IS NULL;
CREATE INDEX {users_deleted} ON {users} (name_key, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX {users_prune} ON {users} (id) WHERE activated_at IS NULL AND deleted_at IS NULL;

-- The search needs no extension. With pg_trgm it is fast for what few match.
DO $$
DECLARE
	ext text;
BEGIN
	BEGIN
		CREATE EXTENSION IF NOT EXISTS pg_trgm;
	EXCEPTION WHEN OTHERS THEN
		NULL; -- not installed, not allowed, or somebody else is just creating it
	END;
	SELECT quote_ident(n.nspname) INTO ext
		FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm';
	IF ext IS NOT NULL THEN
		EXECUTE 'CREATE INDEX {users_search} ON {users} USING gin (search ' || ext || '.gin_trgm_ops)';
	END IF;
END
$$;

-- A key without a time is held by its owner, else it is held back until then.
CREATE TABLE {names} (
	name_key text COLLATE "C" NOT NULL CONSTRAINT {names_pkey} PRIMARY KEY CONSTRAINT {names_name_key_check} CHECK (name_key <> ''),
	user_id  bigint NOT NULL CONSTRAINT {names_user_fkey} REFERENCES {users} (id) ON DELETE CASCADE,
	until    timestamptz(6)
);

CREATE INDEX {names_user} ON {names} (user_id);
CREATE INDEX {names_until} ON {names} (until, name_key) WHERE until IS NOT NULL;

CREATE TABLE {emails} (
	id           bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT {emails_pkey} PRIMARY KEY,
	user_id      bigint NOT NULL CONSTRAINT {emails_user_fkey} REFERENCES {users} (id) ON DELETE CASCADE,
	address      text NOT NULL,
	address_key  text COLLATE "C" NOT NULL CONSTRAINT {emails_address_key_check} CHECK (address_key <> ''),
	is_primary   boolean NOT NULL,
	activated_at timestamptz(6),
	released_at  timestamptz(6),
	created_at   timestamptz(6) NOT NULL
);

CREATE UNIQUE INDEX {emails_own} ON {emails} (user_id, address_key);
CREATE UNIQUE INDEX {emails_active} ON {emails} (address_key) WHERE activated_at IS NOT NULL AND released_at IS NULL;
CREATE UNIQUE INDEX {emails_primary} ON {emails} (user_id) WHERE is_primary;
CREATE UNIQUE INDEX {emails_user} ON {emails} (user_id, id);
CREATE INDEX {emails_key} ON {emails} (address_key, id) WHERE released_at IS NULL;
CREATE INDEX {emails_prune} ON {emails} (id) WHERE activated_at IS NULL AND NOT is_primary;

CREATE TABLE {activations} (
	hash       text COLLATE "C" NOT NULL CONSTRAINT {activations_pkey} PRIMARY KEY CONSTRAINT {activations_hash_check} CHECK (hash <> ''),
	purpose    text NOT NULL,
	user_id    bigint NOT NULL,
	email_id   bigint NOT NULL,
	created_at timestamptz(6) NOT NULL,
	expires_at timestamptz(6) NOT NULL,
	CONSTRAINT {activations_email_fkey} FOREIGN KEY (user_id, email_id) REFERENCES {emails} (user_id, id) ON DELETE CASCADE
);

CREATE INDEX {activations_email} ON {activations} (user_id, email_id);
CREATE INDEX {activations_expiry} ON {activations} (expires_at, hash);

CREATE TABLE {credentials} (
	user_id    bigint NOT NULL CONSTRAINT {credentials_user_fkey} REFERENCES {users} (id) ON DELETE CASCADE,
	scope_id   bigint NOT NULL,
	hash       text NOT NULL,
	created_at timestamptz(6) NOT NULL,
	CONSTRAINT {credentials_pkey} PRIMARY KEY (user_id, scope_id)
);
