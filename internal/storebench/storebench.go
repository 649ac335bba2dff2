// Package storebench has the benchmarks that the stores on a database share. Each
// compares the store with prepared statements that somebody writes who needs nothing
// else, in the same run and on the same rows.
package storebench

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

// Place is a store with a thousand users, and a handle for the other side.
type Place struct {
	Store  roster.Store
	DB     *sql.DB
	Prefix string       // of the tables
	Last   *roster.User // who was written last

	// Written is a time as a statement is given it.
	Written func(time.Time) any

	// Returning says that the ID of a new row comes by RETURNING, else it is the
	// LastInsertId.
	Returning bool
}

// Fill writes the thousand users, and sets Last.
func (p *Place) Fill(b *testing.B) {
	b.Helper()
	err := p.Store.Atomic(b.Context(), func(ctx context.Context) (err error) {
		for i := range 1000 {
			if p.Last, err = Register(ctx, p.Store, i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// prepare prepares a statement for as long as the benchmark runs.
func (p *Place) prepare(b *testing.B, query string) *sql.Stmt {
	b.Helper()
	stmt, err := p.DB.PrepareContext(b.Context(), query)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = stmt.Close() })
	return stmt
}

// User is one whose every column but one is filled.
func User(i int) *roster.User {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return &roster.User{
		UUID: uuid.New(), Name: fmt.Sprintf("User%07d", i), NameKey: fmt.Sprintf("user%07d", i), RealName: "Ann Example",
		Locale: "de", Timezone: "Europe/Berlin", Enabled: true, ActivatedAt: now, LastLoginAt: now, LastLoginIP: "192.0.2.7",
		PasswordChangedAt: now, AuthChangedAt: now, CreatedAt: now, UpdatedAt: now,
		Data: roster.Data{"plan": json.RawMessage(`"pro"`)}, Version: 1,
	}
}

const hash = "$argon2id$…"

// Register writes the rows of a new user.
func Register(ctx context.Context, s roster.Store, i int) (*roster.User, error) {
	u := User(i)
	if err := s.InsertUser(ctx, u, u.NameKey+" ann example"); err != nil {
		return nil, err
	}
	if err := s.ClaimName(ctx, u.NameKey, u.ID, u.CreatedAt); err != nil {
		return nil, err
	}
	if err := s.PutCredential(ctx, &roster.Credential{UserID: u.ID, Hash: roster.NewSecret(hash), CreatedAt: u.CreatedAt}); err != nil {
		return nil, err
	}
	e := &roster.UserEmail{
		UserID: u.ID, Address: u.NameKey + "@example.org", AddressKey: u.NameKey + "@example.org", Primary: true,
		ActivatedAt: u.CreatedAt, CreatedAt: u.CreatedAt,
	}
	if err := s.InsertEmail(ctx, e); err != nil {
		return nil, err
	}
	return u, s.InsertActivation(ctx, &roster.Activation{
		Hash: uuid.NewString(), Purpose: roster.PurposeActivate, UserID: u.ID, EmailID: e.ID,
		CreatedAt: u.CreatedAt, ExpiresAt: u.CreatedAt.Add(time.Hour),
	})
}

// Compare runs both in turn and reports the ratio of their medians.
func Compare(b *testing.B, ours, hand func() error) {
	b.Helper()
	var times [2][]time.Duration
	for b.Loop() {
		for i, fn := range []func() error{ours, hand} {
			start := time.Now()
			if err := fn(); err != nil {
				b.Fatal(err)
			}
			times[i] = append(times[i], time.Since(start))
		}
	}
	one, other := middle(times[0]), middle(times[1])
	b.ReportMetric(float64(one)/float64(other), "x/hand")
	b.ReportMetric(float64(one), "ns/ours")
	b.ReportMetric(float64(other), "ns/hand")
}

// Median is the median time of fn, in milliseconds.
func Median(b *testing.B, fn func() error) float64 {
	b.Helper()
	var times []time.Duration
	for b.Loop() {
		start := time.Now()
		if err := fn(); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(start))
	}
	return middle(times).Seconds() * 1000
}

func middle(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func only[T any](_ T, err error) error { return err }
