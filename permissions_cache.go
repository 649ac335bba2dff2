package roster

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// heldSlots bounds the answers in memory, to about 20 MiB. It is a power of two.
const heldSlots = 1 << 16

// heldCache remembers what users hold in scopes, until something is written that
// may change it. See Options.PermissionCache. It has no lock: a slot holds the
// last answer that belongs there.
type heldCache struct {
	most   time.Duration
	clock  func() time.Duration      // since some moment
	epoch  atomic.Uint64             // counts the writes that concern everybody
	states [userShards]atomic.Uint64 // and those that concern one user, by user
	slots  [heldSlots]atomic.Pointer[cachedHeld]
}

// cachedHeld is an answer, never changed.
type cachedHeld struct {
	user  UserID
	scope ScopeID
	held  []Held // good now or not
	live  bool
	at    time.Duration // by the clock of the cache

	// What was counted before the rows were read: if anything was written since,
	// they may be others.
	epoch, state uint64
}

// newHeldCache makes a cache by the clock of Options.Now. Where that is nil the
// difference to a time serves, which costs half of what the time costs.
func newHeldCache(most time.Duration, now func() time.Time) *heldCache {
	if now == nil {
		begun := time.Now()
		return &heldCache{most: most, clock: func() time.Duration { return time.Since(begun) }}
	}
	begun := now()
	return &heldCache{most: most, clock: func() time.Duration { return now().Sub(begun) }}
}

func (c *heldCache) slot(user UserID, scope ScopeID) *atomic.Pointer[cachedHeld] {
	const odd, other = 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f // spread the bits
	return &c.slots[(uint64(user)*odd^uint64(scope)*other)>>32%heldSlots]
}

// get returns what is remembered, or nil.
func (c *heldCache) get(user UserID, scope ScopeID, now time.Duration) *cachedHeld {
	e := c.slot(user, scope).Load()
	if e == nil || e.user != user || e.scope != scope || e.epoch != c.epoch.Load() || e.state != c.states[shard(user)].Load() {
		return nil
	}
	if age := now - e.at; age < 0 || age >= c.most {
		return nil
	}
	return e
}

func (c *heldCache) forgetUser(id UserID) { c.states[shard(id)].Add(1) }

func (c *heldCache) forgetAll() { c.epoch.Add(1) }

// holding is what a user holds in a scope and in scope 0, good or not, and whether
// it can sign in; from memory, if that is allowed.
func (us *Users) holding(ctx context.Context, user UserID, scope ScopeID) ([]Held, bool, error) {
	c := us.held
	if c == nil || inTransaction(ctx) {
		return us.store.HeldGrants(ctx, user, scope)
	}
	now := c.clock()
	if e := c.get(user, scope, now); e != nil {
		return e.held, e.live, ctx.Err()
	}
	e := &cachedHeld{user: user, scope: scope, at: now, epoch: c.epoch.Load(), state: c.states[shard(user)].Load()}
	var err error
	if e.held, e.live, err = us.store.HeldGrants(ctx, user, scope); err != nil {
		return nil, false, err
	}
	c.slot(user, scope).Store(e)
	return e.held, e.live, nil
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
