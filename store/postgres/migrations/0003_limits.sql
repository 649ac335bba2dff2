-- What was counted against a limit, until when. A key is the hash of what it
-- stands for; of a row in which nothing is left, the time is that of 1970.

CREATE TABLE {limits} (
	key        text COLLATE "C" NOT NULL CONSTRAINT {limits_pkey} PRIMARY KEY CONSTRAINT {limits_key_check} CHECK (key <> ''),
	n          bigint NOT NULL,
	budget     bigint NOT NULL, -- what n could reach when it was last counted
	last_at    timestamptz(6) NOT NULL,
	expires_at timestamptz(6) NOT NULL
);

CREATE INDEX {limits_expiry} ON {limits} (expires_at, key);
