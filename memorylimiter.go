package roster

import (
	"cmp"
	"container/heap"
	"container/list"
	"context"
	"math/bits"
	"slices"
	"sync"
	"time"
)

// defaultLimiterKeys is about 30 MB.
const defaultLimiterKeys = 100_000

// MemoryLimiter is a [Limiter] in the memory of one process, for programs that
// run as one and would rather not write to the database for every wrong password.
// What it has counted is forgotten when the process ends. [NewMemoryLimiter] makes
// one. It is safe for concurrent use.
//
// It keeps a bounded number of keys. When it is full, one that has expired goes,
// else the count that is the lowest, and of those that are as high (1, 2-3, 4-7 and so on) the one that
// was taken least lately: so whoever floods it with names that they have just made
// up pushes out each other's and not the count of somebody whom they attack.
type MemoryLimiter struct {
	mu     sync.Mutex
	most   int
	counts map[string]*counted
	levels [bits.UintSize + 1]list.List // of *counted, by the length of N in bits; the next to go is in front
	ends   ends
}

// counted is one count.
type counted struct {
	LimitCount
	place *list.Element // in its level
	index int           // in ends
}

// ends is a heap of counts by the time that they expire.
type ends []*counted

func (h ends) Len() int           { return len(h) }
func (h ends) Less(i, j int) bool { return h[i].ExpiresAt.Before(h[j].ExpiresAt) }
func (h ends) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *ends) Push(x any) {
	c := x.(*counted)
	c.index = len(*h)
	*h = append(*h, c)
}

func (h *ends) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return c
}

// NewMemoryLimiter returns a limiter that keeps so many keys at once. Zero, or
// less, means 100,000, which take about 30 MB.
func NewMemoryLimiter(keys int) *MemoryLimiter {
	if keys <= 0 {
		keys = defaultLimiterKeys
	}
	return &MemoryLimiter{most: max(keys, MaxLimits), counts: map[string]*counted{}}
}

// LimitCounts implements [Limiter].
func (m *MemoryLimiter) LimitCounts(ctx context.Context, now time.Time, keys ...string) ([]LimitCount, error) {
	if err := m.check(ctx, len(keys)); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var counts []LimitCount
	for _, key := range keys {
		if c := m.get(key, stamp(now)); c != nil {
			counts = append(counts, c.LimitCount)
		}
	}
	slices.SortFunc(counts, func(a, b LimitCount) int { return cmp.Compare(a.Key, b.Key) })
	return counts, nil
}

// TakeLimits implements [Limiter].
func (m *MemoryLimiter) TakeLimits(ctx context.Context, now time.Time, takes ...LimitTake) ([]string, error) {
	if err := m.check(ctx, len(takes)); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now = stamp(now)
	var taken []string
	for _, t := range takes {
		row := LimitCount{Key: t.Key, N: 1, LastAt: now, ExpiresAt: stamp(t.ExpiresAt)}
		if c := m.counts[t.Key]; c != nil {
			if c.ExpiresAt.After(now) {
				if c.N >= t.Max {
					continue
				}
				row.N += c.N
			}
			if c.ExpiresAt.After(row.ExpiresAt) {
				row.ExpiresAt = c.ExpiresAt
			}
		}
		m.drop(t.Key)
		if len(m.counts) >= m.most {
			m.evict(now)
		}
		m.put(row)
		taken = append(taken, t.Key)
	}
	slices.Sort(taken)
	return taken, nil
}

// GiveLimits implements [Limiter].
func (m *MemoryLimiter) GiveLimits(ctx context.Context, one, all []string) error {
	if err := m.check(ctx, len(one)+len(all)); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range all {
		m.drop(key)
	}
	for _, key := range one {
		if c := m.counts[key]; c != nil {
			m.drop(key)
			if c.LimitCount.N--; c.N > 0 {
				m.put(c.LimitCount)
			}
		}
	}
	return nil
}

func (m *MemoryLimiter) check(ctx context.Context, keys int) error {
	if keys > MaxLimits {
		return invalid(FieldLimit, ReasonTooLong)
	}
	return ctx.Err()
}

// get finds a count that has not expired.
func (m *MemoryLimiter) get(key string, now time.Time) *counted {
	if c := m.counts[key]; c != nil && c.ExpiresAt.After(now) {
		return c
	}
	return nil
}

func (m *MemoryLimiter) put(row LimitCount) {
	c := &counted{LimitCount: row}
	c.place = m.level(c).PushBack(c)
	heap.Push(&m.ends, c)
	m.counts[c.Key] = c
}

func (m *MemoryLimiter) drop(key string) {
	if c := m.counts[key]; c != nil {
		m.level(c).Remove(c.place)
		heap.Remove(&m.ends, c.index)
		delete(m.counts, key)
	}
}

func (m *MemoryLimiter) level(c *counted) *list.List { return &m.levels[bits.Len(uint(c.N))] }

// evict makes room for one.
func (m *MemoryLimiter) evict(now time.Time) {
	if first := m.ends[0]; !first.ExpiresAt.After(now) {
		m.drop(first.Key)
		return
	}
	for i := range m.levels {
		if e := m.levels[i].Front(); e != nil {
			m.drop(e.Value.(*counted).Key)
			return
		}
	}
}
