-- Who somebody is elsewhere: in a directory, at a provider.

CREATE TABLE {identities} (
	provider   text COLLATE "C" NOT NULL CONSTRAINT {identities_provider_check} CHECK (provider <> ''),
	subject    text COLLATE "C" NOT NULL CONSTRAINT {identities_subject_check} CHECK (subject <> ''),
	user_id    bigint NOT NULL CONSTRAINT {identities_user_fkey} REFERENCES {users} (id) ON DELETE CASCADE,
	emails     text NOT NULL,
	data       json,
	created_at timestamptz(6) NOT NULL,
	updated_at timestamptz(6) NOT NULL,
	CONSTRAINT {identities_pkey} PRIMARY KEY (provider, subject)
);

CREATE INDEX {identities_user} ON {identities} (user_id, provider, subject);
