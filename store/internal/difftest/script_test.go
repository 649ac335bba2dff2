package difftest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-roster/roster"
)

// op is one step of a script. Users and addresses go by the number of the step
// that inserted them, because IDs differ between stores. A number that stands
// for nothing becomes an ID that is nowhere, so that any step of a script can
// be left out.
type op struct {
	Kind     string
	User     int      // a handle
	Users    []int    // handles
	Email    int      // a handle
	Emails   []int    // handles
	Mail     int      // a handle
	Mails    []int    // handles
	Group    int      // a handle
	Groups   []int    // handles
	Slot     int      // where a user that was read is kept for an update
	Name     string   // name key
	Key      string   // address key
	Hash     string   // of an activation or credential
	Old      string   // another one
	Text     string   // to search in or for
	Names    []string // of counts
	Purposes []string //
	Scope    int
	At       int // microseconds after the start
	Limit    int
	State    roster.State
	Variant  uint // bits that choose among forms of the row
	Outer    bool // with the context outside of the transaction
	Ops      []op // of a transaction
	End      string
}

// String is the step with those of its fields that are not zero.
func (o op) String() string { return o.indented("") }

func (o op) indented(indent string) string {
	var b strings.Builder
	b.WriteString(indent + o.Kind)
	v := reflect.ValueOf(o)
	for i := 1; i < v.NumField(); i++ {
		if f := v.Type().Field(i); f.Name != "Ops" && !v.Field(i).IsZero() {
			fmt.Fprintf(&b, " %s=%#v", f.Name, v.Field(i).Interface())
		}
	}
	for _, inner := range o.Ops {
		b.WriteString("\n" + inner.indented(indent+"\t"))
	}
	return b.String()
}

// The alphabets are small so that values meet, and odd so that stores that
// compare, order or search by anything but bytes disagree.
var (
	names    = []string{"a", "A", "b", "B", "\u00e4", "a\u0308", "_", "%", "ss", "\u00df", "a ", "10", "9", "\U0001f600"}
	keys     = []string{"x@1", "X@1", "y@1", "\u00e9@1", "e\u0301@1", "_@1", "x@1 "}
	hashes   = []string{"h1", "H1", "h2", "h3", "h'4"}
	scopes   = []roster.ScopeID{0, 0, 0, 1, -1}
	purposes = []string{"activate", "change_email", "Activate"}
	searched = []string{
		"", "a", "ab", "abc", "abcabc", "ABC", "100% a_b", `a\b\\c`, `"quo" 'ted'`, "\u00e4\u00f6\u00fc", "a\u0308o\u0308", "\u4e2d\u6587\u5b57", "\U0001f600\U0001f601\U0001f602", "a*b^c", "x\ny",
	}
	patterns = []string{
		"", "", "a", "b", "ab", "abc", "bca", "AB", "%", "_", "a_b", "a%", `\`, `\\`, `\b\`, `"`, `"quo"`, "'", "\u00e4", "\u00e4\u00f6\u00fc", "\u0308", "\u6587", "\u4e2d\u6587\u5b57",
		"\U0001f601", "\U0001f600\U0001f601\U0001f602", "*", "a*b", "^c", "x\ny", "abcabcabc", "zzz", "OR", "-a",
	}
	data  = []string{"", `{"k":1}`, `{"<&>":"<\u2028>","n":1.50}`, `{"":null,"é":[1,{"z":1,"a":2}]}`}
	start = time.Date(2024, 2, 29, 23, 59, 59, 999990000, time.UTC)
)

// spread is how many different moments there are.
const spread = 20

func at(n int) time.Time { return start.Add(time.Duration(n) * time.Microsecond) }

// generator makes a script that depends on the seed alone.
type generator struct {
	*rand.Rand
	users, emails, mails int // handles given out
	groups               int
	done                 map[string][]op
}

