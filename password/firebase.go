package password

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Firebase are the parameters of the passwords of one Firebase project, as its
// console shows them under "password hash parameters". The zero Firebase
// verifies nothing: Verify of such a hash returns [ErrKey].
type Firebase struct {
	SignerKey     Key    // base64_signer_key, decoded
	SaltSeparator []byte // base64_salt_separator, decoded; may be empty
	Rounds        int    // 1 to 8. Zero means 8
	MemCost       int    // 1 to 14. Zero means 14
}

func (f Firebase) cost() scryptCost {
	c := scryptCost{log2N: f.MemCost, r: f.Rounds, p: 1}
	if c.log2N == 0 {
		c.log2N = 14
	}
	if c.r == 0 {
		c.r = 8
	}
	return c
}

func (f Firebase) validate() error {
	c := f.cost()
	switch {
	case c.r < 1 || c.r > 8 || c.log2N < 1 || c.log2N > 14:
		return fmt.Errorf("password: Firebase.Rounds is %d and MemCost %d, must be 1 to 8 and 1 to 14", f.Rounds, f.MemCost)
	case len(f.SaltSeparator) > maxForSalt:
		return fmt.Errorf("password: Firebase.SaltSeparator has more than %d bytes", maxForSalt)
	case !f.SignerKey.IsZero() && len(f.SignerKey.reveal()) < 16:
		return errors.New("password: Firebase.SignerKey has fewer than 16 bytes")
	}
	return nil
}

// readFirebase reads $firebase$salt$tag, which [ImportFirebase] makes: scrypt
// gives the key with which AES-256-CTR encrypts the signer key. The memory is
// that of the largest parameters.
func readFirebase(s, rest string) (foreign, bool) {
	saltText, text, ok := strings.Cut(rest, "$")
	salt, ok2 := unbase64(base64.StdEncoding, saltText, 1, maxForSalt)
	tag, ok3 := unbase64(base64.StdEncoding, text, minForTag, maxForTag)
	return foreign{
		format: "firebase", setting: zeroed(s, text, 'A'), tag: tag, memory: Firebase{}.cost().memory(),
		derive: func(h *Hasher, password []byte) ([]byte, error) {
			project := h.Firebase
			signer := project.SignerKey.reveal()
			if len(signer) == 0 {
				return nil, keyMissing("Firebase")
			}
			key, err := project.cost().key(password, append(salt[:len(salt):len(salt)], project.SaltSeparator...), 32)
			if err != nil {
				return nil, err
			}
			block, err := aes.NewCipher(key)
			if err != nil {
				return nil, err
			}
			out := make([]byte, len(signer))
			cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(out, signer)
			return out, nil
		},
	}, ok && ok2 && ok3
}

// ImportFirebase is [Import] for what "firebase auth:export" writes as salt and
// passwordHash, both in base64, either alphabet. [Hasher] needs the project's
// parameters, see [Firebase].
func ImportFirebase(salt, passwordHash string) (string, error) {
	std := strings.NewReplacer("-", "+", "_", "/").Replace
	return imported("$firebase$"+std(salt)+"$"+std(passwordHash), "firebase")
}
