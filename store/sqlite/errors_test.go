package sqlite_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

func asConflict(err error, to *roster.ConflictError) bool {
	var c *roster.ConflictError
	if errors.As(err, &c) {
		*to = *c
		return true
	}
	return false
}

// No error tells a value: not of a constraint, not of what the database itself
// refuses.
func TestErrorsTellNoValues(t *testing.T) {
	s := open(t, ":memory:")
	ctx := t.Context()
	const secret = "secret-value"
	user := func() *roster.User {
		u := benchUser(1)
		u.Name, u.NameKey = secret, secret
		return u
	}
	first := user()
	if err := s.InsertUser(ctx, first, secret); err != nil {
		t.Fatal(err)
	}
	e := &roster.UserEmail{UserID: first.ID, Address: secret, AddressKey: secret, CreatedAt: time.Now()}
	if err := s.InsertEmail(ctx, e); err != nil {
		t.Fatal(err)
	}
	unnamed := benchUser(2)
	unnamed.NameKey = ""
	for name, err := range map[string]error{
		"name":           s.InsertUser(ctx, user(), secret),
		"address":        s.InsertEmail(ctx, e),
		"no user":        s.PutCredential(ctx, &roster.Credential{UserID: 99, Hash: roster.NewSecret(secret)}),
		"an empty key":   s.InsertUser(ctx, unnamed, secret),
		"a broken value": s.InsertUser(ctx, &roster.User{NameKey: secret, Data: roster.Data{secret: []byte(secret)}}, ""),
		"no address":     s.InsertActivation(ctx, &roster.Activation{Hash: secret, UserID: 99, EmailID: 99}),
		"an aborted transaction": s.Atomic(ctx, func(ctx context.Context) error {
			_ = s.InsertUser(ctx, user(), secret)
			return nil
		}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "roster_") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Writers of one process are served in order: none is overtaken for long.
func TestWritersQueue(t *testing.T) {
	s := open(t, ":memory:")
	u := insert(t, s, 1)
	order := make(chan int, 100)
	var wg sync.WaitGroup
	if err := s.Atomic(t.Context(), func(context.Context) error {
		for i := range 20 {
			wg.Go(func() {
				if err := s.Atomic(t.Context(), func(ctx context.Context) error {
					order <- i
					return s.RecordLogin(ctx, u.ID, time.Now(), "")
				}); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(20 * time.Millisecond) // until it waits, most likely
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	for i := range 20 {
		if got := <-order; got < i-5 || got > i+5 {
			t.Errorf("%d came when it was the turn of %d", got, i)
		}
	}
}
