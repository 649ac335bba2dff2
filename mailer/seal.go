package mailer

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/go-roster/roster"
)

// minKey is how long a key is at least, in bytes.
const minKey = 32

// errSealed says that a payload cannot be read: it was changed, belongs to
// another mail, or its key is not there.
var errSealed = errors.New("mailer: what the mail says cannot be read with the keys that there are")

// sealer turns mails into the payloads of rows, and back.
type sealer struct {
	id    string // of the key that seals; empty if payloads are kept in clear
	keys  map[string]cipher.AEAD
	clear bool // payloads in clear are read
}

// newSealer checks the keys. The first one seals.
func newSealer(key []byte, old [][]byte, clear bool) (*sealer, error) {
	s := &sealer{keys: map[string]cipher.AEAD{}, clear: clear}
	var errs []error
	if len(key) == 0 {
		if !clear {
			errs = append(errs, option("Key", errors.New("is missing: set 32 random bytes, or StoreInClear")))
		}
	} else {
		id, err := s.add(key)
		errs = append(errs, option("Key", err))
		s.id = id
	}
	for _, k := range old {
		_, err := s.add(k)
		errs = append(errs, option("OldKeys", err))
	}
	return s, errors.Join(errs...)
}

// add derives from a key what seals, and the name that it goes by, which tells
// nothing of the key: the host may use it for other things as well.
func (s *sealer) add(key []byte) (id string, err error) {
	switch {
	case len(key) < minKey:
		return "", errors.New("must have at least 32 bytes")
	case strings.Trim(string(key), string(key[:1])) == "":
		return "", errors.New("must be random: it is one byte over and over")
	}
	derive := func(what string, n int) []byte {
		b, e := hkdf.Key(sha256.New, key, nil, "github.com/go-roster/roster/mailer outbox "+what, n)
		err = errors.Join(err, e)
		return b
	}
	id = hex.EncodeToString(derive("id", 4))
	aead, e := chacha20poly1305.NewX(derive("key", chacha20poly1305.KeySize))
	if err = errors.Join(err, e); err == nil {
		s.keys[id] = aead
	}
	return id, err
}

// seal returns the payload of a mail: everything in it as JSON, encrypted if
// there is a key, and bound to the row that it is for.
func (s *sealer) seal(m *roster.Mail, row *roster.QueuedMail) (roster.Secret, error) {
	fields := map[string]any{}
	v := reflect.ValueOf(m).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		if f.IsZero() {
			continue
		}
		value := f.Interface()
		if secret, is := value.(roster.Secret); is {
			value = secret.Reveal()
		}
		fields[v.Type().Field(i).Name] = value
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return roster.Secret{}, err
	}
	if s.id == "" {
		return roster.NewSecret(string(text)), nil
	}
	aead := s.keys[s.id]
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(text)+aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	box := aead.Seal(nonce, nonce, text, bound(row))
	return roster.NewSecret(s.id + "." + base64.RawStdEncoding.EncodeToString(box)), nil
}

// open reads what seal has written. Any failure is errSealed.
func (s *sealer) open(row *roster.QueuedMail) (m roster.Mail, err error) {
	text, ok := s.reveal(row)
	if !ok {
		return m, errSealed
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil {
		return m, errSealed
	}
	v := reflect.ValueOf(&m).Elem()
	for name, raw := range fields {
		f := v.FieldByName(name)
		if !f.IsValid() {
			continue // of another version
		}
		if _, secret := f.Interface().(roster.Secret); secret {
			var text string
			err = json.Unmarshal(raw, &text)
			f.Set(reflect.ValueOf(roster.NewSecret(text)))
		} else {
			err = json.Unmarshal(raw, f.Addr().Interface())
		}
		if err != nil {
			return roster.Mail{}, errSealed
		}
	}
	return m, nil
}

func (s *sealer) reveal(row *roster.QueuedMail) (text []byte, ok bool) {
	payload := row.Payload.Reveal()
	if strings.HasPrefix(payload, "{") {
		return []byte(payload), s.clear
	}
	id, box64, _ := strings.Cut(payload, ".")
	aead := s.keys[id]
	box, err := base64.RawStdEncoding.DecodeString(box64)
	if aead == nil || err != nil || len(box) < aead.NonceSize() {
		return nil, false
	}
	n := aead.NonceSize()
	text, err = aead.Open(nil, box[:n], box[n:], bound(row))
	return text, err == nil
}

// bound is what a sealed payload is good for: in another row, or one whose
// recipient was changed, it cannot be read.
func bound(row *roster.QueuedMail) []byte {
	return []byte(strings.Join([]string{
		"1", row.MessageID, string(row.Kind), strconv.FormatInt(int64(row.UserID), 10), row.To,
	}, "\x00"))
}
