-- What has happened to the accounts. It goes by IDs, and outlives what it speaks
-- of: nothing refers to other tables. Zero is nobody, nowhere.

CREATE TABLE {events} (
	id            bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT {events_pkey} PRIMARY KEY,
	kind          text COLLATE "C" NOT NULL,
	actor_id      bigint NOT NULL,
	real_actor_id bigint NOT NULL,
	user_id       bigint NOT NULL,
	group_id      bigint NOT NULL,
	scope_id      bigint NOT NULL,
	addr          text NOT NULL,
	happened_at   timestamptz(6) NOT NULL,
	details       json,
	times         bigint NOT NULL,
	last_at       timestamptz(6) NOT NULL,
	count_key     text COLLATE "C" CONSTRAINT {events_count_key_check} CHECK (count_key <> '')
);

CREATE INDEX {events_time} ON {events} (happened_at, id);
CREATE INDEX {events_kind} ON {events} (kind, happened_at, id);
CREATE INDEX {events_user} ON {events} (user_id, happened_at, id) WHERE user_id <> 0;
CREATE INDEX {events_actor} ON {events} (real_actor_id, happened_at, id) WHERE real_actor_id <> 0;
CREATE UNIQUE INDEX {events_count} ON {events} (count_key) WHERE count_key IS NOT NULL;
