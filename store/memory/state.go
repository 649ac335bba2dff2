package memory

import (
	"cmp"
	"encoding/binary"
	"iter"
	"strings"
	"time"

	"github.com/tidwall/btree"

	"github.com/go-roster/roster"
)

// state is everything at one moment. Once published nobody changes it, nor any
// row in it; a writer forks it first.
type state struct {
	gen   uint64 // which indices are this state's own
	dirty bool   // something was written

	users       userTable
	names       nameTable
	emails      emailTable
	activations activationTable
	credentials credentialTable
	outbox      outboxTable
	limits      limitTable
	undos       undoTable
	sessions    sessionTable
	identities  identityTable
	events      eventTable
	groups      groupTable
	members     memberTable
	grants      grantTable
}

// fork returns a state to change. It shares every index with st until that is
// written to. Only the writer may call it.
func (st *state) fork() *state {
	next := *st
	next.gen++
	next.dirty = false
	return &next
}

// index maps keys, in their order, to rows or to the IDs of rows. Its zero
// value is empty.
type index[K cmp.Ordered, V any] struct {
	tree *btree.Map[K, V]
	gen  uint64 // of the state that may change tree
}

// degree is a compromise: wide nodes are fast to read, narrow ones are cheap to
// copy when they are written to.
const degree = 16

// get returns the value, or the zero V.
func (ix index[K, V]) get(key K) V {
	if ix.tree == nil {
		var none V
		return none
	}
	v, _ := ix.tree.Get(key)
	return v
}

func (ix index[K, V]) len() int {
	if ix.tree == nil {
		return 0
	}
	return ix.tree.Len()
}

// from goes through the entries from a key on. The loop must not write to ix.
func (ix index[K, V]) from(key K) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		if ix.tree != nil {
			ix.tree.Ascend(key, yield)
		}
	}
}

// prefixed goes through the entries whose keys have the prefix.
func prefixed[V any](ix index[string, V], prefix string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for key, v := range ix.from(prefix) {
			if !strings.HasPrefix(key, prefix) || !yield(key, v) {
				return
			}
		}
	}
}

// own makes the tree of an index of st one that only st has. Readers of the
// tree it is copied from may go on: Copy writes a field that only writers read.
func own[K cmp.Ordered, V any](st *state, ix *index[K, V]) *btree.Map[K, V] {
	switch {
	case ix.tree == nil:
		ix.tree = btree.NewMap[K, V](degree)
	case ix.gen != st.gen:
		ix.tree = ix.tree.Copy()
	}
	ix.gen = st.gen
	st.dirty = true
	return ix.tree
}

func put[K cmp.Ordered, V any](st *state, ix *index[K, V], key K, v V) { own(st, ix).Set(key, v) }

func drop[K cmp.Ordered, V any](st *state, ix *index[K, V], key K) { own(st, ix).Delete(key) }

// replace puts row in the place of old in the index that all rows of a table
// are in. A nil row deletes.
func replace[K cmp.Ordered, R any](st *state, ix *index[K, *R], key K, row *R) {
	if row != nil {
		put(st, ix, key, row)
	} else {
		drop(st, ix, key)
	}
}

// reindex follows old becoming row in another index of their table: place says
// where a row stands in it, if it does. A nil row stands nowhere.
func reindex[K cmp.Ordered, V, R any](
	st *state, ix *index[K, V], place func(*R) (K, bool), old, row *R, v V,
) {
	var from, to K
	var was, is bool
	if old != nil {
		from, was = place(old)
	}
	if row != nil {
		to, is = place(row)
	}
	if was && is && from == to {
		return
	}
	if was {
		drop(st, ix, from)
	}
	if is {
		put(st, ix, to, v)
	}
}

// ints is a key that sorts as the numbers do, one after the other. A text may
// follow it.
func ints(ns ...int64) string {
	b := make([]byte, 0, 24)
	for _, n := range ns {
		b = binary.BigEndian.AppendUint64(b, uint64(n)^1<<63)
	}
	return string(b)
}

// text is the beginning of a key that sorts as s does; numbers may follow it.
func text(s string) string {
	return strings.ReplaceAll(s, "\x00", "\x00\xff") + "\x00\x01"
}

// keyed refuses an empty key: no row has one in any store.
func keyed(field, key string) error {
	if key == "" {
		return &roster.InvalidError{Field: field, Reason: roster.ReasonEmpty}
	}
	return nil
}

// micros is t as it is kept: in UTC, with microseconds.
func micros(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}
