// Package casbin asks roster and casbin the same questions about the same
// 100,000 users, 10,000 groups, 1,000 scopes and 300,000 grants. It is a module
// of its own, so that casbin is in nobody's build: see CONTRIBUTING.md.
package casbin

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/store/memory"
)

const (
	users  = 100_000
	groups = 10_000
	scopes = 1_000
)

// grants yields the grants, of which the first 100,000 are to users.
func grants(yield func(user, group, scope int, p string)) {
	for u := 1; u <= users; u++ {
		yield(u, 0, u%scopes+1, fmt.Sprint("p", u%10))
	}
	for g := 1; g <= groups; g++ {
		for k := range 20 {
			yield(0, g, (g*20+k)%scopes+1, fmt.Sprint("p", (g/50+k)%10))
		}
	}
}

// members yields who is in which group: everybody in two.
func members(yield func(user, group int)) {
	for u := 1; u <= users; u++ {
		yield(u, u%groups+1)
		yield(u, (u*7+3)%groups+1)
	}
}

// asked is the n-th question.
func asked(n int) (user, scope int, p string) {
	user = n*7919%users + 1
	scope = user%scopes + 1
	if n%2 == 0 {
		scope = n%scopes + 1
	}
	return user, scope, fmt.Sprint("p", user%10)
}

func newRoster(b *testing.B, cache time.Duration) *roster.Users {
	b.Helper()
	o := roster.Options{PermissionCache: cache}
	for i := range 10 {
		o.Permissions = append(o.Permissions, roster.PermissionInfo{Name: roster.Permission(fmt.Sprint("p", i))})
	}
	store := memory.New()
	us, err := roster.New(store, &o)
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	err = store.Atomic(b.Context(), func(ctx context.Context) (err error) {
		do := func(_ any, e error) {
			if err == nil {
				err = e
			}
		}
		for u := 1; u <= users; u++ {
			name := fmt.Sprint("u", u)
			do(nil, store.InsertUser(ctx, &roster.User{
				UUID: uuid.New(), Name: name, NameKey: name, Enabled: true, ActivatedAt: now, CreatedAt: now, UpdatedAt: now, Version: 1,
			}, name))
		}
		for g := 1; g <= groups; g++ {
			name := fmt.Sprint("g", g)
			do(nil, store.InsertGroup(ctx, &roster.Group{UUID: uuid.New(), Name: name, NameKey: name, CreatedAt: now, UpdatedAt: now, Version: 1}))
		}
		members(func(user, group int) {
			do(store.PutMember(ctx, &roster.Membership{GroupID: roster.GroupID(group), UserID: roster.UserID(user), CreatedAt: now}))
		})
		grants(func(user, group, scope int, p string) {
			to := roster.Subject{User: roster.UserID(user), Group: roster.GroupID(group)}
			do(store.PutGrants(ctx, roster.Grant{Subject: to, ScopeID: roster.ScopeID(scope), CreatedAt: now}, roster.Permission(p)))
		})
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return us
}

// newCasbin is the model of its documentation for roles with domains, where the
// groups are the same in every domain.
func newCasbin(b *testing.B) *casbin.Enforcer {
	b.Helper()
	m, err := model.NewModelFromString(`
[request_definition]
r = sub, dom, act
[policy_definition]
p = sub, dom, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.dom == p.dom && r.act == p.act && g(r.sub, p.sub)
`)
	if err != nil {
		b.Fatal(err)
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		b.Fatal(err)
	}
	var rules, in [][]string
	grants(func(user, group, scope int, p string) {
		sub := fmt.Sprint("u", user)
		if group != 0 {
			sub = fmt.Sprint("g", group)
		}
		rules = append(rules, []string{sub, fmt.Sprint(scope), p})
	})
	members(func(user, group int) { in = append(in, []string{fmt.Sprint("u", user), fmt.Sprint("g", group)}) })
	if _, err := e.AddPolicies(rules); err != nil {
		b.Fatal(err)
	}
	if _, err := e.AddGroupingPolicies(in); err != nil {
		b.Fatal(err)
	}
	return e
}

// BenchmarkCan is one question.
func BenchmarkCan(b *testing.B) {
	ours, theirs := newRoster(b, 0), newCasbin(b)
	remembers := newRoster(b, time.Minute)
	for n := range 20 { // they agree
		user, scope, p := asked(n)
		may, err := ours.Can(b.Context(), roster.UserID(user), roster.Permission(p), roster.ScopeID(scope), roster.ScopeOnly)
		if err != nil {
			b.Fatal(err)
		}
		allowed, err := theirs.Enforce(fmt.Sprint("u", user), fmt.Sprint(scope), p)
		if err != nil || allowed != may {
			b.Fatalf("user %d, scope %d, %s: roster says %v, casbin %v, %v", user, scope, p, may, allowed, err)
		}
	}
	can := func(us *roster.Users, same bool) func(b *testing.B) {
		return func(b *testing.B) {
			n := 0
			user, scope, p := asked(n)
			for b.Loop() {
				if !same {
					n++
					user, scope, p = asked(n)
				}
				if _, err := us.Can(b.Context(), roster.UserID(user), roster.Permission(p), roster.ScopeID(scope), roster.ScopeOnly); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("roster in memory", can(ours, false))
	b.Run("roster from its cache", can(remembers, true))
	b.Run("casbin", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n++
			user, scope, p := asked(n)
			if _, err := theirs.Enforce(fmt.Sprint("u", user), fmt.Sprint(scope), p); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkWhoCan is the question backwards, for 500 of 100,000 users.
func BenchmarkWhoCan(b *testing.B) {
	ours, theirs := newRoster(b, 0), newCasbin(b)
	b.Run("roster in memory", func(b *testing.B) {
		n := 0
		for b.Loop() {
			l, err := ours.WhoCan(b.Context(), "p9", 500, roster.ScopeOnly, roster.Paging{Limit: 500})
			if err != nil {
				b.Fatal(err)
			}
			n = len(l.Items)
		}
		b.ReportMetric(float64(n), "users")
	})
	b.Run("casbin", func(b *testing.B) {
		n := 0
		for b.Loop() {
			// GetImplicitUsersForPermission asks Enforce for each user, which takes
			// hours here: this goes through the rules once.
			rules, err := theirs.GetFilteredPolicy(1, "500", "p9")
			if err != nil {
				b.Fatal(err)
			}
			who := map[string]bool{}
			for _, rule := range rules {
				if rule[0][0] == 'u' {
					who[rule[0]] = true
					continue
				}
				in, err := theirs.GetUsersForRole(rule[0])
				if err != nil {
					b.Fatal(err)
				}
				for _, u := range in {
					who[u] = true
				}
			}
			n = len(who)
		}
		b.ReportMetric(float64(n), "users")
	})
}
