-- Mails that are to be sent, and for a while those that were.

CREATE TABLE {outbox} (
	id         bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT {outbox_pkey} PRIMARY KEY,
	message_id text NOT NULL,
	kind       text NOT NULL,
	user_id    bigint CONSTRAINT {outbox_user_fkey} REFERENCES {users} (id) ON DELETE CASCADE,
	recipient  text NOT NULL,
	locale     text NOT NULL,
	payload    text NOT NULL,
	queued_at  timestamptz(6) NOT NULL,
	expires_at timestamptz(6),
	due_at     timestamptz(6) NOT NULL,
	claim      text COLLATE "C" NOT NULL,
	attempts   bigint NOT NULL,
	sent_at    timestamptz(6),
	failed_at  timestamptz(6),
	last_error text NOT NULL
);

CREATE INDEX {outbox_due} ON {outbox} (due_at, id) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX {outbox_user} ON {outbox} (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX {outbox_done} ON {outbox} (id) WHERE (sent_at IS NOT NULL OR failed_at IS NOT NULL);
CREATE INDEX {outbox_failed} ON {outbox} (id) WHERE failed_at IS NOT NULL;
