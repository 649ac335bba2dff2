package difftest

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/go-roster/roster"
)

// kind is a sort of step.
type kind struct {
	name   string
	weight int    // how often it is made
	fields string // those of op that it reads
	reads  bool   // it writes nothing, so it may use the context outside
	run    func(ctx context.Context, p *player, o op) any
}

// trim empties the fields that the step does not read.
func (k kind) trim(o op) op {
	fields := strings.Fields(k.fields)
	v := reflect.ValueOf(&o).Elem()
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; name != "Kind" && (name != "Outer" || !k.reads) && !slices.Contains(fields, name) {
			v.Field(i).SetZero()
		}
	}
	return o
}

func kindOf(name string) kind {
	return kinds[slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })]
}

// kinds are all but Atomic, which runs others.
var kinds = slices.Concat(userKinds, emailKinds, otherKinds, sessionKinds, identityKinds, eventKinds, groupKinds)

// pair is two values of one answer.
type pair struct{ A, B any }

var userKinds = []kind{
	{"InsertUser", 12, "User Name Text At Variant", false, func(ctx context.Context, p *player, o op) any {
		u := p.newUser(o)
		err := p.s.InsertUser(ctx, u, o.Text)
		if err == nil {
			p.users.put(o.User, int64(u.ID))
		}
		return pair{u, err}
	}},
	{"UpdateUser", 10, "Slot Name Text At Variant", false, func(ctx context.Context, p *player, o op) any {
		u := p.slots[o.Slot]
		if u == nil {
			u = &roster.User{ID: nowhere, NameKey: "nobody"}
		}
		u = change(u, o)
		err := p.s.UpdateUser(ctx, u, o.Text)
		if err == nil && o.Variant&(1<<20) == 0 {
			p.slots[o.Slot] = u // else the next one is stale
		}
		return pair{u, err}
	}},
	{"PurgeUser", 3, "User", false, func(ctx context.Context, p *player, o op) any { return p.s.PurgeUser(ctx, p.user(o.User)) }},
	{"UserByID", 6, "User Slot", true, func(ctx context.Context, p *player, o op) any { return p.keep(o)(p.s.UserByID(ctx, p.user(o.User))) }},
	{"UserByUUID", 2, "User Slot", true, func(ctx context.Context, p *player, o op) any { return p.keep(o)(p.s.UserByUUID(ctx, uuidOf(o.User))) }},
	{"UserByName", 5, "Name Slot", true, func(ctx context.Context, p *player, o op) any { return p.keep(o)(p.s.UserByName(ctx, o.Name)) }},
	{"UserByEmail", 4, "Key Slot", true, func(ctx context.Context, p *player, o op) any { return p.keep(o)(p.s.UserByEmail(ctx, o.Key)) }},
	{"LockUser", 3, "User Slot", false, func(ctx context.Context, p *player, o op) any { return p.keep(o)(p.s.LockUser(ctx, p.user(o.User))) }},
	{"UsersByID", 3, "Users", true, func(ctx context.Context, p *player, o op) any { return two(p.s.UsersByID(ctx, p.usersOf(o.Users)...)) }},
	{"UserPage", 5, "State Text Name User Limit", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.UserPage(ctx, roster.UserQuery{State: o.State, Contains: o.Text, AfterKey: o.Name, AfterID: p.user(o.User), Limit: o.Limit - 1}))
	}},
	{"Walk", 6, "State Text Limit", true, func(ctx context.Context, p *player, o op) any { return p.walk(ctx, o) }},
	{"CountUsers", 4, "State Text Limit", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.CountUsers(ctx, roster.UserQuery{State: o.State, Contains: o.Text, Limit: o.Limit}))
	}},
	{"UsersAfter", 2, "User Limit", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.UsersAfter(ctx, p.user(o.User), o.Limit-1))
	}},
	{"PruneUsers", 2, "At Limit Variant", false, func(ctx context.Context, p *player, o op) any {
		ids, err := p.s.PruneUsers(ctx, at(o.At), flags(o.Variant), o.Limit-1)
		return pair{ids, err}
	}},
	{"RecordLogin", 2, "User At", false, func(ctx context.Context, p *player, o op) any {
		return p.s.RecordLogin(ctx, p.user(o.User), at(o.At), "::1")
	}},
	{"LoginByName", 3, "Name", true, func(ctx context.Context, p *player, o op) any { return three(p.s.LoginByName(ctx, o.Name)) }},
	{"LoginByEmail", 3, "Key", true, func(ctx context.Context, p *player, o op) any { return three(p.s.LoginByEmail(ctx, o.Key)) }},
}

