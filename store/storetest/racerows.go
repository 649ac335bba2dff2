package storetest

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/go-roster/roster"
)

var raceRowCases = []testCase{
	{name: "Race/Count", rule: "A row that is locked, read and written in a transaction loses no update.", run: raceCount},
	{name: "Race/Swap", rule: "A rehash never takes the place of a password that was set meanwhile.", run: raceSwap},
	{name: "Race/Snapshot", rule: "A read is one statement: it sees all of a transaction or nothing.", run: raceSnapshot},
}

func raceCount(t *testing.T, s roster.Store) {
	each := rounds(5, 500)
	ctx := bounded(t, each)
	ann := user("ann")
	ann.RealName = "0"
	insert(t, s, ann)
	const racers = 20
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
	n := rounds(20, 5000)
	ctx := bounded(t, n)
	ann := insert(t, s, user("ann"))
	for range n {
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
	rounds := rounds(40, 5000)
	ctx := bounded(t, rounds)
	ann := user("ann")
	ann.RealName = "0"
	insert(t, s, ann)
	insertEmail(t, s, proven(ann, "key"))
	putCredential(t, s, credential(ann, 0, "0"))
	stop := make(chan struct{})
	for _, err := range together(3, func(i int) error {
		if i == 0 {
			defer close(stop)
			for n := range rounds {
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
