package password

import (
	"context"
	"crypto/subtle"
	"errors"
	"strings"
)

// Hasher makes argon2id hashes, with a pepper if it has one, and verifies those
// and the hashes of other systems, see [Origin]. A hash of another system that
// matched, or of another cost or pepper, is to be made again: so people move as
// they sign in. [Hasher.Wrap] moves everybody at once.
//
// The zero Hasher is [OWASP] without a pepper. A Hasher is a value; it is safe
// for concurrent use. It prints without its keys.
type Hasher struct {
	// Cost is what a new hash costs. Zero means OWASP().
	Cost Argon2id

	// Peppers are the keys on the hashes. New ones get the first; the others
	// verify what was made with them, and what matched is made again. To rotate,
	// put the new key in front, and take an old one away when no hash needs it
	// any more (see Format). Nil means no pepper.
	Peppers []Pepper

	// DevisePepper is config.pepper of a Devise application whose hashes were
	// imported as [DevisePeppered]. Zero means none.
	DevisePepper Key

	// Firebase are the parameters of the project whose hashes [ImportFirebase]
	// imported. Zero means none.
	Firebase Firebase
}

// Validate reports everything that is wrong with the receiver: a Cost that
// [Argon2id.Validate] refuses; a pepper whose key is shorter than 32 bytes, or
// zeros, or whose ID is malformed or taken; parameters of Firebase out of
// bounds.
func (h Hasher) Validate() error {
	return errors.Join(h.Cost.Validate(), checkPeppers(h.Peppers), h.Firebase.validate())
}

// current is the ID of the pepper on new hashes, empty if there is none.
func (h Hasher) current() string {
	if len(h.Peppers) == 0 {
		return ""
	}
	return h.Peppers[0].ID
}

// key finds the key of a pepper. No pepper has an empty one.
func (h Hasher) key(id string) ([]byte, error) {
	for _, p := range h.Peppers {
		if p.ID == id {
			return p.Key.reveal(), nil
		}
	}
	if id != "" {
		return nil, keyMissing("pepper")
	}
	return nil, nil
}

// seal makes a new argon2id hash of a secret.
func (h Hasher) seal(secret []byte) sealed {
	s := sealed{phc{cost: h.Cost.orDefault(), salt: random(saltLen), tag: make([]byte, tagLen)}, h.current()}
	key, _ := h.key(s.pepper) // it is there: it was asked for
	s.tag = s.compute(secret, key)
	return s
}

// Hash returns a stored hash of a password that came out of [Prepare]: a PHC
// string, after $pepper$ and the ID if there is a pepper. Its errors are those
// of [Argon2id.Hash], and what Validate says about the receiver.
func (h Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := errors.Join(ctx.Err(), h.Validate()); err != nil {
		return "", err
	}
	switch {
	case password == "":
		return "", &Error{ReasonEmpty}
	case len(password) > MaxBytes:
		return "", &Error{ReasonTooLong}
	}
	return h.seal([]byte(password)).encode(), nil
}

