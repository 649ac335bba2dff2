package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
)

const crowdSize = 100_000

// crowd is a store of many users with an address and a password each. A
// benchmark that writes to it leaves it as big as it was.
var crowd = sync.OnceValue(func() *Store {
	s := New()
	err := s.Atomic(context.Background(), func(ctx context.Context) error {
		for i := range crowdSize {
			u := benchUser(name(i))
			if err := s.InsertUser(ctx, u, u.NameKey); err != nil {
				return err
			}
			e := &roster.UserEmail{UserID: u.ID, Address: mail(i), AddressKey: mail(i), Primary: true, ActivatedAt: start, CreatedAt: start}
			if err := s.InsertEmail(ctx, e); err != nil {
				return err
			}
			c := &roster.Credential{UserID: u.ID, Hash: roster.NewSecret("hash"), CreatedAt: start}
			if err := s.PutCredential(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return s
})

func benchUser(key string) *roster.User {
	return &roster.User{
		UUID: uuid.New(), Name: key, NameKey: key, RealName: "Real " + key, Locale: "de", Enabled: true,
		ActivatedAt: start, CreatedAt: start, UpdatedAt: start,
	}
}

func name(i int) string { return "user" + strconv.Itoa(i) }
func mail(i int) string { return name(i) + "@example.org" }

// picks are random indices of the crowd, and their keys, made before the clock
// starts.
type pick struct {
	id         roster.UserID
	uuid       uuid.UUID
	name, mail string
}

var picks = sync.OnceValue(func() []pick {
	all := make([]pick, 1<<14)
	for i := range all {
		n := rand.IntN(crowdSize)
		m, err := crowd().UserByName(context.Background(), name(n))
		if err != nil {
			panic(err)
		}
		u := m.RosterUser()
		all[i] = pick{u.ID, u.UUID, name(n), mail(n)}
	}
	return all
})

// reads reads users at random: of all, so that hardly anything is in the
// processor's cache, and a few over and over.
func reads(b *testing.B, read func(ctx context.Context, s *Store, p *pick) error) {
	b.Run("cold", func(b *testing.B) { each(b, picks(), read) })
	b.Run("hot", func(b *testing.B) { each(b, picks()[:64], read) })
}

func each(b *testing.B, picks []pick, do func(ctx context.Context, s *Store, p *pick) error) {
	s, ctx := crowd(), b.Context()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := do(ctx, s, &picks[i%len(picks)]); err != nil {
			b.Fatal(err)
		}
	}
}

var sink *roster.User

// BenchmarkLimitByID and BenchmarkLimitByName are the limits: what look-ups in
// maps that nobody writes to and a copy cost.
func BenchmarkLimitByID(b *testing.B) {
	users, _ := plainMaps()
	reads(b, func(_ context.Context, _ *Store, p *pick) error {
		u := *users[p.id]
		sink = &u
		return nil
	})
}

func BenchmarkLimitByName(b *testing.B) {
	users, names := plainMaps()
	reads(b, func(_ context.Context, _ *Store, p *pick) error {
		u := *users[names[p.name]]
		sink = &u
		return nil
	})
}

func plainMaps() (users map[roster.UserID]*roster.User, names map[string]roster.UserID) {
	users, names = make(map[roster.UserID]*roster.User), make(map[string]roster.UserID)
	for id, r := range crowd().last.Load().users.byID.from(0) {
		users[id], names[r.NameKey] = r.User, id
	}
	return users, names
}

func BenchmarkByID(b *testing.B) {
	reads(b, func(ctx context.Context, s *Store, p *pick) error { _, err := s.UserByID(ctx, p.id); return err })
}

func BenchmarkByUUID(b *testing.B) {
	reads(b, func(ctx context.Context, s *Store, p *pick) error { _, err := s.UserByUUID(ctx, p.uuid); return err })
}

func BenchmarkByName(b *testing.B) {
	reads(b, func(ctx context.Context, s *Store, p *pick) error { _, err := s.UserByName(ctx, p.name); return err })
}

func BenchmarkByEmail(b *testing.B) {
	reads(b, func(ctx context.Context, s *Store, p *pick) error { _, err := s.UserByEmail(ctx, p.mail); return err })
}

func BenchmarkLoginByEmail(b *testing.B) {
	reads(b, func(ctx context.Context, s *Store, p *pick) error {
		_, _, err := s.LoginByEmail(ctx, p.mail)
		return err
	})
}

func BenchmarkEmailsOf(b *testing.B) {
	reads(b, func(ctx context.Context, s *Store, p *pick) error { _, err := s.EmailsOf(ctx, p.id); return err })
}

func BenchmarkByIDInATransaction(b *testing.B) {
	s, all := crowd(), picks()
	err := s.Atomic(b.Context(), func(ctx context.Context) error {
		for i := 0; b.Loop(); i++ {
			if _, err := s.UserByID(ctx, all[i%len(all)].id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkPage20(b *testing.B) {
	reads(b, func(ctx context.Context, s *Store, p *pick) error {
		_, err := s.UserPage(ctx, roster.UserQuery{AfterKey: p.name, AfterID: p.id, Limit: 20})
		return err
	})
}

// BenchmarkSearchAll looks at every text, as there is no index of substrings.
func BenchmarkSearchAll(b *testing.B) {
	each(b, picks(), func(ctx context.Context, s *Store, _ *pick) error {
		_, err := s.CountUsers(ctx, roster.UserQuery{Contains: "99999"})
		return err
	})
}

func BenchmarkRecordLogin(b *testing.B) {
	at := start
	each(b, picks(), func(ctx context.Context, s *Store, p *pick) error {
		at = at.Add(time.Second)
		return s.RecordLogin(ctx, p.id, at, "192.0.2.1")
	})
}

func BenchmarkUpdateUser(b *testing.B) {
	each(b, picks(), func(ctx context.Context, s *Store, p *pick) error {
		m, err := s.UserByID(ctx, p.id)
		if err != nil {
			return err
		}
		m.RosterUser().RealName = "Other"
		return s.UpdateUser(ctx, m, p.name)
	})
}

func BenchmarkInsertAndPurge(b *testing.B) {
	u := benchUser("somebody new")
	u.Data = roster.Data{"plan": json.RawMessage(`"pro"`)}
	each(b, picks(), func(ctx context.Context, s *Store, _ *pick) error {
		if err := s.InsertUser(ctx, u, u.NameKey); err != nil {
			return err
		}
		return s.PurgeUser(ctx, u.ID)
	})
}

// BenchmarkRegister is what a registration writes, in one transaction, and a
// purge.
func BenchmarkRegister(b *testing.B) {
	i := 0
	each(b, picks(), func(ctx context.Context, s *Store, _ *pick) error {
		i++
		u := benchUser(fmt.Sprint("new", i%1000))
		u.ActivatedAt = time.Time{}
		err := s.Atomic(ctx, func(ctx context.Context) error {
			if err := s.InsertUser(ctx, u, u.NameKey); err != nil {
				return err
			}
			if err := s.ClaimName(ctx, u.NameKey, u.ID, start); err != nil {
				return err
			}
			if err := s.PutCredential(ctx, &roster.Credential{UserID: u.ID}); err != nil {
				return err
			}
			e := &roster.UserEmail{UserID: u.ID, AddressKey: u.NameKey, Primary: true}
			if err := s.InsertEmail(ctx, e); err != nil {
				return err
			}
			return s.InsertActivation(ctx, &roster.Activation{Hash: u.NameKey, UserID: u.ID, EmailID: e.ID, ExpiresAt: start})
		})
		if err != nil {
			return err
		}
		return s.PurgeUser(ctx, u.ID)
	})
}

func BenchmarkReadersBesideAWriter(b *testing.B) {
	s, all, ctx := crowd(), picks(), b.Context()
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				_ = s.RecordLogin(ctx, all[i%len(all)].id, start, "192.0.2.1")
			}
		}
	})
	for i := 0; b.Loop(); i++ {
		if _, err := s.UserByID(ctx, all[i%len(all)].id); err != nil {
			b.Fatal(err)
		}
	}
	close(stop)
	writer.Wait()
}
