package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrHash says that a stored hash is corrupt, or of a kind or cost that is not
// supported. A wrong password is not an error.
var ErrHash = errors.New("password: hash is corrupt or not supported")

// The bounds of a hash. They hold whoever wrote it, since a row that says
// m=4294967295 would otherwise ask for 4 TiB.
const (
	maxPHC = 256 // bytes of the whole string

	minSalt, maxSalt = 8, 64  // bytes
	minTag, maxTag   = 16, 64 // bytes

	phcPrefix = "$argon2id$v=19$"
)

var phcBase64 = base64.RawStdEncoding

// phc is an argon2id hash in parts, https://github.com/P-H-C/phc-string-format.
// It has no String method, so that printing one is never done by accident.
type phc struct {
	cost Argon2id // no field is zero
	salt []byte
	tag  []byte
}

// parsePHC reads what encode writes and nothing else. All errors wrap ErrHash
// and none carries any of s.
func parsePHC(s string) (phc, error) {
	if len(s) > maxPHC {
		return phc{}, badHash("too long")
	}
	rest, ok := strings.CutPrefix(s, phcPrefix)
	if !ok {
		return phc{}, badHash("not argon2id of version 19")
	}
	params, rest, _ := strings.Cut(rest, "$")
	salt, tag, ok := strings.Cut(rest, "$")
	if !ok {
		return phc{}, badHash("part missing")
	}
	var h phc
	if h.cost, ok = parseCost(params); !ok {
		return phc{}, badHash("malformed parameters")
	}
	if h.cost.check() != nil {
		return phc{}, badHash("parameters out of bounds")
	}
	if h.salt, ok = decode(salt, minSalt, maxSalt); !ok {
		return phc{}, badHash("malformed salt")
	}
	if h.tag, ok = decode(tag, minTag, maxTag); !ok {
		return phc{}, badHash("malformed tag")
	}
	// What was read leniently above is not what would have been written: leading
	// zeros, a parameter too many, line breaks or trailing bits in base64.
	if h.encode() != s {
		return phc{}, badHash("not in canonical form")
	}
	return h, nil
}

func badHash(why string) error { return fmt.Errorf("%w: %s", ErrHash, why) }

// encode is the inverse of parsePHC.
func (h phc) encode() string {
	b := make([]byte, 0, maxPHC)
	b = append(b, phcPrefix+"m="...)
	b = strconv.AppendUint(b, uint64(h.cost.MemoryKiB), 10)
	b = append(b, ",t="...)
	b = strconv.AppendUint(b, uint64(h.cost.Time), 10)
	b = append(b, ",p="...)
	b = strconv.AppendUint(b, uint64(h.cost.Threads), 10)
	b = append(b, '$')
	b = phcBase64.AppendEncode(b, h.salt)
	b = append(b, '$')
	b = phcBase64.AppendEncode(b, h.tag)
	return string(b)
}

// parseCost reads "m=19456,t=2,p=1" and ignores what follows. It checks no
// bounds but those of the types.
func parseCost(s string) (a Argon2id, ok bool) {
	m, s, okM := parseParam(s, "m=", 32)
	t, s, okT := parseParam(s, ",t=", 32)
	p, _, okP := parseParam(s, ",p=", 8)
	return Argon2id{Time: uint32(t), MemoryKiB: uint32(m), Threads: uint8(p)}, okM && okT && okP
}

// parseParam reads key and a number of so many bits, and returns what follows.
func parseParam(s, key string, bits int) (n uint64, rest string, ok bool) {
	s, ok = strings.CutPrefix(s, key)
	end := strings.IndexByte(s, ',')
	if end < 0 {
		end = len(s)
	}
	n, err := strconv.ParseUint(s[:end], 10, bits)
	return n, s[end:], ok && err == nil
}

// decode reads base64 whose decoded length, in bytes, is within the bounds.
func decode(s string, least, most int) ([]byte, bool) {
	if n := phcBase64.DecodedLen(len(s)); n < least || n > most {
		return nil, false
	}
	b, err := phcBase64.DecodeString(s)
	return b, err == nil
}
