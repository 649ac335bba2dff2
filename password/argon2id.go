package password

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
)

const (
	saltLen = 16 // bytes of a new hash
	tagLen  = 32

	maxTime      = 16
	maxThreads   = 16
	maxMemoryKiB = 256 << 10 // 256 MiB
)

// Argon2id hashes and verifies passwords with argon2id version 1.3, RFC 9106.
// New hashes have a random salt of 16 bytes and a tag of 32.
//
// The zero Argon2id is [OWASP]; each field that is zero has the value it has
// there. An Argon2id is a value: compare it, copy it, use it concurrently.
type Argon2id struct {
	// Time is the number of passes over the memory, 1 to 16. Zero means 2.
	Time uint32

	// MemoryKiB is the memory that one hash takes, in KiB: 8 for each thread at
	// least, 262144 (256 MiB) at most. Zero means 19456 (19 MiB).
	MemoryKiB uint32

	// Threads is the number of lanes, each filled by a goroutine of its own, 1
	// to 16. Zero means 1. It is part of the result: a hash keeps the number it
	// was made with on every machine.
	Threads uint8
}

// OWASP returns the parameters that the OWASP Password Storage Cheat Sheet and
// ASVS 5.0 name first: 2 passes over 19 MiB in 1 thread. They are the default.
func OWASP() Argon2id { return Argon2id{Time: 2, MemoryKiB: 19456, Threads: 1} }

// RFC9106 returns the second recommended option of RFC 9106 section 4: 3 passes
// over 64 MiB in 4 threads. The first one takes 2 GiB for each hash, which is
// more than this package allows.
func RFC9106() Argon2id { return Argon2id{Time: 3, MemoryKiB: 64 << 10, Threads: 4} }

// Validate reports every parameter that is out of bounds, see the fields. It
// does not judge whether they are strong enough: tests want cheap ones.
func (a Argon2id) Validate() error { return a.orDefault().check() }

func (a Argon2id) orDefault() Argon2id {
	def := OWASP()
	return Argon2id{
		Time:      cmp.Or(a.Time, def.Time),
		MemoryKiB: cmp.Or(a.MemoryKiB, def.MemoryKiB),
		Threads:   cmp.Or(a.Threads, def.Threads),
	}
}

// check takes zero literally. argon2.IDKey panics on zero passes or threads,
// and takes less memory than it was told to where a thread has under 8 KiB.
func (a Argon2id) check() error {
	var errs []error
	if a.Time < 1 || a.Time > maxTime {
		errs = append(errs, fmt.Errorf("password: Argon2id.Time is %d, must be 1 to %d", a.Time, maxTime))
	}
	if least := max(1, uint32(a.Threads)) * 8; a.MemoryKiB < least || a.MemoryKiB > maxMemoryKiB {
		errs = append(errs, fmt.Errorf("password: Argon2id.MemoryKiB is %d, must be %d to %d", a.MemoryKiB, least, maxMemoryKiB))
	}
	if a.Threads < 1 || a.Threads > maxThreads {
		errs = append(errs, fmt.Errorf("password: Argon2id.Threads is %d, must be 1 to %d", a.Threads, maxThreads))
	}
	return errors.Join(errs...)
}

// Hash returns the PHC string of a password that came out of [Prepare]. Two
// hashes of one password differ, for their salts do.
//
// It returns an [*Error] if the password is empty or longer than [MaxBytes],
// what Validate says about the receiver, or the error of ctx. The ctx is looked
// at once, before the work, which cannot be interrupted.
func (a Argon2id) Hash(ctx context.Context, password string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := a.Validate(); err != nil {
		return "", err
	}
	switch {
	case password == "":
		return "", &Error{ReasonEmpty}
	case len(password) > MaxBytes:
		return "", &Error{ReasonTooLong}
	}
	h := phc{cost: a.orDefault(), salt: random(saltLen)}
	h.tag = h.derive(password, tagLen)
	return h.encode(), nil
}

