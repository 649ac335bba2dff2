package difftest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-roster/roster"
)

// nowhere is an ID that no store has given out.
const nowhere = 1 << 40

// table maps handles to IDs and back.
type table struct{ ids, handles map[int64]int64 }

func newTable() table { return table{map[int64]int64{}, map[int64]int64{}} }

func (t table) clone() table { return table{maps.Clone(t.ids), maps.Clone(t.handles)} }

func (t table) put(handle int, id int64) {
	t.ids[int64(handle)] = id
	t.handles[id] = int64(handle)
}

func (t table) id(handle int) int64 {
	if id, ok := t.ids[int64(handle)]; ok {
		return id
	}
	return nowhere + int64(handle)
}

// name is how an ID reads in an answer.
func (t table) name(id int64) string {
	switch h, ok := t.handles[id]; {
	case ok:
		return fmt.Sprint("#", h)
	case id == 0 || id >= nowhere:
		return fmt.Sprint(id)
	default:
		return "unknown"
	}
}

// player runs a script on one store and writes down the answers.
type player struct {
	s             roster.Store
	outer         context.Context
	users, emails table
	mails, groups table
	slots         map[int]*roster.User
	transactions  int // so far
	answers       []string
	counts        map[string]int // by kind and class of the answer
}

func newPlayer(ctx context.Context, s roster.Store) *player {
	return &player{s: s, outer: ctx, users: newTable(), emails: newTable(), mails: newTable(), groups: newTable(), slots: map[int]*roster.User{}, counts: map[string]int{}}
}

func (p *player) user(handle int) roster.UserID   { return roster.UserID(p.users.id(handle)) }
func (p *player) email(handle int) roster.EmailID { return roster.EmailID(p.emails.id(handle)) }

func (p *player) group(handle int) roster.GroupID { return roster.GroupID(p.groups.id(handle)) }

func (p *player) mail(handle int) roster.MailID { return roster.MailID(p.mails.id(handle)) }

func (p *player) mailsOf(handles []int) []roster.MailID {
	var ids []roster.MailID
	for _, h := range handles {
		ids = append(ids, p.mail(h))
	}
	return ids
}

func (p *player) usersOf(handles []int) []roster.UserID {
	var ids []roster.UserID
	for _, h := range handles {
		ids = append(ids, p.user(h))
	}
	return ids
}

func (p *player) emailsOf(handles []int) []roster.EmailID {
	var ids []roster.EmailID
	for _, h := range handles {
		ids = append(ids, p.email(h))
	}
	return ids
}

// play runs the steps, in the transaction of ctx if there is one.
func (p *player) play(ctx context.Context, ops []op) {
	for _, o := range ops {
		c := ctx
		if o.Outer {
			c = p.outer
		}
		var answer string
		if o.Kind == "Atomic" {
			answer = p.show(p.atomic(c, o))
		} else {
			answer = p.show(kindOf(o.Kind).run(c, p, o))
		}
		p.answers = append(p.answers, o.indented("")+"\n\t=> "+answer)
		p.counts[o.Kind]++
		if strings.Contains(answer, "error(") {
			p.counts[o.Kind+" failed"]++
		}
	}
}

var errEnd = errors.New("difftest: the transaction ends here")

// atomic runs a step that is a transaction. What its steps have been told of
// rows is forgotten with the rows, if it rolls back.
func (p *player) atomic(ctx context.Context, o op) any {
	users, emails, mails, slots := p.users.clone(), p.emails.clone(), p.mails.clone(), maps.Clone(p.slots)
	groups := p.groups.clone()
	p.transactions++
	name := fmt.Sprint("after transaction ", p.transactions)
	var panicked any
	err := func() (err error) {
		defer func() { panicked = recover() }()
		return p.s.Atomic(ctx, func(ctx context.Context) error {
			roster.AfterCommit(ctx, func(context.Context) { p.answers = append(p.answers, name) })
			p.play(ctx, o.Ops)
			switch o.End {
			case "fail":
				return errEnd
			case "notfound":
				return roster.ErrNotFound
			case "panic":
				panic("difftest")
			}
			return nil
		})
	}()
	if err != nil || panicked != nil {
		p.users, p.emails, p.mails, p.slots = users, emails, mails, slots
		p.groups = groups
		if ctx == p.outer {
			p.counts["rollback"]++
		}
	} else if ctx == p.outer {
		p.counts["commit"]++
	}
	return pair{fmt.Sprint("panicked ", panicked), err}
}