// Verify reports whether hash was made from a password that came out of
// [Prepare], and whether it should be made again: it matched, and it is of
// another system, wrapped, or not what Hash would make. A wrong password is no
// error, nor is one that is empty, longer than [MaxBytes], or more than the
// system that hash comes from could tell apart: over 72 bytes for bcrypt, a NUL
// for any.
//
// It takes as long as hash says; the package comment lists the bounds. What does
// not match is never refused sooner than an unknown name: an argon2id hash of lower
// parameters than Cost is paid for up to these, a hash of another system with one
// argon2id more. The latter is refused later by what it
// costs itself: nothing to speak of for a cheap one, but a dear one, bcrypt of
// cost 12 say, still tells that there is such an account, also when it is
// wrapped, until its owner has signed in and it is made again.
//
// The error wraps [ErrHash] if hash is corrupt, of no kind that is known, or
// out of bounds, and then no work was done; [ErrKey] if it needs a key that the
// receiver has not; or it is what Validate says, or the error of ctx.
func (h Hasher) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	if err := errors.Join(ctx.Err(), h.Validate()); err != nil {
		return false, false, err
	}
	st, err := parseStored(hash)
	if err != nil {
		return false, false, err
	}
	key, err := h.key(st.pepper)
	if err != nil {
		return false, false, err
	}
	possible := password != "" && len(password) <= MaxBytes && (st.foreign == nil || !strings.Contains(password, "\x00"))
	if !possible {
		password = "x"
	}
	sameSealed := func(secret []byte) bool {
		return subtle.ConstantTimeCompare(st.compute(secret, key), st.tag) == 1
	}
	switch {
	case st.foreign == nil:
		ok = sameSealed([]byte(password)) && possible
	case st.wrapped:
		ok, err = st.foreign.match(&h, password, possible, sameSealed)
	default:
		ok, err = st.foreign.match(&h, password, possible, st.foreign.same)
	}
	if err == nil && !ok {
		h.Cost.orDefault().catchUp(st.cost, password)
	}
	return ok, ok && (st.foreign != nil || !h.fresh(st.sealed)), err
}

func (h Hasher) fresh(s sealed) bool {
	return s.cost == h.Cost.orDefault() && s.pepper == h.current() && len(s.salt) == saltLen && len(s.tag) == tagLen
}

// Dummy is [Argon2id.Dummy] with the cost and the pepper of new hashes.
func (h Hasher) Dummy() string {
	return sealed{phc{cost: h.Cost.orDefault(), salt: random(saltLen), tag: random(tagLen)}, h.current()}.encode()
}

// Memory returns how many bytes Verify of hash takes, or, for the empty string,
// Hash. It is zero for a hash that Verify does not read.
func (h Hasher) Memory(hash string) int64 {
	cost := h.Cost.orDefault()
	if hash == "" {
		return cost.memory()
	}
	st, err := parseStored(hash)
	if err != nil {
		return 0
	}
	most := max(st.cost.memory(), cost.lacks(st.cost).memory())
	if st.foreign != nil {
		most = max(most, st.foreign.memory)
	}
	return most
}

// Format names the kind of a stored hash: "argon2id", "bcrypt",
// "django-pbkdf2-sha256" and so on; "argon2id+pepper:ID" if there is a pepper on
// it; "argon2id(phpass)" if it is wrapped. The error wraps [ErrHash] if Verify
// does not read it.
func (h Hasher) Format(hash string) (string, error) {
	st, err := parseStored(hash)
	switch {
	case err != nil:
		return "", err
	case st.foreign == nil:
		return st.format(), nil
	case st.wrapped:
		return st.format() + "(" + st.foreign.format + ")", nil
	}
	return st.foreign.format, nil
}

// Wrap makes a weak hash strong without the password: argon2id over the tag
// that another system has stored. Verify goes through both, and asks for a
// plain argon2id hash when it matched. It also puts the pepper of new hashes on
// an argon2id hash that has none. What needs neither comes back as it is.
//
// A wrapped hash is as hard to guess as an argon2id one, but for somebody who
// has the old hash from elsewhere. Delete old backups.
//
// The error wraps [ErrHash] if Verify does not read hash; or it is what Validate
// says, or the error of ctx. It costs one Hash.
func (h Hasher) Wrap(ctx context.Context, hash string) (string, error) {
	if err := errors.Join(ctx.Err(), h.Validate()); err != nil {
		return "", err
	}
	st, err := parseStored(hash)
	if err != nil {
		return "", err
	}
	switch {
	case st.foreign != nil && !st.wrapped:
		return stored{sealed: h.seal(st.foreign.tag), foreign: st.foreign, wrapped: true}.encode(), nil
	case st.pepper == "" && h.current() != "" && len(st.tag) == tagLen:
		key, _ := h.key(h.current())
		st.pepper, st.tag = h.current(), keyed(key, st.tag)
		return st.encode(), nil
	}
	return hash, nil
}
