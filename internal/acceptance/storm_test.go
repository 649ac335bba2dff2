package acceptance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

// storm is what its callers share: the users there are and the codes that were
// sent.
type storm struct {
	w *world

	mu    sync.Mutex
	ids   []roster.UserID
	codes []string
	calls map[string]int
	wrong map[string]int // answers that no comment names
}

func (s *storm) user(rng *rand.Rand) roster.UserID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ids) == 0 {
		return 1 << 40
	}
	return s.ids[max(0, len(s.ids)-1-rng.IntN(6))]
}

func (s *storm) code(rng *rand.Rand) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.w.post.take() {
		if !m.Code.IsZero() {
			s.codes = append(s.codes, m.Code.Reveal())
		}
	}
	if len(s.codes) == 0 {
		return "none"
	}
	return s.codes[max(0, len(s.codes)-1-rng.IntN(8))]
}

// storms are the verbs, each with the errors that its comment names.
var storms = []struct {
	name    string
	weight  int
	run     func(ctx context.Context, s *storm, rng *rand.Rand) error
	allowed func(error) bool
}{
	{"Register", 4, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		n := nameSpellings[rng.IntN(len(nameSpellings))]
		a := addressSpellings[rng.IntN(len(addressSpellings))]
		u, err := s.w.Register(ctx, roster.NewUser{Name: n.typed, Email: a.typed, Password: goodPassword})
		if err == nil {
			s.mu.Lock()
			s.ids = append(s.ids, u.ID)
			s.mu.Unlock()
		}
		return err
	}, conflict(roster.FieldName)},
	{"Activate", 6, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		_, err := s.w.Activate(ctx, s.code(rng))
		return err
	}, is(roster.ErrActivation)},
	{"Peek", 1, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		_, err := s.w.Peek(ctx, s.code(rng))
		return err
	}, is(roster.ErrActivation)},
	{"ResendActivation", 3, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		return s.w.ResendActivation(ctx, addressSpellings[rng.IntN(len(addressSpellings))].typed)
	}, never},
	{"RequestPasswordReset", 3, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		return s.w.RequestPasswordReset(ctx, nameSpellings[rng.IntN(len(nameSpellings))].typed)
	}, never},
	{"ResetPassword", 3, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		_, err := s.w.ResetPassword(ctx, s.code(rng), goodPassword)
		return err
	}, is(roster.ErrActivation)},
	{"ActivateWithPassword", 3, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		_, err := s.w.ActivateWithPassword(ctx, s.code(rng), goodPassword)
		return err
	}, is(roster.ErrActivation)},
	{"UndoChange", 3, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		_, err := s.w.UndoChange(ctx, s.code(rng), goodPassword)
		return err
	}, is(roster.ErrActivation)},
	{"AcceptChange", 1, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		return s.w.AcceptChange(ctx, s.code(rng))
	}, is(roster.ErrActivation)},
	{"AddEmail", 4, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		_, err := s.w.AddEmail(ctx, s.user(rng), addressSpellings[rng.IntN(len(addressSpellings))].typed)
		return err
	}, either(is(roster.ErrNotFound), conflict(roster.FieldEmail))},
	{"ChangeEmail", 4, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		_, err := s.w.ChangeEmail(ctx, s.user(rng), addressSpellings[rng.IntN(len(addressSpellings))].typed)
		return err
	}, is(roster.ErrNotFound)},
	{"AddActivatedEmail", 2, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		_, err := s.w.AddActivatedEmail(ctx, s.user(rng), addressSpellings[rng.IntN(len(addressSpellings))].typed)
		return err
	}, either(is(roster.ErrNotFound), conflict(roster.FieldEmail))},
	{"SetPrimaryEmail", 4, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		id := s.user(rng)
		return s.w.SetPrimaryEmail(ctx, id, s.email(ctx, rng, id))
	}, either(is(roster.ErrNotFound), is(roster.ErrInvalid))},
	{"RemoveEmail", 4, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		id := s.user(rng)
		return s.w.RemoveEmail(ctx, id, s.email(ctx, rng, id))
	}, either(is(roster.ErrNotFound), is(roster.ErrInvalid), conflict(roster.FieldPrimary))},
	{"Edit", 3, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		n := nameSpellings[rng.IntN(len(nameSpellings))]
		return s.w.Edit(ctx, s.user(rng), func(u *roster.User) error { u.Name = n.typed; return nil })
	}, either(is(roster.ErrNotFound), conflict(roster.FieldName))},
	{"Save", 2, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		u, err := s.w.ByID(ctx, s.user(rng))
		if err != nil {
			return err
		}
		u.RealName = fmt.Sprint("Saved ", rng.Uint32())
		return s.w.Save(ctx, u)
	}, either(is(roster.ErrNotFound), is(roster.ErrStale))},
	{"ActivateUser", 1, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		return s.w.ActivateUser(ctx, s.user(rng))
	}, is(roster.ErrNotFound)},
	{
		"Disable", 1, func(ctx context.Context, s *storm, rng *rand.Rand) error { return s.w.Disable(ctx, s.user(rng)) },
		is(roster.ErrNotFound),
	},
	{
		"Enable", 2, func(ctx context.Context, s *storm, rng *rand.Rand) error { return s.w.Enable(ctx, s.user(rng)) },
		is(roster.ErrNotFound),
	},
	{
		"Delete", 2, func(ctx context.Context, s *storm, rng *rand.Rand) error { return s.w.Delete(ctx, s.user(rng)) },
		is(roster.ErrNotFound),
	},
	{
		"Restore", 3, func(ctx context.Context, s *storm, rng *rand.Rand) error { return s.w.Restore(ctx, s.user(rng)) },
		either(is(roster.ErrNotFound), conflict(roster.FieldName, roster.FieldEmail)),
	},
	{
		"Purge", 1, func(ctx context.Context, s *storm, rng *rand.Rand) error { return s.w.Purge(ctx, s.user(rng)) },
		is(roster.ErrNotFound),
	},
	{"SetPassword", 2, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		return s.w.SetPassword(ctx, s.user(rng), goodPassword)
	}, is(roster.ErrNotFound)},
	{"ChangePassword", 2, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		return s.w.ChangePassword(ctx, s.user(rng), goodPassword, goodPassword)
	}, either(is(roster.ErrNotFound), is(roster.ErrCredentials))},
	{"Authenticate", 4, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		_, err := s.w.Authenticate(ctx, nameSpellings[rng.IntN(len(nameSpellings))].typed, goodPassword)
		return err
	}, either(is(roster.ErrCredentials), is(roster.ErrNotActivated))},
	{"Prune", 1, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		_, err := s.w.Prune(ctx, roster.Budget{})
		return err
	}, never},
	{"Clock", 1, func(_ context.Context, s *storm, rng *rand.Rand) error {
		s.w.clock.Advance([]time.Duration{time.Second, time.Hour, 9 * 24 * time.Hour}[rng.IntN(3)])
		return nil
	}, never},
	{"Emails", 1, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		_, err := s.w.Emails(ctx, s.user(rng))
		return err
	}, is(roster.ErrNotFound)},
	{"Atomic", 2, func(ctx context.Context, s *storm, rng *rand.Rand) error {
		// Two users at once, in whatever order: this is what deadlocks are made of.
		a, b := s.user(rng), s.user(rng)
		return s.w.Atomic(ctx, func(ctx context.Context) error {
			if err := s.w.Disable(ctx, a); err != nil {
				return err
			}
			return s.w.Enable(ctx, b)
		})
	}, is(roster.ErrNotFound)},
}

