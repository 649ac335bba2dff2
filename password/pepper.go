package password

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

// Pepper is a key that every hash passes through, so that who has the database
// and not the key cannot even try a password. The hash carries the ID, and the
// key stays in a secret store or the environment: it must neither be lost nor
// kept with the backups of the database.
//
// What is stored is HMAC-SHA-256 of the argon2id tag: the keyed step after the
// memory-hard one that NIST SP 800-63B-4 section 3.1.1.2 describes.
type Pepper struct {
	ID  string // 1 to 32 letters, digits, dots, hyphens and underscores; "2026-01", say
	Key Key    // 32 random bytes or more
}

const (
	minPepper   = 32 // bytes
	maxPeppers  = 16
	maxPepperID = 32
)

// checkPeppers reports what is wrong with any of them.
func checkPeppers(peppers []Pepper) error {
	var errs []error
	if len(peppers) > maxPeppers {
		errs = append(errs, fmt.Errorf("password: more than %d Peppers", maxPeppers))
	}
	seen := make(map[string]bool, len(peppers))
	for i, p := range peppers {
		key := p.Key.reveal()
		switch {
		case !pepperID(p.ID):
			errs = append(errs, fmt.Errorf("password: Pepper %d: the ID is not 1 to %d letters, digits, dots, hyphens or underscores", i, maxPepperID))
		case seen[p.ID]:
			errs = append(errs, fmt.Errorf("password: Pepper %d has the ID of another one", i))
		case len(key) < minPepper:
			errs = append(errs, fmt.Errorf("password: Pepper %d has fewer than %d bytes", i, minPepper))
		case bytes.Count(key, key[:1]) == len(key):
			errs = append(errs, fmt.Errorf("password: Pepper %d is one byte over and over", i))
		}
		seen[p.ID] = true
	}
	return errors.Join(errs...)
}

func pepperID(s string) bool {
	return s != "" && len(s) <= maxPepperID && oneOf(cryptAlphabet+"-_", s) && !strings.Contains(s, "/")
}

// sealed is an argon2id hash and the pepper on it. With one, tag is the HMAC.
type sealed struct {
	phc
	pepper string // the ID; empty means none
}

const pepperPrefix = "$pepper$"

// parseSealed reads what encode writes and nothing else.
func parseSealed(s string) (sealed, error) {
	rest, peppered := strings.CutPrefix(s, pepperPrefix)
	if !peppered {
		h, err := parsePHC(s)
		return sealed{phc: h}, err
	}
	id, _, ok := strings.Cut(rest, "$")
	if !ok || !pepperID(id) {
		return sealed{}, badHash("malformed pepper")
	}
	h, err := parsePHC(rest[len(id):])
	if err == nil && len(h.tag) != tagLen {
		err = badHash("malformed tag")
	}
	return sealed{h, id}, err
}

func (s sealed) encode() string {
	if s.pepper == "" {
		return s.phc.encode()
	}
	return pepperPrefix + s.pepper + s.phc.encode()
}

// compute returns the tag for a secret, be it a password or a foreign tag.
func (s sealed) compute(secret, key []byte) []byte {
	if s.pepper == "" {
		return s.derive(string(secret), len(s.tag))
	}
	return keyed(key, s.derive(string(secret), tagLen))
}

func keyed(key, tag []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(tag)
	return mac.Sum(nil)
}

func (s sealed) format() string {
	if s.pepper == "" {
		return "argon2id"
	}
	return "argon2id+pepper:" + s.pepper
}
