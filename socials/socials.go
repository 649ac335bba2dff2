// Package socials makes a [roster.Identity] of what providers say about the person
// who has signed in there: Google, GitHub, Facebook and Twitter (X). Its functions
// only read; to speak the protocol, and to check that it is the provider who speaks,
// is the program's business: with OpenID Connect the signature, issuer, audience,
// nonce and time of the ID token; with OAuth an answer to a request of its own, over
// TLS, with an access token that was made for it and for nobody else.
//
//	id, err := socials.Google(claims) // of an ID token that was checked
//	if err != nil {
//		return err
//	}
//	session, token, err := users.SignInWith(ctx, *id)
//
// Each takes the JSON as it comes. It returns an [roster.InvalidError] of
// [roster.FieldData] for what is no JSON object, and of [roster.FieldSubject] if it
// does not say who it is. All else may be missing, or be of another type than it
// should: then it is left out. Only what is documented to be proven makes
// EmailsVerified true, since such an address joins the account of whoever has proven
// it here.
package socials

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/go-roster/roster"
)

// The names of the providers, in [roster.Identity].
const (
	ProviderGoogle   = "google"
	ProviderGitHub   = "github"
	ProviderFacebook = "facebook"
	ProviderTwitter  = "twitter"
)

// claims are the members of an object, by their exact names.
type claims map[string]json.RawMessage

// parse reads an object.
func parse(raw []byte) (claims, error) {
	var c claims
	if json.Unmarshal(raw, &c) != nil || c == nil {
		return nil, &roster.InvalidError{Field: roster.FieldData, Reason: roster.ReasonSyntax}
	}
	return c, nil
}

// text is a member that is a string; empty if it is none.
func (c claims) text(name string) string {
	var s string
	if json.Unmarshal(c[name], &s) != nil {
		return ""
	}
	return s
}

// is reports whether a member is true, also as text, as some libraries write it.
func (c claims) is(name string) bool {
	return string(c[name]) == "true" || c.text(name) == "true"
}

// number is a member that is a whole number above zero, as it stands, or the same as
// text; empty if it is neither.
func (c claims) number(name string) string {
	s := string(bytes.TrimSpace(c[name]))
	if strings.HasPrefix(s, `"`) {
		s = c.text(name)
	}
	if s == "" || s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

// object is a member that is an object; nil if it is none.
func (c claims) object(name string) claims {
	var o claims
	_ = json.Unmarshal(c[name], &o)
	return o
}

// keep picks members for [roster.Identity.Data]: pairs of the name that it gets and
// the name that it has. What is null or empty is left out.
func (c claims) keep(pairs ...string) roster.Data {
	d := roster.Data{}
	for i := 0; i < len(pairs); i += 2 {
		switch raw := c[pairs[i+1]]; string(raw) {
		case "", "null", `""`:
		default:
			d[pairs[i]] = raw
		}
	}
	return d
}

// identity is who it is, if it says so.
func identity(provider, subject string) (*roster.Identity, error) {
	if subject == "" {
		return nil, &roster.InvalidError{Field: roster.FieldSubject, Reason: roster.ReasonEmpty}
	}
	return &roster.Identity{Provider: provider, Subject: subject}, nil
}

// named is the whole name, or what it is made of.
func named(whole, first, last string) string {
	if whole == "" {
		whole = strings.TrimSpace(first + " " + last)
	}
	return whole
}

// list is the address, if there is one.
func list(address string) []string {
	if address == "" {
		return nil
	}
	return []string{address}
}
