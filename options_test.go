package roster_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/password"
	"github.com/go-roster/roster/store/memory"
)

func TestNewReportsEveryMistake(t *testing.T) {
	_, err := roster.New(nil, &roster.Options{
		Hasher:        password.Argon2id{Time: 1000},
		Policy:        password.Policy{MinRunes: 3},
		ActivationURL: "https://example.org/activate",
		ActivationTTL: 30 * 24 * time.Hour,
		PendingTTL:    time.Minute,
		ReservedNames: []string{"ok", "not a name"},
	})
	if err == nil {
		t.Fatal("New accepted all that")
	}
	for _, want := range []string{"store", "Hasher", "Policy", "ActivationURL", "ActivationTTL", "PendingTTL", "ReservedNames"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word about %s in:\n%v", want, err)
		}
	}
}

func TestNewLeavesOptionsAlone(t *testing.T) {
	opts := roster.Options{ReservedNames: []string{"boss"}}
	before := opts
	users, err := roster.New(memory.New(), &opts)
	must(t, err)
	if !reflect.DeepEqual(before, opts) {
		t.Errorf("changed to %+v", opts)
	}
	opts.ReservedNames[0] = "other"
	_, err = users.Register(context.Background(), roster.NewUser{Name: "Boss", Email: "a@example.org", Password: "long enough"})
	if got := fields(err); len(got) != 1 || got[0] != "name: reserved" {
		t.Errorf("%v", err)
	}
	if _, err := roster.New(memory.New(), nil); err != nil {
		t.Errorf("without options: %v", err)
	}
}

func TestActivationURL(t *testing.T) {
	for url, good := range map[string]bool{
		"":                                      true,
		"https://example.org/activate#{code}":   true,
		"https://example.org/activate/{code}":   true,
		"http://localhost:8080/?c={code}":       true,
		"https://example.org/activate":          false,
		"https://example.org/{code}/{code}":     false,
		"javascript:alert('{code}')":            false,
		"mailto:a@example.org?code={code}":      false,
		"/activate/{code}":                      false,
		"//example.org/{code}":                  false,
		"https:///activate/{code}":              false,
		"https://{code}.example.org/":           false,
		"https://example.org:{code}/":           false,
		"https://ann:pw@example.org/{code}":     false,
		"https://{code}@example.org/":           false,
		"https://exa mple.org/{code}":           false,
		"https://example.org/\r\nX: y{code}":    false,
		"https://code.example.org/?code={code}": true,
	} {
		_, err := roster.New(memory.New(), &roster.Options{ActivationURL: url})
		if (err == nil) != good {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestAfterCommitWithoutTransaction(t *testing.T) {
	ran := false
	roster.AfterCommit(context.Background(), func(context.Context) { ran = true })
	if !ran {
		t.Error("not run")
	}
}

func TestErrorsNameTheVerbAndTheUser(t *testing.T) {
	ctx := context.Background()
	users, err := roster.New(memory.New(), nil)
	must(t, err)
	err = users.Edit(ctx, 42, func(*roster.User) error { return nil })
	if got, want := err.Error(), "edit user 42: roster: not found"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if fields := roster.InvalidFields(errors.Join(errors.New("x"), err)); fields != nil {
		t.Errorf("invalid fields of another error: %v", fields)
	}
}
