package ldapauth

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Condition says of a value of an attribute whether the entry lets nobody in by it, for
// [Schema].Disabled. It must be safe for concurrent use.
type Condition func(value string, now time.Time) bool

// IsTrue is for nsAccountLock of FreeIPA and 389 Directory Server.
func IsTrue(value string, _ time.Time) bool { return strings.EqualFold(value, "TRUE") }

// AccountDisabled is for userAccountControl of Active Directory: the bit ACCOUNTDISABLE
// ([MS-ADTS], section 2.2.16).
func AccountDisabled(value string, _ time.Time) bool {
	flags, err := strconv.ParseInt(value, 10, 64)
	return err == nil && flags&2 != 0
}

// LockedForGood is for pwdAccountLockedTime of OpenLDAP's overlay ppolicy: the value by which
// an administrator locks an account (draft-behera-ldap-password-policy-10, section
// 5.3.3). Any other one is a lock after wrong passwords, which ends by itself: the server
// keeps that, and nobody is disabled for it.
func LockedForGood(value string, _ time.Time) bool { return value == "000001010000Z" }

// DayReached is for shadowExpire (RFC 2307; shadow(5)): the day since 1970, in UTC, from
// which on nobody is let in. Zero and less is never.
func DayReached(value string, now time.Time) bool {
	day, err := strconv.ParseInt(value, 10, 64)
	return err == nil && day > 0 && now.Unix()/86400 >= day
}

// FileTimeReached is for accountExpires of Active Directory: tenths of a microsecond since
// 1601. Zero and 2^63-1 are never ([MS-ADA1], section 2.3).
func FileTimeReached(value string, now time.Time) bool {
	const since1601 = 11_644_473_600 // seconds until 1970
	ticks, err := strconv.ParseInt(value, 10, 64)
	return err == nil && ticks > 0 && ticks < 1<<63-1 && now.Unix() >= ticks/10_000_000-since1601
}

// disabled reports whether the entry lets nobody in.
func (s *Schema) disabled(entry *ldap.Entry, now time.Time) bool {
	for name, is := range s.Disabled {
		for _, v := range entry.GetEqualFoldAttributeValues(name) {
			if is(strings.TrimSpace(v), now) {
				return true
			}
		}
	}
	return false
}
