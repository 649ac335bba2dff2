-- What is pending and pruned may be primary. What was released may be lost.

DROP INDEX {emails_prune};
CREATE INDEX {emails_pending} ON {emails} (id) WHERE activated_at IS NULL;
CREATE INDEX {emails_gone} ON {emails} (address_key) WHERE released_at IS NOT NULL AND activated_at IS NOT NULL;
