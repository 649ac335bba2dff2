package roster

import (
	"context"
	"errors"
	"sync"
	"time"
)

// maxCachedHeld bounds the answers in memory, to about 20 MiB.
const maxCachedHeld = 50_000

// heldCache remembers what users hold in scopes, until something is written that
// may change it. See Options.PermissionCache.
type heldCache struct {
	most time.Duration

	mu      sync.RWMutex
	entries map[heldKey]*cachedHeld
	writes  uint64             // counts whatever made something be forgotten
	epoch   uint64             // counts what concerns everybody
	states  [userShards]uint64 // the same, by user
}

type heldKey struct {
	user  UserID
	scope ScopeID
}

// cachedHeld is never changed, so it is read without the lock.
type cachedHeld struct {
	held  []Held // good now or not
	live  bool
	epoch uint64
	state uint64 // of the user's shard
	at    time.Time
}

func newHeldCache(most time.Duration) *heldCache {
	return &heldCache{most: most, entries: map[heldKey]*cachedHeld{}}
}

// seen is what put is to be told, as it was before the rows were read.
func (c *heldCache) seen() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.writes
}

// put remembers an answer, unless something was written since seen.
func (c *heldCache) put(key heldKey, e *cachedHeld, seen uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writes != seen {
		return
	}
	for old := range c.entries { // any one
		if len(c.entries) < maxCachedHeld {
			break
		}
		delete(c.entries, old)
	}
	e.epoch, e.state = c.epoch, c.states[shard(key.user)]
	c.entries[key] = e
}

// get returns what is remembered, or nil.
func (c *heldCache) get(key heldKey, now time.Time) *cachedHeld {
	c.mu.RLock()
	e := c.entries[key]
	good := e != nil && e.epoch == c.epoch && e.state == c.states[shard(key.user)]
	c.mu.RUnlock()
	if !good {
		return nil
	}
	if age := now.Sub(e.at); age < 0 || age >= c.most {
		return nil
	}
	return e
}

func (c *heldCache) forgetUser(id UserID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	c.states[shard(id)]++
}

func (c *heldCache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	c.epoch++
	clear(c.entries)
}

// holding is what a user holds in a scope and in scope 0, and whether it can
// sign in; from memory, if that is allowed.
func (us *Users) holding(ctx context.Context, user UserID, scope ScopeID) ([]Held, bool, error) {
	if us.held == nil || inTransaction(ctx) {
		return us.store.HeldGrants(ctx, user, scope)
	}
	key, now := heldKey{user, scope}, us.now()
	if e := us.held.get(key, now); e != nil {
		return e.held, e.live, ctx.Err()
	}
	seen := us.held.seen()
	held, live, err := us.store.HeldGrants(ctx, user, scope)
	if err == nil {
		us.held.put(key, &cachedHeld{held: held, live: live, at: now}, seen)
	}
	return held, live, err
}

// heldStore makes the cache forget what is written, as cachingStore does.
type heldStore struct {
	Store
	cache *heldCache
}

func (s heldStore) Atomic(ctx context.Context, fn func(ctx context.Context) error) error {
	err := s.Store.Atomic(ctx, fn)
	if errors.Is(err, ErrOutcomeUnknown) {
		s.cache.forgetAll()
	}
	return err
}

// subject makes the cache forget a user, or everybody for a group.
func (s heldStore) subject(ctx context.Context, of Subject) {
	AfterCommit(ctx, func(context.Context) {
		if of.Group != 0 {
			s.cache.forgetAll()
		} else {
			s.cache.forgetUser(of.User)
		}
	})
}

func (s heldStore) PutGrants(ctx context.Context, g Grant, ps ...Permission) (int, error) {
	defer s.subject(ctx, g.Subject)
	return s.Store.PutGrants(ctx, g, ps...)
}

func (s heldStore) DeleteGrants(ctx context.Context, of Subject, scope ScopeID, ps ...Permission) (int, error) {
	defer s.subject(ctx, of)
	return s.Store.DeleteGrants(ctx, of, scope, ps...)
}

func (s heldStore) PutMember(ctx context.Context, m *Membership) (bool, error) {
	defer s.subject(ctx, ToUser(m.UserID))
	return s.Store.PutMember(ctx, m)
}

func (s heldStore) DeleteMember(ctx context.Context, group GroupID, user UserID) error {
	defer s.subject(ctx, ToUser(user))
	return s.Store.DeleteMember(ctx, group, user)
}

func (s heldStore) DeleteGroup(ctx context.Context, id GroupID) error {
	defer s.subject(ctx, ToGroup(id))
	return s.Store.DeleteGroup(ctx, id)
}

func (s heldStore) UpdateUser(ctx context.Context, m Model, search string) error {
	defer s.subject(ctx, ToUser(m.RosterUser().ID))
	return s.Store.UpdateUser(ctx, m, search)
}

func (s heldStore) PurgeUser(ctx context.Context, id UserID) error {
	defer s.subject(ctx, ToUser(id))
	return s.Store.PurgeUser(ctx, id)
}

func (s heldStore) PruneUsers(ctx context.Context, before time.Time, without Flags, limit int) ([]UserID, error) {
	defer AfterCommit(ctx, func(context.Context) { s.cache.forgetAll() })
	return s.Store.PruneUsers(ctx, before, without, limit)
}
