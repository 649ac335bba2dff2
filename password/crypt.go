package password

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"strings"
)

// maxSHACrypt is a few seconds of SHA-512.
const maxSHACrypt = 5_000_000

// readMD5Crypt reads $1$salt$tag of FreeBSD's crypt(3) and $apr1$ of Apache's
// htpasswd, which differ in the mark only.
func readMD5Crypt(s, rest string) (foreign, bool) {
	magic, format := []byte(strings.TrimSuffix(s, rest)), "md5-crypt"
	if string(magic) == "$apr1$" {
		format = "apr1"
	}
	saltText, text, ok := strings.Cut(rest, "$")
	salt := []byte(saltText)
	return simple(format, zeroed(s, text, '.'), []byte(text), func(password []byte) []byte {
		return md5Crypt(password, magic, salt)
	}), ok && len(salt) >= 1 && len(salt) <= 8 && len(text) == 22 && oneOf(cryptAlphabet, text)
}

func md5Crypt(password, magic, salt []byte) []byte {
	h := md5.New()
	h.Write(password)
	h.Write(magic)
	h.Write(salt)
	h.Write(repeat(sum(md5.New, password, salt, password), len(password)))
	for n := len(password); n > 0; n >>= 1 {
		if n&1 == 1 {
			h.Write([]byte{0})
		} else {
			h.Write(password[:1])
		}
	}
	state := rounds(h, h.Sum(nil), 1000, password, salt)
	order := []byte{12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11}
	return crypt64(permuted(state, order))
}

// readSHACrypt reads $5$ and $6$, SHA-crypt by Ulrich Drepper, with 5000 rounds
// or those that it names.
func readSHACrypt(s, rest string) (foreign, bool) {
	count := 5000
	if named, ok := strings.CutPrefix(rest, "rounds="); ok {
		var text string
		if text, rest, ok = strings.Cut(named, "$"); !ok {
			return foreign{}, false
		}
		if count, ok = number(text, 1000, maxSHACrypt); !ok {
			return foreign{}, false
		}
	}
	format, newHash, order, digits := "sha256-crypt", sha256.New, sha256Order, 43
	if s[1] == '6' {
		format, newHash, order, digits = "sha512-crypt", sha512.New, sha512Order, 86
	}
	saltText, text, ok := strings.Cut(rest, "$")
	salt := []byte(saltText)
	f := simple(format, zeroed(s, text, '.'), []byte(text), func(password []byte) []byte {
		return crypt64(permuted(shaCrypt(newHash, password, salt, count), order))
	})
	return f, ok && len(salt) >= 1 && len(salt) <= 16 && len(text) == digits && oneOf(cryptAlphabet, text)
}

func shaCrypt(newHash func() hash.Hash, password, salt []byte, count int) []byte {
	b := sum(newHash, password, salt, password)
	h := newHash()
	h.Write(password)
	h.Write(salt)
	h.Write(repeat(b, len(password)))
	for n := len(password); n > 0; n >>= 1 {
		if n&1 == 1 {
			h.Write(b)
		} else {
			h.Write(password)
		}
	}
	state := h.Sum(nil)
	h.Reset()
	for range password {
		h.Write(password)
	}
	p := repeat(h.Sum(nil), len(password))
	h.Reset()
	for range 16 + int(state[0]) {
		h.Write(salt)
	}
	return rounds(h, state, count, p, repeat(h.Sum(nil), len(salt)))
}

// rounds mixes as both MD5-crypt and SHA-crypt do.
func rounds(h hash.Hash, state []byte, count int, password, salt []byte) []byte {
	for i := range count {
		h.Reset()
		first, last := state, password
		if i&1 == 1 {
			first, last = password, state
		}
		h.Write(first)
		if i%3 != 0 {
			h.Write(salt)
		}
		if i%7 != 0 {
			h.Write(password)
		}
		h.Write(last)
		state = h.Sum(state[:0])
	}
	return state
}

// repeat goes round b until there are n bytes.
func repeat(b []byte, n int) []byte {
	out := make([]byte, 0, n)
	for len(out) < n {
		out = append(out, b[:min(len(b), n-len(out))]...)
	}
	return out
}

func permuted(b, order []byte) []byte {
	out := make([]byte, len(order))
	for i, at := range order {
		out[i] = b[at]
	}
	return out
}

// The orders in which SHA-crypt writes the bytes of a digest: three at a time,
// whose places move on by as many in each group.
var (
	sha256Order = cryptOrder(10, 20, 10, 0, 31, 30)
	sha512Order = cryptOrder(21, 42, 21, 0, 63)
)

// cryptOrder makes the order of groups triples, which turn from one to the
// next, lowest six bits first, and of what is left at the end.
func cryptOrder(groups int, a, b, c byte, rest ...byte) []byte {
	var order []byte
	turn := groups == 21 // SHA-512 turns the other way
	for i := range groups {
		x := [3]byte{a + byte(i), b + byte(i), c + byte(i)}
		switch {
		case i%3 == 0:
		case (i%3 == 1) == turn:
			x = [3]byte{x[2], x[0], x[1]}
		default:
			x = [3]byte{x[1], x[2], x[0]}
		}
		order = append(order, x[0], x[1], x[2])
	}
	if len(rest) == 2 {
		return append(order, rest[1], rest[0])
	}
	return append(order, rest...)
}
