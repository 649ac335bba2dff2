package roster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"

	"github.com/go-roster/roster/password"
)

// Hasher turns passwords into stored hashes. It must be safe for concurrent
// use. See package password for the one that is used if Options names none.
type Hasher interface {
	// Hash returns a hash of the password, salted anew.
	Hash(ctx context.Context, password string) (string, error)

	// Verify reports whether hash was made of password, and whether it should
	// be made again because the parameters have changed since. A mismatch is no
	// error; a hash that cannot be read is.
	Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error)

	// Dummy returns a hash that no password matches and that costs Verify what
	// a hash of today costs. It is used to refuse everybody after equal work.
	Dummy() string

	// Memory returns how many bytes Verify takes for hash, or, for the empty
	// string, how many Hash takes. It does none of the work. What takes next to
	// none, bcrypt say, is some bytes still: zero means that there is no work at
	// all, and nothing to wait for; so it is for a hash that cannot be read.
	Memory(hash string) int64

	// Format names the kind of a stored hash, "argon2id" say, without any work.
	// It fails for one that Verify cannot read.
	Format(hash string) (string, error)

	// Wrap makes a stored hash of a weak kind strong without the password, if it
	// can; else the hash comes back as it is. Verify reads both. It takes what
	// Hash takes.
	Wrap(ctx context.Context, hash string) (string, error)
}

// hash makes a stored hash, once the gate lets it.
func (us *Users) hash(ctx context.Context, prepared string) (hash string, err error) {
	hasher := us.opts.Hasher
	full := us.gate.Do(ctx, clientSource(ctx), hasher.Memory(""), func() {
		hash, err = hasher.Hash(ctx, prepared)
	})
	return hash, cmp.Or(busy(full), err)
}

// verify compares a password with a credential, once the gate lets it. Whatever
// is wrong, a missing credential, a password that nobody can have, a hash that
// cannot be read, it does the work of comparing.
func (us *Users) verify(ctx context.Context, c *Credential, typed string) (ok, rehash bool, err error) {
	hasher := us.opts.Hasher
	need := hasher.Memory("")
	if c != nil {
		need = max(need, hasher.Memory(c.Hash.Reveal()))
	}
	full := us.gate.Do(ctx, clientSource(ctx), need, func() {
		ok, rehash, err = us.compare(ctx, c, typed)
	})
	return ok, rehash, cmp.Or(busy(full), err)
}

func (us *Users) compare(ctx context.Context, c *Credential, typed string) (ok, rehash bool, err error) {
	hasher := us.opts.Hasher
	prepared, refused := password.Prepare(typed)
	if refused == nil && c != nil {
		ok, rehash, err = hasher.Verify(ctx, c.Hash.Reveal(), prepared)
		err = missingKey(err)
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrUnavailable) {
			return ok, rehash, err
		}
		us.opts.Logger.ErrorContext(ctx, "password hash cannot be read", slog.Int64("user", int64(c.UserID)))
	}
	if refused != nil {
		prepared = "x"
	}
	_, _, err = hasher.Verify(ctx, hasher.Dummy(), prepared)
	return false, false, err
}

// busy tells the caller that the gate is full in the words of this package.
func busy(err error) error {
	if errors.Is(err, password.ErrFull) {
		return ErrBusy
	}
	return err
}

// clientSource is who waits at the gate, and whom failures are counted of: the
// address of the client, of IPv6 the /64 that one customer has. It is empty for
// the program itself.
func clientSource(ctx context.Context) string { return clientPrefix(ctx, 64) }

// clientPrefix is the address of the client, of IPv6 so many bits of it. Empty
// if there is none.
func clientPrefix(ctx context.Context, bits int) string {
	addr := ClientFrom(ctx).Addr.Unmap().WithZone("")
	if !addr.Is6() {
		bits = addr.BitLen()
	}
	prefix, err := addr.Prefix(bits)
	if err != nil || !addr.IsValid() {
		return ""
	}
	return prefix.String()
}

// newGate sizes the gate, and says which option is wrong.
func newGate(o *Options) (*password.Gate, error) {
	one := o.Hasher.Memory("")
	memory := int64(min(o.HashMemory, 1<<30)) << 20 // at most a PiB
	places := o.HashQueue
	switch {
	case memory < 0 || memory > 0 && memory < one:
		return nil, option("HashMemory", fmt.Errorf("must be at least the %d MiB of one hash, or zero", (one+1<<20-1)>>20))
	case o.HashQueue < 0:
		return nil, option("HashQueue", errors.New("must not be negative"))
	}
	if memory == 0 {
		memory = max(one, 1) * int64(runtime.GOMAXPROCS(0))
	}
	if places == 0 {
		places = max(256, 128*runtime.GOMAXPROCS(0))
	}
	return password.NewGate(memory, places)
}
