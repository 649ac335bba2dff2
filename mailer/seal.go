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

	// form is a struct with the fields of a roster.Mail, but that secrets, which
	// do not let themselves be marshalled, are strings: a field that is new there
	// needs nothing here.
	form reflect.Type
}

// mailForm makes the form of a sealer.
func mailForm() reflect.Type {
	var fields []reflect.StructField
	for f := range reflect.TypeFor[roster.Mail]().Fields() {
		t := f.Type
		if t == reflect.TypeFor[roster.Secret]() {
			t = reflect.TypeFor[string]()
		}
		fields = append(fields, reflect.StructField{Name: f.Name, Type: t, Tag: `json:",omitzero"`})
	}
	return reflect.StructOf(fields)
}

// newSealer checks the keys. The first one seals.
func newSealer(key []byte, old [][]byte, clear bool) (*sealer, error) {
	s := &sealer{keys: map[string]cipher.AEAD{}, clear: clear, form: mailForm()}
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
	from := reflect.ValueOf(m).Elem()
	to := reflect.New(s.form)
	for i := range from.NumField() {
		if secret, is := from.Field(i).Interface().(roster.Secret); is {
			to.Elem().Field(i).SetString(secret.Reveal())
		} else {
			to.Elem().Field(i).Set(from.Field(i))
		}
	}
	text, err := json.Marshal(to.Interface())
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
	from := reflect.New(s.form)
	if json.Unmarshal(text, from.Interface()) != nil { // what it has of another version is left out
		return m, errSealed
	}
	to := reflect.ValueOf(&m).Elem()
	for i := range to.NumField() {
		f := from.Elem().Field(i)
		if _, is := to.Field(i).Interface().(roster.Secret); !is {
			to.Field(i).Set(f)
		} else if text := f.String(); text != "" {
			to.Field(i).Set(reflect.ValueOf(roster.NewSecret(text)))
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