// keep puts the user that was read into the slot of the step.
func (p *player) keep(o op) func(roster.Model, error) any {
	return func(m roster.Model, err error) any {
		if err == nil {
			p.slots[o.Slot] = m.RosterUser()
		}
		return pair{m, err}
	}
}

// walk reads all pages.
func (p *player) walk(ctx context.Context, o op) any {
	q := roster.UserQuery{State: o.State, Contains: o.Text, Limit: o.Limit}
	var all []string
	for range 1000 {
		page, err := p.s.UserPage(ctx, q)
		if err != nil {
			return pair{all, err}
		}
		for _, m := range page {
			all = append(all, p.users.name(int64(m.RosterUser().ID)))
			q.AfterKey, q.AfterID = m.RosterUser().NameKey, m.RosterUser().ID
		}
		if len(page) < o.Limit {
			return pair{all, nil}
		}
		all = append(all, "|")
	}
	return "does not end"
}

// dump writes down everything that is in the store.
func (p *player) dump(ctx context.Context) {
	note := func(what string, v any) { p.answers = append(p.answers, what+"\n\t=> "+p.show(v)) }
	users, err := p.s.UsersAfter(ctx, 0, 10_000)
	note("all users", pair{users, err})
	emails, err := p.s.EmailsAfter(ctx, 0, 10_000)
	note("all addresses", pair{emails, err})
	for _, u := range users {
		id := u.User.RosterUser().ID
		for _, scope := range slices.Compact(slices.Clone(scopes)) {
			note("credential", two(p.s.Credential(ctx, id, scope)))
		}
		note("undos", two(p.s.UndosOf(ctx, id)))
		note("identities", two(p.s.IdentitiesOf(ctx, id)))
	}
	for _, hash := range hashes {
		one, m, err := p.s.SessionByHash(ctx, roster.NewSecret(hash))
		note("session "+hash, pair{pair{one, m}, err})
	}
	for _, u := range users {
		note("sessions", two(p.s.SessionsOf(ctx, u.User.RosterUser().ID, 100)))
	}
	p.dumpGroups(ctx, note, users)
	note("owners", two(p.s.NameOwners(ctx, names...)))
	note("activated", two(p.s.ActivatedEmails(ctx, keys...)))
	note("counts", two(p.s.LimitCounts(ctx, at(0), names[:6]...)))
	for _, hash := range hashes {
		note("activation "+hash, two(p.s.ActivationByHash(ctx, hash)))
	}
	for _, key := range keys {
		note("claims on "+key, two(p.s.EmailsByKey(ctx, key)))
	}
	for _, state := range outboxStates {
		note(fmt.Sprint("mails in state ", state), two(p.s.MailsAfter(ctx, state, 0, 10_000)))
	}
	note("events", p.walkEvents(ctx, op{Limit: 3}))
	for state := roster.StateActivated; state <= roster.StateDeleted; state++ {
		note(fmt.Sprint("all in state ", state), p.walk(ctx, op{State: state, Limit: 3}))
	}
	for i, pattern := range patterns {
		if (i+len(p.users.ids))%4 != 0 { // another fourth of them each time
			continue
		}
		note(fmt.Sprintf("search for %q", pattern), p.walk(ctx, op{State: roster.StateLive, Text: pattern, Limit: 100}))
	}
}

// wipe empties the store by purging everybody, every group and every count.
func (p *player) wipe(ctx context.Context) error {
	if _, err := p.s.PruneLimits(ctx, at(1000), 10_000); err != nil {
		return err
	}
	if _, err := p.s.PruneEvents(ctx, at(1000), 100_000); err != nil {
		return err
	}
	users, err := p.s.UsersAfter(ctx, 0, 10_000)
	if err != nil {
		return err
	}
	groups, err := p.s.GroupPage(ctx, "", 10_000)
	if err != nil || len(users)+len(groups) == 0 {
		return err
	}
	return p.s.Atomic(ctx, func(ctx context.Context) error {
		for _, g := range groups {
			if err := p.s.DeleteGroup(ctx, g.RosterGroup().ID); err != nil {
				return err
			}
		}
		for _, u := range users {
			if err := p.s.PurgeUser(ctx, u.User.RosterUser().ID); err != nil {
				return err
			}
		}
		return nil
	})
}