func script(seed uint64, steps int) []op {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), done: map[string][]op{}}
	ops := make([]op, steps)
	for i := range ops {
		if i < 6 { // something to work with
			ops[i] = g.make([]string{"InsertUser", "InsertEmail"}[i%2], 0)
			continue
		}
		ops[i] = g.step(0)
	}
	return ops
}

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

// handle is one of those given out, most likely a late one, or now and then one
// that stands for nothing.
func (g *generator) handle(given int) int {
	if given == 0 || g.IntN(25) == 0 {
		return 1000
	}
	return max(1, given-g.IntN(min(given, 12)))
}

func (g *generator) handles(given int) []int {
	list := make([]int, g.IntN(4))
	for i := range list {
		list[i] = g.handle(given)
	}
	return list
}

// step makes a random one, at that depth of transactions.
func (g *generator) step(depth int) op {
	if depth < 3 && g.IntN(12) == 0 {
		o := op{Kind: "Atomic", End: pick(g, []string{"", "", "", "", "", "fail", "panic", "notfound"})}
		for range 1 + g.IntN(7) {
			o.Ops = append(o.Ops, g.step(depth+1))
		}
		return o
	}
	total := 0
	for _, k := range kinds {
		total += k.weight
	}
	n := g.IntN(total)
	i := slices.IndexFunc(kinds, func(k kind) bool { n -= k.weight; return n < 0 })
	return g.make(kinds[i].name, depth)
}

// make fills every field at random: a step reads those that it needs.
func (g *generator) make(kind string, depth int) op {
	o := op{
		Kind: kind, User: g.handle(g.users), Users: g.handles(g.users), Email: g.handle(g.emails), Emails: g.handles(g.emails),
		Mail: g.handle(g.mails), Mails: g.handles(g.mails), Group: g.handle(g.groups), Groups: g.handles(g.groups),
		Slot: g.IntN(4), Name: pick(g, names), Key: pick(g, keys), Hash: pick(g, hashes), Old: pick(g, hashes), Scope: int(pick(g, scopes)),
		At: g.IntN(spread), Limit: 1 + g.IntN(4), State: roster.State(g.IntN(4)), Variant: uint(g.Uint32()),
	}
	o.Text = pick(g, patterns)
	for range g.IntN(3) {
		o.Purposes = append(o.Purposes, pick(g, purposes))
	}
	for range g.IntN(5) {
		o.Names = append(o.Names, pick(g, names[:6]))
	}
	switch kind {
	case "InsertUser":
		g.users++
		o.User = g.users
		o.Text = pick(g, searched)
	case "InsertEmail":
		g.emails++
		o.Email = g.emails
	case "InsertMail":
		g.mails++
		o.Mail = g.mails
	case "InsertGroup":
		g.groups++
		o.Group = g.groups
	case "UpdateUser":
		o.Text = pick(g, searched)
	default:
		g.relate(&o)
	}
	if depth > 0 { // whether a call that asks for nothing counts as a write is open
		o.Limit = max(o.Limit, 2)
		if kind == "DeleteEmails" && len(o.Emails) == 0 {
			o.Emails = []int{o.Email}
		}
		if kind == "ForgetClients" && len(o.Users) == 0 {
			o.Users = []int{o.User}
		}
		if kind == "RequeueMails" && len(o.Mails) == 0 {
			o.Mails = []int{o.Mail}
		}
		if kind == "PutGrants" || kind == "DeleteGrants" {
			o.Users = append(o.Users, o.User)
		}
		if len(o.Names) == 0 {
			o.Names = []string{o.Name}
		}
	}
	o.Outer = depth > 0 && g.IntN(8) == 0
	g.done[kind] = append(g.done[kind], o)
	return kindOf(kind).trim(o)
}

