package roster

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// maxCached bounds the sessions in memory, to about 10 MiB.
const maxCached = 10_000

// userShards is how many parts the users are in that are forgotten together.
const userShards = 256

// sessionCache remembers sessions that were found good, with their users, until
// something is written that may end or change them. See Options.SessionCache.
type sessionCache struct {
	most time.Duration

	mu      sync.Mutex
	entries map[string]*cachedSession // by hash
	writes  uint64                    // counts whatever made something be forgotten
	states  [userShards]uint64        // the same, by user
}

// cachedSession is never changed, so it is read without the lock.
type cachedSession struct {
	session Session
	user    User
	state   uint64 // of the user's shard
	at      time.Time
}

func newSessionCache(most time.Duration) *sessionCache {
	return &sessionCache{most: most, entries: map[string]*cachedSession{}}
}

// seen is what put is to be told, as it was before the session was read.
func (c *sessionCache) seen() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

// put remembers a session, unless something was written since seen.
func (c *sessionCache) put(s *Session, seen uint64, now time.Time) {
	e := &cachedSession{session: *s, user: *s.User, at: now}
	e.session.User, e.user.Row, e.user.Data = nil, Row{}, e.user.Data.clone()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writes != seen {
		return
	}
	for hash := range c.entries { // any one
		if len(c.entries) < maxCached {
			break
		}
		delete(c.entries, hash)
	}
	e.state = c.states[shard(s.UserID)]
	c.entries[s.Hash.Reveal()] = e
}

// get returns a copy of a session that is remembered, or nil.
func (c *sessionCache) get(hash string, now time.Time) *Session {
	e := c.entry(hash, now)
	if e == nil {
		return nil
	}
	out := &struct {
		session Session
		user    User
	}{e.session, e.user}
	out.user.Data = e.user.Data.clone()
	out.session.User = &out.user
	return &out.session
}

func (c *sessionCache) entry(hash string, now time.Time) *cachedSession {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[hash]
	if e == nil {
		return nil
	}
	if age := now.Sub(e.at); age < 0 || age >= c.most || e.state != c.states[shard(e.session.UserID)] {
		delete(c.entries, hash)
		return nil
	}
	return e
}

func (c *sessionCache) forgetUsers(ids ...UserID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	for _, id := range ids {
		c.states[shard(id)]++
	}
}

func (c *sessionCache) forgetSession(hash Secret) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	delete(c.entries, hash.Reveal())
}

func (c *sessionCache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	clear(c.entries)
}

func shard(id UserID) uint64 { return uint64(id) % userShards }

// clone returns a copy that shares nothing with d.
func (d Data) clone() Data {
	if len(d) == 0 {
		return d
	}
	d = maps.Clone(d)
	for key, raw := range d {
		d[key] = slices.Clone(raw)
	}
	return d
}

// cachingStore makes the cache forget what is written, when it is, also if the
// outcome is not known: after the commit, before the verb returns. What somebody
// reads meanwhile is not remembered.
type cachingStore struct {
	Store
	cache *sessionCache
}

func (s cachingStore) Atomic(ctx context.Context, fn func(ctx context.Context) error) error {
	err := s.Store.Atomic(ctx, fn)
	if errors.Is(err, ErrOutcomeUnknown) {
		s.cache.forgetAll()
	}
	return err
}

// users makes the cache forget users.
func (s cachingStore) users(ctx context.Context, ids ...UserID) {
	AfterCommit(ctx, func(context.Context) { s.cache.forgetUsers(ids...) })
}

// session makes the cache forget a session.
func (s cachingStore) session(ctx context.Context, hash Secret) {
	AfterCommit(ctx, func(context.Context) { s.cache.forgetSession(hash) })
}

func (s cachingStore) UpdateUser(ctx context.Context, m Model, search string) error {
	defer s.users(ctx, m.RosterUser().ID)
	return s.Store.UpdateUser(ctx, m, search)
}

func (s cachingStore) RecordLogin(ctx context.Context, id UserID, at time.Time, ip string) error {
	defer s.users(ctx, id)
	return s.Store.RecordLogin(ctx, id, at, ip)
}

func (s cachingStore) PurgeUser(ctx context.Context, id UserID) error {
	defer s.users(ctx, id)
	return s.Store.PurgeUser(ctx, id)
}

func (s cachingStore) PruneUsers(ctx context.Context, before time.Time, without Flags, limit int) ([]UserID, error) {
	defer AfterCommit(ctx, func(context.Context) { s.cache.forgetAll() })
	return s.Store.PruneUsers(ctx, before, without, limit)
}

func (s cachingStore) UpdateSession(ctx context.Context, old Secret, session *Session) error {
	defer s.session(ctx, old)
	return s.Store.UpdateSession(ctx, old, session)
}

func (s cachingStore) SeeSession(ctx context.Context, hash Secret, at, before time.Time) error {
	defer s.session(ctx, hash)
	return s.Store.SeeSession(ctx, hash, at, before)
}

func (s cachingStore) DeleteSession(ctx context.Context, user UserID, id uuid.UUID) error {
	defer s.users(ctx, user)
	return s.Store.DeleteSession(ctx, user, id)
}

func (s cachingStore) DropSession(ctx context.Context, hash Secret) error {
	defer s.session(ctx, hash)
	return s.Store.DropSession(ctx, hash)
}

func (s cachingStore) DeleteSessions(ctx context.Context, user UserID, but uuid.UUID) (int, error) {
	defer s.users(ctx, user)
	return s.Store.DeleteSessions(ctx, user, but)
}

func (s cachingStore) PruneSessions(ctx context.Context, now time.Time, limit int) (int, error) {
	defer AfterCommit(ctx, func(context.Context) { s.cache.forgetAll() })
	return s.Store.PruneSessions(ctx, now, limit)
}
