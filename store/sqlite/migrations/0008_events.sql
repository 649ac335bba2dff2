-- What has happened to the accounts. It goes by IDs, and outlives what it speaks
-- of: nothing refers to other tables. Zero is nobody, nowhere.

CREATE TABLE {events} (
	id            INTEGER PRIMARY KEY AUTOINCREMENT,
	kind          TEXT NOT NULL,
	actor_id      INTEGER NOT NULL,
	real_actor_id INTEGER NOT NULL,
	user_id       INTEGER NOT NULL,
	group_id      INTEGER NOT NULL,
	scope_id      INTEGER NOT NULL,
	addr          TEXT NOT NULL,
	happened_at   TEXT NOT NULL,
	details       TEXT,
	times         INTEGER NOT NULL,
	last_at       TEXT NOT NULL,
	count_key     TEXT CHECK (count_key <> '')
) STRICT;

CREATE INDEX {events_time} ON {events} (happened_at, id);
CREATE INDEX {events_kind} ON {events} (kind, happened_at, id);
CREATE INDEX {events_user} ON {events} (user_id, happened_at, id) WHERE user_id <> 0;
CREATE INDEX {events_actor} ON {events} (real_actor_id, happened_at, id) WHERE real_actor_id <> 0;
CREATE UNIQUE INDEX {events_count} ON {events} (count_key) WHERE count_key IS NOT NULL;