var emailKinds = []kind{
	{"InsertEmail", 14, "Email User Key At Variant", false, func(ctx context.Context, p *player, o op) any {
		e := p.newEmail(o)
		err := p.s.InsertEmail(ctx, e)
		if err == nil {
			p.emails.put(o.Email, int64(e.ID))
		}
		return pair{e, err}
	}},
	{"EmailsByID", 2, "Emails", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.EmailsByID(ctx, p.emailsOf(o.Emails)...))
	}},
	{"EmailsOf", 3, "Users", true, func(ctx context.Context, p *player, o op) any { return two(p.s.EmailsOf(ctx, p.usersOf(o.Users)...)) }},
	{"EmailsByKey", 3, "Key", true, func(ctx context.Context, p *player, o op) any { return two(p.s.EmailsByKey(ctx, o.Key)) }},
	{"ActivatedEmails", 2, "Key Name", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.ActivatedEmails(ctx, o.Key, o.Name, "x@1"))
	}},
	{"LockEmails", 3, "Key", false, func(ctx context.Context, p *player, o op) any { return two(p.s.LockEmails(ctx, o.Key)) }},
	{"ActivateEmail", 6, "Email At", false, func(ctx context.Context, p *player, o op) any {
		return p.s.ActivateEmail(ctx, p.email(o.Email), at(o.At))
	}},
	{"ClearPrimary", 4, "User", false, func(ctx context.Context, p *player, o op) any { return p.s.ClearPrimary(ctx, p.user(o.User)) }},
	{"MarkPrimary", 4, "Email", false, func(ctx context.Context, p *player, o op) any { return p.s.MarkPrimary(ctx, p.email(o.Email)) }},
	{"DeleteEmails", 2, "Emails", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.DeleteEmails(ctx, p.emailsOf(o.Emails)...))
	}},
	{"ReleaseEmails", 3, "User At", false, func(ctx context.Context, p *player, o op) any {
		return p.s.ReleaseEmails(ctx, p.user(o.User), at(o.At))
	}},
	{"DeleteReleased", 2, "Key User", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.DeleteReleased(ctx, o.Key, p.user(o.User)))
	}},
	{"ReclaimEmails", 3, "User", false, func(ctx context.Context, p *player, o op) any { return p.s.ReclaimEmails(ctx, p.user(o.User)) }},
	{"EmailsAfter", 2, "Email Limit", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.EmailsAfter(ctx, p.email(o.Email), o.Limit-1))
	}},
	{"PruneEmails", 2, "At Limit", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.PruneEmails(ctx, at(o.At), o.Limit-1))
	}},
}

