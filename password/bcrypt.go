package password

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	//lint:ignore SA1019 bcrypt is made of it
	"golang.org/x/crypto/blowfish"
)

// maxBcrypt is how many bytes of a password bcrypt looks at. Longer ones could
// not be told apart by what follows, so none matches.
const maxBcrypt = 72

// maxBcryptCost is a few seconds.
const maxBcryptCost = 16

var bcryptBase64 = base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").
	WithPadding(base64.NoPadding)

// bcryptHash is bcrypt with its version a, b, x or y. Version x extends the sign
// of bytes from 128, as an old bug of crypt_blowfish did; the others are the
// same here.
type bcryptHash struct {
	version byte
	cost    int
	salt    []byte
}

// parseBcrypt reads $2b$12$ and 53 characters of salt and tag.
func parseBcrypt(s string) (h bcryptHash, tag []byte, ok bool) {
	if len(s) != 60 || s[:2] != "$2" || s[3] != '$' || s[6] != '$' || !strings.Contains("abxy", s[2:3]) {
		return h, nil, false
	}
	h.version = s[2]
	h.cost, ok = number(strings.TrimPrefix(s[4:6], "0"), 4, maxBcryptCost)
	var err1, err2 error
	// Not strict: some programs left random bits at the end of the salt.
	h.salt, err1 = bcryptBase64.DecodeString(s[7:29])
	tag, err2 = bcryptBase64.DecodeString(s[29:])
	return h, tag, ok && err1 == nil && err2 == nil && len(tag) == 23
}

// key computes the tag. Of more than 72 bytes the first 72 count.
func (h bcryptHash) key(password []byte) ([]byte, error) {
	password = append(password[:len(password):len(password)], 0)
	words := make([]byte, 0, maxBcrypt) // what the key schedule goes round
	for i := 0; len(words) < maxBcrypt; {
		var w uint32
		for range 4 {
			b := password[i%len(password)]
			w <<= 8
			if w |= uint32(b); h.version == 'x' {
				w |= uint32(int32(int8(b)))
			}
			i++
		}
		words = binary.BigEndian.AppendUint32(words, w)
	}
	c, err := blowfish.NewSaltedCipher(words, h.salt)
	if err != nil {
		return nil, err
	}
	for range 1 << h.cost {
		blowfish.ExpandKey(words, c)
		blowfish.ExpandKey(h.salt, c)
	}
	tag := []byte("OrpheanBeholderScryDoubt")
	for i := 0; i < len(tag); i += blowfish.BlockSize {
		for range 64 {
			c.Encrypt(tag[i:], tag[i:])
		}
	}
	return tag[:23], nil
}

// bcryptOf reads bcrypt over what pre makes of a password. Without pre a
// password of more than 72 bytes never matches.
func bcryptOf(format, s, hash string, pre func(h *Hasher, password []byte) ([]byte, error)) (foreign, bool) {
	h, tag, ok := parseBcrypt(hash)
	if !ok || !strings.HasSuffix(s, hash) {
		return foreign{}, false
	}
	return foreign{
		format: format, setting: zeroed(s, hash[29:], '.'), tag: tag, memory: small,
		derive: func(keys *Hasher, password []byte) ([]byte, error) {
			input := password
			if pre != nil {
				var err error
				if input, err = pre(keys, password); err != nil {
					return nil, err
				}
			}
			tag, err := h.key(input)
			if pre == nil && len(password) > maxBcrypt {
				tag = nil
			}
			return tag, err
		},
	}, true
}

// readBcrypt reads what OpenBSD, PHP, Laravel, Rails and most others store.
func readBcrypt(s, _ string) (foreign, bool) { return bcryptOf("bcrypt", s, s, nil) }

// readDevise reads $devise and a bcrypt hash: Devise with config.pepper hashes
// the password followed by the pepper, of which bcrypt sees what fits.
func readDevise(s, rest string) (foreign, bool) {
	f, ok := bcryptOf("devise", s, rest, func(h *Hasher, password []byte) ([]byte, error) {
		pepper := h.DevisePepper.reveal()
		if len(pepper) == 0 {
			return nil, keyMissing("DevisePepper")
		}
		return append(password[:len(password):len(password)], pepper...), nil
	})
	return refuseOver72(f), ok
}

func refuseOver72(f foreign) foreign {
	derive := f.derive
	f.derive = func(h *Hasher, password []byte) ([]byte, error) {
		tag, err := derive(h, password)
		if len(password) > maxBcrypt {
			tag = nil
		}
		return tag, err
	}
	return f
}

// readPasslibBcrypt reads bcrypt_sha256 of passlib: version 2 is bcrypt over
// the base64 of HMAC-SHA-256 keyed with the salt, version 1 over that of SHA-256.
func readPasslibBcrypt(s, rest string) (foreign, bool) {
	parts := strings.Split(rest, "$")
	if len(parts) != 3 {
		return foreign{}, false
	}
	params, salt, text := parts[0], parts[1], parts[2]
	variant, cost, keyed := "", "", false
	if v2, ok := strings.CutPrefix(params, "v=2,t="); ok {
		variant, cost, _ = strings.Cut(v2, ",r=")
		keyed = true
	} else {
		variant, cost, _ = strings.Cut(params, ",")
	}
	if len(cost) == 1 {
		cost = "0" + cost
	}
	h, tag, ok := parseBcrypt("$" + variant + "$" + cost + "$" + salt + text)
	return foreign{
		format: "passlib-bcrypt-sha256", setting: zeroed(s, text, '.'), tag: tag, memory: small,
		derive: func(_ *Hasher, password []byte) ([]byte, error) {
			digest := sum(sha256.New, password)
			if keyed {
				mac := hmac.New(sha256.New, []byte(salt))
				mac.Write(password)
				digest = mac.Sum(nil)
			}
			return h.key(base64.StdEncoding.AppendEncode(nil, digest))
		},
	}, ok && len(text) == 31
}
