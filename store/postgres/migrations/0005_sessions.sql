-- Sessions. Who acts as somebody else is somebody else.

CREATE TABLE {sessions} (
	hash                    text COLLATE "C" NOT NULL CONSTRAINT {sessions_pkey} PRIMARY KEY CONSTRAINT {sessions_hash_check} CHECK (hash <> ''),
	id                      uuid NOT NULL,
	user_id                 bigint NOT NULL CONSTRAINT {sessions_user_fkey} REFERENCES {users} (id) ON DELETE CASCADE,
	impersonator_id         bigint CONSTRAINT {sessions_impersonator_fkey} REFERENCES {users} (id) ON DELETE CASCADE,
	auth_changed_at         timestamptz(6),
	impersonator_changed_at timestamptz(6),
	created_at              timestamptz(6) NOT NULL,
	authenticated_at        timestamptz(6) NOT NULL,
	last_seen_at            timestamptz(6) NOT NULL,
	expires_at              timestamptz(6) NOT NULL,
	addr                    text NOT NULL,
	user_agent              text NOT NULL,
	tls                     boolean NOT NULL,
	CONSTRAINT {sessions_other_check} CHECK (impersonator_id <> user_id)
);

CREATE UNIQUE INDEX {sessions_user} ON {sessions} (user_id, id);
CREATE INDEX {sessions_impersonator} ON {sessions} (impersonator_id) WHERE impersonator_id IS NOT NULL;
CREATE INDEX {sessions_expiry} ON {sessions} (expires_at, hash);