var otherKinds = []kind{
	{"ClaimName", 6, "Name User At", false, func(ctx context.Context, p *player, o op) any {
		return p.s.ClaimName(ctx, o.Name, p.user(o.User), at(o.At))
	}},
	{"RetireName", 4, "Name User At", false, func(ctx context.Context, p *player, o op) any {
		return p.s.RetireName(ctx, o.Name, p.user(o.User), at(o.At))
	}},
	{"NameOwners", 2, "Name Key", true, func(ctx context.Context, p *player, o op) any { return two(p.s.NameOwners(ctx, o.Name, o.Key, "a")) }},
	{"PruneNames", 2, "At Limit", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.PruneNames(ctx, at(o.At), o.Limit-1))
	}},
	{"InsertActivation", 7, "Hash User Email At Variant", false, func(ctx context.Context, p *player, o op) any {
		return p.s.InsertActivation(ctx, p.newActivation(ctx, o))
	}},
	{"ActivationByHash", 2, "Hash", true, func(ctx context.Context, p *player, o op) any { return two(p.s.ActivationByHash(ctx, o.Hash)) }},
	{"RedeemActivation", 4, "Hash At Purposes", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.RedeemActivation(ctx, o.Hash, at(o.At), typed(o.Purposes)...))
	}},
	{"VoidActivations", 2, "User Email Purposes Variant", false, func(ctx context.Context, p *player, o op) any {
		email := p.email(o.Email)
		if o.Variant&1 == 0 {
			email = 0
		}
		return two(p.s.VoidActivations(ctx, p.user(o.User), email, typed(o.Purposes)...))
	}},
	{"PruneActivations", 2, "At Limit", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.PruneActivations(ctx, at(o.At), o.Limit-1))
	}},
	{"InsertMail", 12, "Mail User Key At Text Variant", false, func(ctx context.Context, p *player, o op) any {
		m := p.newMail(o)
		err := p.s.InsertMail(ctx, m)
		if err == nil {
			p.mails.put(o.Mail, int64(m.ID))
		}
		return pair{m, err}
	}},
	{"ClaimMails", 6, "Hash At Limit", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.ClaimMails(ctx, o.Hash, at(o.At), at(o.At+5), o.Limit-1))
	}},
	{"SettleMail", 6, "Mail Hash At Variant", false, func(ctx context.Context, p *player, o op) any {
		m := p.newMail(o)
		m.ID, m.Claim = p.mail(o.Mail), o.Hash
		return p.s.SettleMail(ctx, m)
	}},
	{"MailsAfter", 3, "Mail Limit Variant", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.MailsAfter(ctx, outboxStates[o.Variant%3], p.mail(o.Mail), o.Limit-1))
	}},
	{"CountMails", 2, "Limit", true, func(ctx context.Context, p *player, o op) any { return two(p.s.CountMails(ctx, o.Limit-1)) }},
	{"RequeueMails", 3, "At Mails", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.RequeueMails(ctx, at(o.At), p.mailsOf(o.Mails)...))
	}},
	{"WipeMails", 2, "At Limit", false, func(ctx context.Context, p *player, o op) any { return two(p.s.WipeMails(ctx, at(o.At), o.Limit-1)) }},
	{"PruneMails", 2, "At Limit", false, func(ctx context.Context, p *player, o op) any { return two(p.s.PruneMails(ctx, at(o.At), o.Limit-1)) }},
	{"Credential", 2, "User Scope", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.Credential(ctx, p.user(o.User), roster.ScopeID(o.Scope)))
	}},
	{"PutCredential", 5, "User Scope Hash At Variant", false, func(ctx context.Context, p *player, o op) any {
		c := &roster.Credential{
			UserID: p.user(o.User), ScopeID: roster.ScopeID(o.Scope), Hash: roster.NewSecret(o.Hash), CreatedAt: at(o.At),
			MustChange: o.Variant&1 == 1,
		}
		if o.Variant&2 == 2 {
			c.ExpiresAt = at(int(o.Variant>>2) % spread)
		}
		return p.s.PutCredential(ctx, c)
	}},
	{"InsertUndo", 6, "Hash User Key At Variant", false, func(ctx context.Context, p *player, o op) any {
		return p.s.InsertUndo(ctx, &roster.Undo{
			Hash: o.Hash, UserID: p.user(o.User), Address: "M " + o.Key, AddressKey: o.Key, Rank: int64(o.Variant%4) - 1,
			CreatedAt: at(0), ExpiresAt: at(o.At),
		})
	}},
	{"UndoByHash", 2, "Hash", true, func(ctx context.Context, p *player, o op) any { return two(p.s.UndoByHash(ctx, o.Hash)) }},
	{"UndosOf", 2, "User", true, func(ctx context.Context, p *player, o op) any { return two(p.s.UndosOf(ctx, p.user(o.User))) }},
	{"RedeemUndo", 3, "Hash At", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.RedeemUndo(ctx, o.Hash, at(o.At)))
	}},
	{"VoidUndos", 2, "User Key Variant", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.VoidUndos(ctx, p.user(o.User), o.Key, int64(o.Variant%4)-1))
	}},
	{"PruneUndos", 2, "At Limit", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.PruneUndos(ctx, at(o.At), o.Limit-1))
	}},
	{"CredentialsAfter", 2, "User Scope Limit", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.CredentialsAfter(ctx, p.user(o.User), roster.ScopeID(o.Scope), o.Limit-1))
	}},
	{"SwapCredential", 3, "User Scope Old Hash", false, func(ctx context.Context, p *player, o op) any {
		return p.s.SwapCredential(ctx, p.user(o.User), roster.ScopeID(o.Scope), roster.NewSecret(o.Old), roster.NewSecret(o.Hash))
	}},
	{"LimitCounts", 4, "Names At", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.LimitCounts(ctx, at(o.At), limitKeys(o.Names)...))
	}},
	{"TakeLimits", 12, "Names At Limit Variant", false, func(ctx context.Context, p *player, o op) any {
		var takes []roster.LimitTake
		for i, key := range limitKeys(o.Names) {
			takes = append(takes, roster.LimitTake{Key: key, Max: o.Limit, ExpiresAt: at(o.At + int(o.Variant>>(4*i)%spread))})
		}
		return two(p.s.TakeLimits(ctx, at(o.At), takes...))
	}},
	{"GiveLimits", 4, "Names Variant", false, func(ctx context.Context, p *player, o op) any {
		keys := limitKeys(o.Names)
		n := int(o.Variant % uint(len(keys)+1))
		return p.s.GiveLimits(ctx, keys[:n], keys[n:])
	}},
	{"PruneLimits", 2, "At Limit", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.PruneLimits(ctx, at(o.At), o.Limit-1))
	}},
	{"DeleteCredential", 2, "User Scope", false, func(ctx context.Context, p *player, o op) any {
		return p.s.DeleteCredential(ctx, p.user(o.User), roster.ScopeID(o.Scope))
	}},
}

