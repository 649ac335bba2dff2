package difftest

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/hosttype"
)

// TestStoresOfOwnTypeAgree runs scripts whose users are part of a host's own
// type, but for some.
func TestStoresOfOwnTypeAgree(t *testing.T) {
	all := targets[hosttype.Subscriber](t)
	for i, target := range all {
		all[i].open = func(t *testing.T) roster.Store { return owned{target.open(t)} }
	}
	agree(t, all, max(1, seeds(t)/5))
}

// owned writes users as part of a subscriber, whose fields follow from the user.
type owned struct{ roster.Store }

// around is what a user is written as.
func around(u *roster.User) roster.Model {
	h := fnv.New32()
	_, _ = fmt.Fprint(h, u.NameKey, u.RealName, u.Locale)
	n := int(h.Sum32() % 10_000)
	if n%4 == 0 {
		return u // a plain one
	}
	m := hosttype.Fill(n)
	if n%5 == 0 {
		*m = hosttype.Subscriber{} // with what is the default, where it is the zero value
	}
	m.User = *u
	return m
}

func (s owned) InsertUser(ctx context.Context, in roster.Model, search string) error {
	m := around(in.RosterUser())
	err := s.Store.InsertUser(ctx, m, search)
	*in.RosterUser() = *m.RosterUser()
	return err
}

func (s owned) UpdateUser(ctx context.Context, in roster.Model, search string) error {
	m := around(in.RosterUser())
	err := s.Store.UpdateUser(ctx, m, search)
	*in.RosterUser() = *m.RosterUser()
	return err
}

// showOwn is what is the host's.
func showOwn(s *hosttype.Subscriber) string {
	own := *s
	own.User = roster.User{}
	raw, err := json.Marshal(own)
	return fmt.Sprintf("%s %v", raw, err)
}
