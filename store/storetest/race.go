package storetest

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/go-roster/roster"
)

var raceCases = []testCase{
	{name: "Race/Name", rule: "Of many that insert one name at once one succeeds, and the others get the conflict.", run: raceName},
	{name: "Race/Claim", rule: "Of many that claim one name at once one succeeds, and the others get the conflict.", run: raceClaim},
	{name: "Race/Redeem", rule: "Of many that redeem one activation at once one succeeds, and its effect is there once.", run: raceRedeem},
	{name: "Race/Activate", rule: "Of many that lock, activate and drop the claims on one address at once one succeeds, and none meets a conflict.", run: raceActivate},
	{name: "Race/Count", rule: "A row that is locked, read and written in a transaction loses no update.", run: raceCount},
	{name: "Race/Swap", rule: "A rehash never takes the place of a password that was set meanwhile.", run: raceSwap},
	{name: "Race/Snapshot", rule: "A read is one statement: it sees all of a transaction or nothing.", run: raceSnapshot},
}

// crowd is how many race.
const crowd = 8

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
		t.Fatalf("%d have won, want one", n)
	}
	return winner
}

func nameTaken(err error) bool {
	var c *roster.ConflictError
	return errors.As(err, &c) && c.Field == roster.FieldName
}

func raceName(t *testing.T, s roster.Store) {
	ctx := t.Context()
	n := rounds(30, 10_000)
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
	ctx := t.Context()
	var users [crowd]*roster.User
	for i := range users {
		users[i] = insert(t, s, user("user"+strconv.Itoa(i)))
	}
	for round := range rounds(15, 3000) {
		name := "name" + strconv.Itoa(round)
		if round%2 == 1 { // held back until now: just as free
			ok(t, s.ClaimName(ctx, name, users[0].ID, at(0)))
			ok(t, s.RetireName(ctx, name, users[0].ID, at(0)))
		}
		winner := oneWinner(t, together(crowd, func(i int) error { return s.ClaimName(ctx, name, users[i].ID, at(0)) }), nameTaken)
		same(t, "the owner", got(s.NameOwner(ctx, name))(t), users[winner].ID)
	}
}

func raceRedeem(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	for round := range rounds(15, 3000) {
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
	ctx := t.Context()
	var users [crowd]*roster.User
	for i := range users {
		users[i] = insert(t, s, user("user"+strconv.Itoa(i)))
	}
	for round := range rounds(15, 3000) {
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

func raceCount(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := user("ann")
	ann.RealName = "0"
	insert(t, s, ann)
	const racers = 20
	each := rounds(5, 500)
	for _, err := range together(racers, func(int) error {
		for range each {
			if err := s.Atomic(ctx, func(ctx context.Context) error {
				m, err := s.LockUser(ctx, ann.ID)
				if err != nil {
					return err
				}
				n, err := strconv.Atoi(m.RosterUser().RealName)
				if err != nil {
					return err
				}
				m.RosterUser().RealName = strconv.Itoa(n + 1)
				return s.UpdateUser(ctx, m, "")
			}); err != nil {
				return err
			}
		}
		return nil
	}) {
		ok(t, err)
	}
	row := rowOf(s.UserByID(ctx, ann.ID))(t)
	same(t, "the count", row.RealName, strconv.Itoa(racers*each))
	same(t, "the version", row.Version, ann.Version+int64(racers*each))
}

func raceSwap(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := insert(t, s, user("ann"))
	for range rounds(20, 5000) {
		putCredential(t, s, credential(ann, 0, "old"))
		set := credential(ann, 0, "new")
		set.CreatedAt = at(9000)
		for i, err := range together(4, func(i int) error {
			if i == 3 {
				return s.PutCredential(ctx, set)
			}
			return s.SwapCredential(ctx, ann.ID, 0, roster.NewSecret("old"), roster.NewSecret("rehashed"))
		}) {
			if err != nil && (i == 3 || !errors.Is(err, roster.ErrStale)) {
				t.Fatalf("%d: %v", i, err)
			}
		}
		same(t, "the row", got(s.Credential(ctx, ann.ID, 0))(t), set)
	}
}

// raceSnapshot writes a name and a hash that agree, while others look.
func raceSnapshot(t *testing.T, s roster.Store) {
	ctx := t.Context()
	ann := user("ann")
	ann.RealName = "0"
	insert(t, s, ann)
	insertEmail(t, s, proven(ann, "key"))
	putCredential(t, s, credential(ann, 0, "0"))
	stop := make(chan struct{})
	for _, err := range together(3, func(i int) error {
		if i == 0 {
			defer close(stop)
			for n := range rounds(40, 5000) {
				u := clone(ann)
				u.RealName = strconv.Itoa(n)
				if err := s.Atomic(ctx, func(ctx context.Context) error {
					u.Version = ann.Version
					return errors.Join(s.UpdateUser(ctx, u, ""), s.PutCredential(ctx, credential(u, 0, u.RealName)))
				}); err != nil {
					return err
				}
				ann = u
			}
			return nil
		}
		for {
			select {
			case <-stop:
				return nil
			default:
			}
			m, c, err := s.LoginByName(ctx, "ann")
			if i == 2 {
				m, c, err = s.LoginByEmail(ctx, "key")
			}
			if err != nil {
				return err
			}
			if m.RosterUser().RealName != c.Hash.Reveal() {
				return errors.New("storetest: a user of one moment with a credential of another")
			}
		}
	}) {
		ok(t, err)
	}
}
