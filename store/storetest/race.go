package storetest

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/go-roster/roster"
)

var raceCases = []testCase{
	{name: "Race/Name", rule: "Of many that insert one name at once one succeeds, and the others get the conflict.", run: raceName},
	{name: "Race/Claim", rule: "Of many that claim one name at once one succeeds, and the others get the conflict.", run: raceClaim},
	{name: "Race/Redeem", rule: "Of many that redeem one activation at once one succeeds, and its effect is there once.", run: raceRedeem},
	{name: "Race/Activate", rule: "Of many that lock, activate and drop the claims on one address at once one succeeds, and none meets a conflict.", run: raceActivate},
}

// crowd is how many race.
const crowd = 8

// bounded is a context for a race of that many rounds. It is generous: it ends
// races that hang, or that are a storm of deadlocks.
func bounded(t testing.TB, rounds int) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second+time.Duration(rounds)*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// oneWinner reports if not exactly one of errs is nil, or if a loser has failed
// in another way than lost tells. It returns the index of the winner.
func oneWinner(t testing.TB, errs []error, lost func(error) bool) int {
	t.Helper()
	winner, n := -1, 0
	for i, err := range errs {
		if err == nil {
			winner = i
			n++
		} else if !lost(err) {
			t.Errorf("a loser got %v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d have won, want one", n)
	}
	if t.Failed() {
		t.FailNow()
	}
	return winner
}

func nameTaken(err error) bool {
	var c *roster.ConflictError
	return errors.As(err, &c) && c.Field == roster.FieldName
}

func raceName(t *testing.T, s roster.Store) {
	n := rounds(30, 10_000)
	ctx := bounded(t, n)
	for round := range n {
		name := "name" + strconv.Itoa(round)
		var users [crowd]*roster.User
		for i := range users {
			users[i] = user(name)
		}
		winner := oneWinner(t, together(crowd, func(i int) error {
			if i%2 == 0 {
				return s.InsertUser(ctx, users[i], name)
			}
			return s.Atomic(ctx, func(ctx context.Context) error { return s.InsertUser(ctx, users[i], name) })
		}), nameTaken)
		same(t, "the row", rowOf(s.UserByName(ctx, name))(t), users[winner])
	}
	same(t, "rows", got(s.CountUsers(ctx, roster.UserQuery{State: roster.StateLive}))(t), n)
}

func raceClaim(t *testing.T, s roster.Store) {
	n := rounds(15, 3000)
	ctx := bounded(t, n)
	var users [crowd]*roster.User
	for i := range users {
		users[i] = insert(t, s, user("user"+strconv.Itoa(i)))
	}
	for round := range n {
		name := "name" + strconv.Itoa(round)
		if round%2 == 1 { // held back until now: just as free
			ok(t, s.ClaimName(ctx, name, users[0].ID, at(0)))
			ok(t, s.RetireName(ctx, name, users[0].ID, at(0)))
		}
		winner := oneWinner(t, together(crowd, func(i int) error { return s.ClaimName(ctx, name, users[i].ID, at(0)) }), nameTaken)
		same(t, "the owner", got(nameOwner(ctx, s, name))(t), users[winner].ID)
	}
}

func raceRedeem(t *testing.T, s roster.Store) {
	n := rounds(15, 3000)
	ctx := bounded(t, n)
	ann := insert(t, s, user("ann"))
	for round := range n {
		e := insertEmail(t, s, pending(ann, "key"+strconv.Itoa(round)))
		insertActivation(t, s, activation(e, "hash"))
		winner := oneWinner(t, together(crowd, func(i int) error {
			return s.Atomic(ctx, func(ctx context.Context) error {
				a, err := s.RedeemActivation(ctx, "hash", at(0), roster.PurposeActivate)
				if err != nil {
					return err
				}
				if err := s.ActivateEmail(ctx, a.EmailID, at(0)); err != nil {
					return err
				}
				return s.PutCredential(ctx, credential(ann, roster.ScopeID(i), "effect"))
			})
		}), func(err error) bool { return errors.Is(err, roster.ErrNotFound) })
		for i := range crowd {
			_, err := s.Credential(ctx, ann.ID, roster.ScopeID(i))
			if i == winner {
				ok(t, err)
				ok(t, s.DeleteCredential(ctx, ann.ID, roster.ScopeID(i)))
			} else {
				fails(t, "the effect of a loser", err, roster.ErrNotFound)
			}
		}
	}
}

// errLost is what a loser returns who has noticed in time.
var errLost = errors.New("storetest: somebody else was first")

func raceActivate(t *testing.T, s roster.Store) {
	n := rounds(15, 3000)
	ctx := bounded(t, n)
	var users [crowd]*roster.User
	for i := range users {
		users[i] = insert(t, s, user("user"+strconv.Itoa(i)))
	}
	for round := range n {
		key := "key" + strconv.Itoa(round)
		var mails [crowd]*roster.UserEmail
		ok(t, s.Atomic(ctx, func(ctx context.Context) error {
			for i, u := range users {
				mails[i] = pending(u, key)
				if err := s.InsertEmail(ctx, mails[i]); err != nil {
					return err
				}
			}
			return nil
		}))
		winner := oneWinner(t, together(crowd, func(i int) error {
			return s.Atomic(ctx, func(ctx context.Context) error { return activate(ctx, s, mails[i]) })
		}), func(err error) bool { return errors.Is(err, errLost) })
		claims := got(s.EmailsByKey(ctx, key))(t)
		if len(claims) != 1 || claims[0].ID != mails[winner].ID || !claims[0].IsActivated() {
			t.Fatalf("%d claims are left, want that of the winner", len(claims))
		}
		same(t, "UserByEmail", rowOf(s.UserByEmail(ctx, key))(t).ID, users[winner].ID)
	}
}

// activate is how an address is proven: all claims are locked first, then this
// one is activated and the others are dropped.
func activate(ctx context.Context, s roster.Store, mine *roster.UserEmail) error {
	claims, err := s.LockEmails(ctx, mine.AddressKey)
	if err != nil {
		return err
	}
	var rivals []roster.EmailID
	found := false
	for _, e := range claims {
		switch {
		case e.IsActivated():
			return errLost
		case e.ID == mine.ID:
			found = true
		default:
			rivals = append(rivals, e.ID)
		}
	}
	if !found {
		return errLost
	}
	if err := s.ActivateEmail(ctx, mine.ID, at(0)); err != nil {
		return err
	}
	n, err := s.DeleteEmails(ctx, rivals...)
	if err == nil && n != len(rivals) {
		err = errors.New("storetest: a locked row was deleted by somebody else")
	}
	return err
}
