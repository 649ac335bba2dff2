package password

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"sync/atomic"
)

const (
	defaultRate = 0.001
	maxHashes   = 40 // bits that one password sets; a rate of 1e-12 needs them
)

// Filter is a set of breached passwords that fits in memory: a Bloom filter, at
// 14 bits for each of them by default. What was added is always found; of what
// was not, a small part is found as well, and then somebody has to think of
// another password. Its method Breached serves [Policy].
//
// Make one with [NewFilter], fill it from public lists with [Filter.ReadSHA1]
// and [Filter.ReadPlain], keep it with [Filter.WriteTo], and load that with
// [ReadFilter]. It can be asked, and added to, by many at once.
type Filter struct {
	words  []uint64
	hashes int           // bits that each password sets
	added  atomic.Uint64 // passwords, those too that were there
}

// NewFilter returns an empty filter for so many passwords, of which rate says
// how many of those that are not in it may be found all the same: 0.5 at most,
// 1e-12 at least. Zero means 0.001. The memory is taken at once: 1.8 bytes for
// each password at 0.001, 2.4 at 0.0001. Adding more passwords raises the rate,
// see [Filter.Rate].
//
// It returns an error that says what is out of bounds.
func NewFilter(passwords int, rate float64) (*Filter, error) {
	rate = cmp.Or(rate, defaultRate)
	if passwords < 1 || passwords > 1<<40 {
		return nil, fmt.Errorf("password: a Filter for %d passwords", passwords)
	}
	if !(rate >= 1e-12 && rate <= 0.5) { // not a number, neither
		return nil, fmt.Errorf("password: a Filter with a rate of %g", rate)
	}
	each := -math.Log2(rate) / math.Ln2 // bits
	return &Filter{
		words:  make([]uint64, int(math.Ceil(float64(passwords)*each/64))),
		hashes: min(max(1, int(math.Round(each*math.Ln2))), maxHashes),
	}, nil
}

// Add adds a password that came out of [Prepare].
func (f *Filter) Add(prepared string) { f.AddSHA1(sha1.Sum([]byte(prepared))) }

// AddSHA1 adds the password that has this SHA-1.
func (f *Filter) AddSHA1(sum [sha1.Size]byte) {
	for word, bit := range f.places(sum) {
		atomic.OrUint64(word, bit)
	}
	f.added.Add(1)
}

// Has reports whether a password that came out of [Prepare] is in the filter,
// or seems to be.
func (f *Filter) Has(prepared string) bool { return f.has(sha1.Sum([]byte(prepared))) }

// Breached is [Filter.Has] for a SHA-1, as Policy.Breached asks. It never
// fails.
func (f *Filter) Breached(_ context.Context, sha1 [20]byte) (bool, error) { return f.has(sha1), nil }

func (f *Filter) has(sum [sha1.Size]byte) bool {
	for word, bit := range f.places(sum) {
		if atomic.LoadUint64(word)&bit == 0 {
			return false
		}
	}
	return true
}

// places goes through the bits that a password sets. The halves of its SHA-1
// are as good as hash functions of our own: h + i*g, one bit for each i.
func (f *Filter) places(sum [sha1.Size]byte) func(yield func(word *uint64, bit uint64) bool) {
	h, g := binary.BigEndian.Uint64(sum[0:8]), binary.BigEndian.Uint64(sum[8:16])|1
	return func(yield func(*uint64, uint64) bool) {
		for range f.hashes {
			at, _ := bits.Mul64(h, uint64(len(f.words))*64) // as in a fraction of all bits
			if !yield(&f.words[at/64], 1<<(at%64)) {
				return
			}
			h += g
		}
	}
}

// Len returns how many passwords were added, twice what came twice.
func (f *Filter) Len() int { return int(f.added.Load()) }

// Rate estimates how many of the passwords that were not added are found all
// the same. It looks at every bit.
func (f *Filter) Rate() float64 {
	ones := 0
	for i := range f.words {
		ones += bits.OnesCount64(atomic.LoadUint64(&f.words[i]))
	}
	return math.Pow(float64(ones)/float64(len(f.words)*64), float64(f.hashes))
}

// ErrFilter says that what [ReadFilter] read is no filter, or a corrupt one, or
// one of a later version.
var ErrFilter = errors.New("password: not a filter, or a corrupt one")
