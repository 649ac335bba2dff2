package mailer

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

func testKey(b byte) []byte { return append(bytes.Repeat([]byte{b}, 31), b+1) }

// fullMail has a value in every field.
func fullMail(t *testing.T) roster.Mail {
	t.Helper()
	at := time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC)
	m := roster.Mail{
		Kind: roster.MailSignInAfterFailures, To: "ann@example.org", Locale: "de",
		User: &roster.User{
			ID: 7, UUID: uuid.New(), Name: "Ann", NameKey: "ann", NameAuto: true, RealName: "Ann \u2028 <b>", Locale: "de", Timezone: "Europe/Berlin",
			DirectoryDN: "dn", DirectoryID: "id", Enabled: true, Flags: roster.FlagBanned, ActivatedAt: at, DeletedAt: at, LastLoginAt: at,
			LastLoginIP: "::1", PasswordChangedAt: at, AuthChangedAt: at, CreatedAt: at, UpdatedAt: at,
			Data: roster.Data{"k": json.RawMessage(`{"a":[1,null]}`)}, Version: 3,
		},
		Code: roster.NewSecret("the code"), Link: roster.NewSecret("https://example.org/#the code"), ExpiresAt: at,
		At: at, Client: roster.Client{Addr: netip.MustParseAddr("2001:db8::1"), UserAgent: "agent", TLS: true}, Failures: 3,
		Emails: []string{"a@example.org", "b@example.org"},
	}
	for _, v := range []reflect.Value{reflect.ValueOf(m), reflect.ValueOf(*m.User), reflect.ValueOf(m.Client)} {
		for i := range v.NumField() {
			if f := v.Type().Field(i); v.Field(i).IsZero() && f.Name != "Row" {
				t.Errorf("the fixture leaves %s.%s zero: nothing would notice if it were dropped", v.Type(), f.Name)
			}
		}
	}
	return m
}

func row() *roster.QueuedMail {
	return &roster.QueuedMail{ID: 1, MessageID: "id@example.org", Kind: roster.MailResetPassword, UserID: 7, To: "ann@example.org"}
}

func sealerOf(t *testing.T, key []byte, old [][]byte, clear bool) *sealer {
	t.Helper()
	s, err := newSealer(key, old, clear)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var sameMail = cmp.Options{cmpopts.EquateComparable(netip.Addr{})}

// A mail comes out as it went in, secrets and all, encrypted or not.
func TestSealRoundTrip(t *testing.T) {
	want := fullMail(t)
	for name, s := range map[string]*sealer{
		"encrypted": sealerOf(t, testKey(1), nil, false), "in clear": sealerOf(t, nil, nil, true),
	} {
		for _, m := range []roster.Mail{want, {}, {Kind: "x"}} {
			r := row()
			var err error
			if r.Payload, err = s.seal(&m, r); err != nil {
				t.Fatal(err)
			}
			got, err := s.open(r)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(m, got, sameMail); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", name, diff)
			}
			if name == "encrypted" && strings.Contains(r.Payload.Reveal(), "code") {
				t.Error("the code is in the payload")
			}
		}
	}
}

// A payload can be read in its own row only, as it was written.
func TestSealBinds(t *testing.T) {
	s := sealerOf(t, testKey(1), nil, false)
	m := fullMail(t)
	payload, err := s.seal(&m, row())
	if err != nil {
		t.Fatal(err)
	}
	again, _ := s.seal(&m, row())
	if payload.Equal(again) {
		t.Error("the same mail reads the same twice")
	}
	for name, change := range map[string]func(*roster.QueuedMail){
		"another recipient":  func(r *roster.QueuedMail) { r.To = "eve@example.org" },
		"another user":       func(r *roster.QueuedMail) { r.UserID++ },
		"another mail":       func(r *roster.QueuedMail) { r.MessageID += "x" },
		"another kind":       func(r *roster.QueuedMail) { r.Kind = roster.MailInvitation },
		"empty":              func(r *roster.QueuedMail) { r.Payload = roster.Secret{} },
		"cut":                func(r *roster.QueuedMail) { r.Payload = roster.NewSecret(payload.Reveal()[:12]) },
		"in clear":           func(r *roster.QueuedMail) { r.Payload = roster.NewSecret(`{"Code":"x"}`) },
		"of an unknown key":  func(r *roster.QueuedMail) { r.Payload = roster.NewSecret("00" + payload.Reveal()[2:]) },
		"no base64":          func(r *roster.QueuedMail) { r.Payload = roster.NewSecret(payload.Reveal()[:9] + "!") },
		"changed at the end": func(r *roster.QueuedMail) { r.Payload = roster.NewSecret(flip(payload.Reveal())) },
	} {
		r := row()
		r.Payload = payload
		if got, err := s.open(r); err != nil || got.Code.Reveal() != "the code" {
			t.Fatalf("as it was: %v", err)
		}
		change(r)
		if got, err := s.open(r); !errors.Is(err, errSealed) || !got.Code.IsZero() {
			t.Errorf("%s: %v", name, err)
		}
	}
	plain := sealerOf(t, nil, nil, true)
	for _, payload := range []string{"", "{", `{"User":7}`, `{"Code":{}}`, "[]"} {
		r := row()
		r.Payload = roster.NewSecret(payload)
		if _, err := plain.open(r); !errors.Is(err, errSealed) {
			t.Errorf("%q: %v", payload, err)
		}
	}
}

func flip(s string) string {
	last := byte('A')
	if s[len(s)-2] == last {
		last = 'B'
	}
	return s[:len(s)-2] + string(last) + s[len(s)-1:]
}

// A key is changed in steps, and no mail is lost by it.
func TestSealRotates(t *testing.T) {
	m := fullMail(t)
	one, two := testKey(1), testKey(2)
	r := row()
	var err error
	if r.Payload, err = sealerOf(t, one, nil, false).seal(&m, r); err != nil {
		t.Fatal(err)
	}
	next := sealerOf(t, two, [][]byte{one}, false)
	if _, err := next.open(r); err != nil {
		t.Errorf("with the old key: %v", err)
	}
	if _, err := sealerOf(t, two, nil, false).open(r); !errors.Is(err, errSealed) {
		t.Errorf("without the old key: %v", err)
	}
	if r.Payload, err = next.seal(&m, r); err != nil {
		t.Fatal(err)
	}
	if _, err := sealerOf(t, one, [][]byte{two}, false).open(r); err != nil {
		t.Errorf("before it is the first: %v", err)
	}
	if r.Payload, err = sealerOf(t, nil, nil, true).seal(&m, r); err != nil {
		t.Fatal(err)
	}
	if _, err := sealerOf(t, one, nil, true).open(r); err != nil {
		t.Errorf("stored in clear before: %v", err)
	}
}

func TestSealRefusesKeys(t *testing.T) {
	for name, c := range map[string]struct {
		key   []byte
		old   [][]byte
		clear bool
	}{
		"none":            {},
		"short":           {key: testKey(1)[:31]},
		"zero":            {key: make([]byte, 32)},
		"one byte":        {key: bytes.Repeat([]byte("x"), 64)},
		"old, short":      {key: testKey(1), old: [][]byte{nil}},
		"old, zero":       {clear: true, old: [][]byte{make([]byte, 40)}},
		"short, in clear": {key: []byte("x"), clear: true},
	} {
		if _, err := newSealer(c.key, c.old, c.clear); err == nil {
			t.Errorf("%s is taken", name)
		} else if strings.Contains(err.Error(), "xxx") {
			t.Errorf("%s: tells the key", name)
		}
	}
}
