-- Passwords that must be changed, and what a former mailbox can undo.

ALTER TABLE {credentials} ADD COLUMN must_change boolean NOT NULL DEFAULT false;
ALTER TABLE {credentials} ADD COLUMN expires_at timestamptz(6);

-- The address may be no row of the user any more.
CREATE TABLE {undos} (
	hash        text COLLATE "C" NOT NULL CONSTRAINT {undos_pkey} PRIMARY KEY CONSTRAINT {undos_hash_check} CHECK (hash <> ''),
	user_id     bigint NOT NULL CONSTRAINT {undos_user_fkey} REFERENCES {users} (id) ON DELETE CASCADE,
	address     text NOT NULL,
	address_key text COLLATE "C" NOT NULL CONSTRAINT {undos_address_key_check} CHECK (address_key <> ''),
	rank        bigint NOT NULL,
	created_at  timestamptz(6) NOT NULL,
	expires_at  timestamptz(6) NOT NULL
);

CREATE INDEX {undos_user} ON {undos} (user_id, rank);
CREATE INDEX {undos_expiry} ON {undos} (expires_at, hash);