// Verify reports whether hash was made from a password that came out of
// [Prepare]. A wrong password is ok == false and no error. So is one that is
// empty or longer than [MaxBytes], after the same work.
//
// It costs what hash says, up to 16 passes over 256 MiB, whatever the
// parameters of the receiver; but a hash that does not match is paid for as one of
// the receiver's at least, so that one from a time of lower parameters is not
// refused sooner than an unknown name. rehash asks for a new hash of the same password:
// it matched, and the cost or the length of salt or tag is not what the
// receiver would make.
//
// The error wraps [ErrHash] if hash is anything but an argon2id hash within the
// bounds of the fields, with a salt of 8 to 64 bytes and a tag of 16 to 64. No
// work was done then; to hide that, verify against [Argon2id.Dummy] as well. It
// is what Validate says about the receiver, or the error of ctx, if one of them
// is not fine before the work begins.
func (a Argon2id) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, false, err
	}
	if err := a.Validate(); err != nil {
		return false, false, err
	}
	h, err := parsePHC(hash)
	if err != nil {
		return false, false, err
	}
	possible := password != "" && len(password) <= MaxBytes
	if !possible {
		password = ""
	}
	tag := h.derive(password, len(h.tag))
	ok = subtle.ConstantTimeCompare(tag, h.tag) == 1 && possible
	if !ok {
		a.orDefault().catchUp(h.cost, password)
	}
	fresh := h.cost == a.orDefault() && len(h.salt) == saltLen && len(h.tag) == tagLen
	return ok, ok && !fresh, nil
}

// Dummy returns a hash of nothing: well-formed, with the parameters of the
// receiver, and with a salt and a tag that are random, so that no password
// matches it. Verifying against it costs what a real hash costs, which keeps a
// sign-in under an unknown name from being told by its time.
//
// It does no hashing and is different every time. A receiver that Validate
// refuses gives a hash that Verify refuses.
func (a Argon2id) Dummy() string {
	return phc{cost: a.orDefault(), salt: random(saltLen), tag: random(tagLen)}.encode()
}

// Memory returns how many bytes [Argon2id.Verify] of hash takes at most, by the
// parameters that hash names and those of the receiver. For the empty string it is
// what [Argon2id.Hash] takes. It is zero for a hash that Verify does not read.
func (a Argon2id) Memory(hash string) int64 {
	if hash == "" {
		return a.orDefault().memory()
	}
	h, err := parsePHC(hash)
	if err != nil {
		return 0
	}
	return max(h.cost.memory(), a.orDefault().lacks(h.cost).memory())
}

// Format is "argon2id", or an error that wraps [ErrHash] if Verify does not read
// hash.
func (a Argon2id) Format(hash string) (string, error) {
	if _, err := parsePHC(hash); err != nil {
		return "", err
	}
	return "argon2id", nil
}

// Wrap returns hash as it is, the error of ctx, or one that wraps [ErrHash] if
// Verify does not read hash. [Hasher.Wrap] wraps the hashes of other systems.
func (a Argon2id) Wrap(ctx context.Context, hash string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if _, err := parsePHC(hash); err != nil {
		return "", err
	}
	return hash, nil
}

func (a Argon2id) memory() int64 { return int64(a.MemoryKiB) << 10 }

// lacks returns parameters that cost what those of done fall short of those of a,
// by memory and passes together. MemoryKiB is zero if that is nothing.
func (a Argon2id) lacks(done Argon2id) Argon2id {
	work := func(c Argon2id) uint64 { return uint64(c.MemoryKiB) * uint64(c.Time) }
	rest := a
	rest.MemoryKiB = 0
	if work(done) < work(a) {
		rest.MemoryKiB = max(uint32((work(a)-work(done))/uint64(a.Time)), 8*uint32(a.Threads))
	}
	return rest
}

// catchUp does the work that verifying a hash of cost done has left undone.
func (a Argon2id) catchUp(done Argon2id, password string) {
	if rest := a.lacks(done); rest.MemoryKiB > 0 {
		phc{cost: rest, salt: random(saltLen)}.derive(password, tagLen)
	}
}

func (h phc) derive(password string, n int) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.cost.Time, h.cost.MemoryKiB, h.cost.Threads, uint32(n))
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: the program ends if the system has no randomness
	return b
}