// relate makes the step, more often than not, one about a row that an earlier
// step may have written: else hardly any would be found.
func (g *generator) relate(o *op) {
	recall := func(kind string) (op, bool) {
		list := g.done[kind]
		if len(list) == 0 || g.IntN(10) < 3 {
			return op{}, false
		}
		return list[max(0, len(list)-1-g.IntN(6))], true
	}
	switch o.Kind {
	case "UserByName", "LoginByName":
		if user, ok := recall("InsertUser"); ok {
			o.Name = user.Name
		}
	case "UserByEmail", "LoginByEmail", "EmailsByKey", "ActivatedEmails", "DeleteReleased", "LockEmails":
		if email, ok := recall("InsertEmail"); ok {
			o.Key = email.Key
		}
	case "RetireName", "NameOwners":
		if claim, ok := recall("ClaimName"); ok {
			o.Name, o.User = claim.Name, claim.User
		}
	case "ActivationByHash", "RedeemActivation", "VoidActivations":
		if a, ok := recall("InsertActivation"); ok {
			o.Hash, o.Email, o.User = a.Hash, a.Email, a.User
			o.Purposes = append(o.Purposes, purposeOf(a.Variant))
			o.At = g.IntN(a.At + 2) // just about in time
		}
	case "ClaimMails":
		if g.IntN(2) == 0 { // when most are due
			o.At, o.Limit = spread-1, 4
		}
	case "SettleMail":
		if claim, ok := recall("ClaimMails"); ok {
			o.Hash = claim.Hash
		}
	case "UndoByHash", "UndosOf", "RedeemUndo", "VoidUndos":
		if u, ok := recall("InsertUndo"); ok {
			o.Hash, o.User, o.Key = u.Hash, u.User, u.Key
			o.At = g.IntN(u.At + 2)
		}
	case "SessionByHash", "UpdateSession", "SeeSession", "SessionsOf", "DeleteSession", "DropSession":
		if c, ok := recall("InsertSession"); ok {
			o.User, o.Old, o.Variant = c.User, c.Hash, c.Variant
			if o.Kind != "UpdateSession" {
				o.Hash = c.Hash
			}
		}
	case "IdentityBySubject", "UpdateIdentity", "DeleteIdentities":
		if i, ok := recall("InsertIdentity"); ok {
			o.Name, o.Hash, o.User = i.Name, i.Hash, i.User
		}
	case "EventPage", "ForgetClients":
		if e, ok := recall("InsertEvent"); ok {
			o.User, o.Users, o.Key = e.User, e.Users, e.Key
		}
	case "IdentitiesAfter":
		if i, ok := recall("InsertIdentity"); ok {
			o.Name = i.Name
		}
	case "GroupByName", "OfferGroup":
		if c, ok := recall("InsertGroup"); ok {
			o.Name = c.Name
		}
	case "PutMember":
		if u, ok := recall("InsertUser"); ok {
			o.User = u.User
		}
		if c, ok := recall("InsertGroup"); ok {
			o.Group = c.Group
		}
	case "DeleteMember", "MembersAfter":
		if c, ok := recall("PutMember"); ok {
			o.Group, o.User = c.Group, c.User
		}
	case "PutGrants", "DeleteGrants", "GrantsOf", "HeldGrants", "Holds", "HoldersAfter", "ScopesAfter", "Privileged", "HeldByAll", "HeldAnywhere":
		if c, ok := recall("PutGrants"); ok {
			o.Group, o.User, o.Scope, o.Variant, o.Names = c.Group, c.User, c.Scope, c.Variant, c.Names
			if m, ok := recall("PutMember"); ok && g.IntN(2) == 0 && o.Kind != "DeleteGrants" {
				o.User, o.Users = m.User, append(o.Users, m.User)
			}
		}
	case "Credential", "CredentialsAfter", "SwapCredential", "DeleteCredential":
		if c, ok := recall("PutCredential"); ok {
			o.User, o.Scope, o.Old = c.User, c.Scope, c.Hash
		}
	}
}

// purposeOf is the purpose of an activation of that form.
func purposeOf(variant uint) string { return purposes[variant%uint(len(purposes))] }
