package password_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/go-roster/roster/password"
)

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		hasher password.Argon2id
		fields string // those that are named, "" for none
	}{
		{"zero", password.Argon2id{}, ""},
		{"OWASP", password.OWASP(), ""},
		{"RFC 9106", password.RFC9106(), ""},
		{"least", cheap, ""},
		{"most", password.Argon2id{Time: 16, MemoryKiB: 256 << 10, Threads: 16}, ""},
		{"time", password.Argon2id{Time: 17}, "Time"},
		{"little memory", password.Argon2id{MemoryKiB: 7}, "MemoryKiB"},
		{"little memory for its threads", password.Argon2id{MemoryKiB: 31, Threads: 4}, "MemoryKiB"},
		{"much memory", password.Argon2id{MemoryKiB: 256<<10 + 1}, "MemoryKiB"},
		{"threads", password.Argon2id{Threads: 17}, "Threads"},
		{"all", password.Argon2id{Time: 1<<32 - 1, MemoryKiB: 1<<32 - 1, Threads: 255}, "Time MemoryKiB Threads"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.hasher.Validate()
			if (err == nil) != (tt.fields == "") {
				t.Fatal(err)
			}
			for _, field := range strings.Fields(tt.fields) {
				if !strings.Contains(err.Error(), "Argon2id."+field) {
					t.Errorf("%v does not name %s", err, field)
				}
			}
			if err == nil {
				return
			}
			if hash, got := tt.hasher.Hash(t.Context(), "correct horse"); hash != "" || got == nil || got.Error() != err.Error() {
				t.Errorf("Hash: %v", got)
			}
			if ok, rehash, got := tt.hasher.Verify(t.Context(), cheap.Dummy(), "correct horse"); ok || rehash || got == nil || got.Error() != err.Error() {
				t.Errorf("Verify: %v %v %v", ok, rehash, got)
			}
			if _, _, err := cheap.Verify(t.Context(), tt.hasher.Dummy(), "correct horse"); !errors.Is(err, password.ErrHash) {
				t.Errorf("Dummy was accepted: %v", err)
			}
		})
	}
}

// No exported type holds a hash or a password, so none can print one.
func TestNothingLeaks(t *testing.T) {
	const canary = "canary-7f3a horse"
	hasher := cheap
	hash, err := hasher.Hash(t.Context(), canary)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := hasher.Verify(t.Context(), hash, canary); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(hash, "$")
	_, _, errHash := hasher.Verify(t.Context(), hash+"=", canary)
	_, errLong := hasher.Hash(t.Context(), strings.Repeat(canary, 100))
	for _, v := range []any{hasher, &hasher, password.Policy{}, password.NIST().Check(canary[:9]), errHash, errLong} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			text := fmt.Sprintf(verb, v)
			for _, secret := range []string{canary[:9], parts[4], parts[5]} {
				if strings.Contains(text, secret) {
					t.Errorf("%s of %T shows %q", verb, v, text)
				}
			}
		}
	}
	// Only numbers, and the text of a reason, which is one of a list.
	for _, v := range []any{password.Argon2id{}, password.Error{}} {
		for typ, i := reflect.TypeOf(v), 0; i < typ.NumField(); i++ {
			field := typ.Field(i)
			switch field.Type.Kind() {
			case reflect.Uint8, reflect.Uint32, reflect.Int:
			default:
				if field.Type != reflect.TypeFor[password.Reason]() {
					t.Errorf("%v.%s is a %v", typ, field.Name, field.Type)
				}
			}
		}
	}
}