func never(error) bool { return false }

var digits = regexp.MustCompile(`[0-9]+`)

func (s *storm) email(ctx context.Context, rng *rand.Rand, id roster.UserID) roster.EmailID {
	emails, err := s.w.store.EmailsOf(ctx, id)
	if err != nil || len(emails) == 0 {
		return 1 << 40
	}
	return emails[rng.IntN(len(emails))].ID
}

// TestStorm lets several callers do anything to the same few users, names and
// addresses. Every call ends as its comment says, and the invariants hold.
func TestStorm(t *testing.T) {
	var bag []int
	for i, v := range storms {
		for range v.weight {
			bag = append(bag, i)
		}
	}
	onEach(t, func(t *testing.T, k kind) {
		rng := random(t)
		w := newWorld(t, k.open(t), func(o *roster.Options) { o.NameHold = time.Hour })
		s := &storm{w: w, calls: map[string]int{}, wrong: map[string]int{}}
		ctx := ctxOf(t)
		start := time.Now()
		rounds, each := k.some(40, 2000), 15
		for range rounds {
			seeds := make([]uint64, rivals)
			for i := range seeds {
				seeds[i] = rng.Uint64()
			}
			together(rivals, func(i int) error {
				rng := rand.New(rand.NewPCG(seeds[i], 0))
				for range each {
					v := storms[bag[rng.IntN(len(bag))]]
					err := v.run(ctx, s, rng)
					s.mu.Lock()
					s.calls[v.name]++
					if err != nil && !v.allowed(err) {
						s.wrong[v.name+": "+digits.ReplaceAllString(err.Error(), "#")]++
					}
					s.mu.Unlock()
				}
				return nil
			})
			w.sound()
		}
		for what, n := range s.wrong {
			t.Errorf("%d times %s", n, what)
		}
		n := rounds * rivals * each
		t.Logf("%d calls by %d callers, %.0f a second: %v", n, rivals, float64(n)/time.Since(start).Seconds(), s.calls)
	})
}
