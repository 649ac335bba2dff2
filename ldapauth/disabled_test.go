package ldapauth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

func TestConditions(t *testing.T) {
	now := time.Date(2026, 11, 22, 23, 59, 59, 0, time.UTC) // day 20779
	for _, c := range []struct {
		name      string
		condition ldapauth.Condition
		yes, no   string
	}{
		{"IsTrue", ldapauth.IsTrue, "TRUE true", "FALSE 1 0 x"},
		{"AccountDisabled", ldapauth.AccountDisabled, "2 514 66050", "512 66048 0 x 9999999999999999999"},
		{"LockedForGood", ldapauth.LockedForGood, "000001010000Z", "20261122120000Z 000001010000 x"},
		{"DayReached", ldapauth.DayReached, "1 20778 20779", "20780 0 -1 x"},
		{"FileTimeReached", ldapauth.FileTimeReached, "1 134398655990000000 116444736000000000", "134398656000000000 0 -1 9223372036854775807 x"},
	} {
		for _, v := range strings.Fields(c.yes) {
			if !c.condition(v, now) {
				t.Errorf("%s(%s) says no", c.name, v)
			}
		}
		for _, v := range append(strings.Fields(c.no), "") {
			if c.condition(v, now) {
				t.Errorf("%s(%s) says yes", c.name, v)
			}
		}
	}
}

// Whom the directory lets nobody in by is refused after the right password, and told to
// a sync as disabled, by what each preset looks at.
func TestDisabled(t *testing.T) {
	classes := []string{"inetOrgPerson", "posixAccount", "shadowAccount", "ipaObject", "user"}
	person := func(name, attribute, value string) *ldap.Entry {
		e := map[string][]string{"objectClass": classes, "sAMAccountName": {name}, "objectCategory": {"person"}, "ipaUniqueID": {name}, "objectGUID": {(name + strings.Repeat("x", 16))[:16]}}
		e[attribute] = []string{value}
		return slapd.Person(name, "secret", e)
	}
	s := slapdtest.Start(t, slapd.Options{Entries: []*ldap.Entry{
		person("fine", "description", "x"),
		person("locked", "pwdAccountLockedTime", "000001010000Z"), person("waits", "pwdAccountLockedTime", "20261122120000Z"),
		person("expired", "shadowExpire", "1"), person("expires", "shadowExpire", "99999"),
		person("ipa", "nsAccountLock", "TRUE"), person("ad", "userAccountControl", "514"), person("past", "accountExpires", "1"),
	}})
	for name, c := range map[string]struct {
		schema   ldapauth.Schema
		disabled string
	}{
		"PosixAccount": {ldapauth.PosixAccount(), "expired ipa locked"}, "InetOrgPerson": {ldapauth.InetOrgPerson(), "expired ipa locked"},
		"FreeIPA": {ldapauth.FreeIPA(), "ipa"}, "ActiveDirectory": {ldapauth.ActiveDirectory(), "ad past"},
	} {
		o := slapdtest.Options(s)
		o.Schema = c.schema
		d := slapdtest.New(t, o)
		ids, err := all(t.Context(), d)
		if err != nil || len(ids) != 8 {
			t.Fatal(name, ids, err)
		}
		for _, id := range ids {
			disabled := strings.Contains(" "+c.disabled+" ", " "+id.Name+" ")
			if id.Disabled != disabled {
				t.Errorf("%s: %s is disabled: %v", name, id.Name, id.Disabled)
			}
			_, err := d.Authenticate(t.Context(), id.Name, "secret")
			var refused *roster.RefusedError
			if !disabled && err != nil || disabled && (!errors.Is(err, roster.ErrCredentials) || !errors.As(err, &refused) || refused.Subject != id.Subject) {
				t.Errorf("%s: %s: %v", name, id.Name, err)
			}
			if disabled {
				checkError(t, err, ldapauth.StageEntry, 0, ldapauth.ReasonDisabled)
			}
			if found, err := d.Find(t.Context(), id.Subject); err != nil || found.Name != id.Name || found.Disabled != disabled {
				t.Errorf("%s: Find %s: %v, %v", name, id.Name, found, err)
			}
		}
		for _, subject := range []string{"", "*", "nobody", "00000000-0000-0000-0000-000000000000", strings.ToUpper(ids[0].Subject), ids[0].Subject + ")(uid=*", strings.Repeat("x", 1000)} {
			if id, err := d.Find(t.Context(), subject); id != nil || !errors.Is(err, roster.ErrUnknownUser) {
				t.Errorf("%s: Find %q: %v, %v", name, subject, id, err)
			}
		}
	}

	// By one's own rights, too.
	o := slapdtest.Options(s)
	o.ServiceDN, o.ServicePassword, o.BindName = "", roster.Secret{}, "uid={name},ou=people,"+slapd.Base
	d := slapdtest.New(t, o)
	refuses(t, d, "expired", "secret", roster.ErrCredentials)
	if _, err := d.Authenticate(t.Context(), "fine", "secret"); err != nil {
		t.Error(err)
	}
	if _, err := d.Find(t.Context(), "fine"); !errors.Is(err, roster.ErrUnknownUser) {
		t.Error(err)
	}
}
