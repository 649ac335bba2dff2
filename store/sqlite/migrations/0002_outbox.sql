-- Mails that are to be sent, and for a while those that were.

CREATE TABLE {outbox} (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	message_id TEXT NOT NULL,
	kind       TEXT NOT NULL,
	user_id    INTEGER REFERENCES {users} (id) ON DELETE CASCADE,
	recipient  TEXT NOT NULL,
	locale     TEXT NOT NULL,
	payload    TEXT NOT NULL,
	queued_at  TEXT NOT NULL,
	expires_at TEXT,
	due_at     TEXT NOT NULL,
	claim      TEXT NOT NULL,
	attempts   INTEGER NOT NULL,
	sent_at    TEXT,
	failed_at  TEXT,
	last_error TEXT NOT NULL
) STRICT;

CREATE INDEX {outbox_due} ON {outbox} (due_at, id) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX {outbox_user} ON {outbox} (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX {outbox_done} ON {outbox} (id) WHERE (sent_at IS NOT NULL OR failed_at IS NOT NULL);
CREATE INDEX {outbox_failed} ON {outbox} (id) WHERE failed_at IS NOT NULL;