// limitKeys are the keys without those that are there twice.
func limitKeys(keys []string) []string {
	var some []string
	for _, key := range keys {
		if !slices.Contains(some, key) {
			some = append(some, key)
		}
	}
	return some
}

var sessionKinds = []kind{
	{"InsertSession", 9, "Hash User Users At Variant", false, func(ctx context.Context, p *player, o op) any {
		return p.s.InsertSession(ctx, p.newSession(o))
	}},
	{"SessionByHash", 3, "Hash", true, func(ctx context.Context, p *player, o op) any {
		one, m, err := p.s.SessionByHash(ctx, roster.NewSecret(o.Hash))
		return pair{pair{one, m}, err}
	}},
	{"UpdateSession", 4, "Old Hash User Users At Variant", false, func(ctx context.Context, p *player, o op) any {
		return p.s.UpdateSession(ctx, roster.NewSecret(o.Old), p.newSession(o))
	}},
	{"SeeSession", 2, "Hash At Limit", false, func(ctx context.Context, p *player, o op) any {
		return p.s.SeeSession(ctx, roster.NewSecret(o.Hash), at(o.At+o.Limit), at(o.At))
	}},
	{"SessionsOf", 3, "User Limit", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.SessionsOf(ctx, p.user(o.User), o.Limit-1))
	}},
	{"DeleteSession", 2, "User Variant", false, func(ctx context.Context, p *player, o op) any {
		return p.s.DeleteSession(ctx, p.user(o.User), sessionID(o.Variant))
	}},
	{"DropSession", 1, "Hash", false, func(ctx context.Context, p *player, o op) any {
		return p.s.DropSession(ctx, roster.NewSecret(o.Hash))
	}},
	{"DeleteSessions", 1, "User Variant", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.DeleteSessions(ctx, p.user(o.User), sessionID(o.Variant)))
	}},
	{"PruneSessions", 1, "At Limit", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.PruneSessions(ctx, at(o.At), o.Limit-1))
	}},
}

var identityKinds = []kind{
	{"InsertIdentity", 9, "Name Hash User At Variant", false, func(ctx context.Context, p *player, o op) any {
		return p.s.InsertIdentity(ctx, p.newIdentity(o))
	}},
	{"IdentityBySubject", 3, "Name Hash", true, func(ctx context.Context, p *player, o op) any {
		i, m, err := p.s.IdentityBySubject(ctx, o.Name, o.Hash)
		return pair{pair{i, m}, err}
	}},
	{"IdentitiesOf", 3, "Users", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.IdentitiesOf(ctx, p.usersOf(o.Users)...))
	}},
	{"IdentitiesAfter", 3, "Name Hash Limit", true, func(ctx context.Context, p *player, o op) any {
		return two(p.s.IdentitiesAfter(ctx, o.Name, o.Hash, o.Limit-1))
	}},
	{"UpdateIdentity", 4, "Name Hash User At Variant", false, func(ctx context.Context, p *player, o op) any {
		return p.s.UpdateIdentity(ctx, p.newIdentity(o))
	}},
	{"DeleteIdentities", 2, "User Name Hash Variant", false, func(ctx context.Context, p *player, o op) any {
		provider, subject := o.Name, o.Hash
		if o.Variant&1 == 0 {
			provider = ""
		}
		if o.Variant&2 == 0 {
			subject = ""
		}
		return two(p.s.DeleteIdentities(ctx, p.user(o.User), provider, subject))
	}},
}

var eventKinds = []kind{
	{"InsertEvent", 6, "User Users Key At Variant", false, func(ctx context.Context, p *player, o op) any {
		return p.s.InsertEvent(ctx, p.newEvent(o))
	}},
	{"CountEvent", 4, "User Users Key Hash At Variant", false, func(ctx context.Context, p *player, o op) any {
		e := p.newEvent(o)
		err := p.s.CountEvent(ctx, o.Hash, e)
		return pair{e.Count, err}
	}},
	{"EventPage", 5, "User Users Key At Limit Variant", true, func(ctx context.Context, p *player, o op) any {
		return p.walkEvents(ctx, o)
	}},
	{"ForgetClients", 1, "Users", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.ForgetClients(ctx, p.usersOf(o.Users)...))
	}},
	{"PruneEvents", 1, "At Limit", false, func(ctx context.Context, p *player, o op) any {
		return two(p.s.PruneEvents(ctx, at(o.At), o.Limit-1))
	}},
}

func two(v any, err error) any { return pair{v, err} }

func three(m roster.Model, c *roster.Credential, err error) any { return pair{pair{m, c}, err} }
