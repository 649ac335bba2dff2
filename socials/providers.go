package socials

import (
	"encoding/json"
	"strings"

	"github.com/go-roster/roster"
)

// Google takes the claims of an ID token, or the answer of the UserInfo endpoint
// (OpenID Connect Core 1.0, section 5.1).
//
// The address counts as proven if email_verified is true and Google itself is the
// authority on it: an address of Gmail, or of a domain that is hosted there (hd). To
// any other address Google once sent a code; whose it is by now Google does not know.
func Google(claims []byte) (*roster.Identity, error) {
	c, err := parse(claims)
	if err != nil {
		return nil, err
	}
	id, err := identity(ProviderGoogle, c.text("sub"))
	if err != nil {
		return nil, err
	}
	id.RealName = named(c.text("name"), c.text("given_name"), c.text("family_name"))
	id.Emails, id.Locale = list(c.text("email")), c.text("locale")
	id.EmailsVerified = c.is("email_verified") && (c.text("hd") != "" || isGmail(c.text("email")))
	id.Data = c.keep("first_name", "given_name", "last_name", "family_name", "full_name", "name", "picture", "picture", "locale", "locale", "hd", "hd",
		"email", "email", "email_verified", "email_verified")
	return id, nil
}

func isGmail(address string) bool {
	_, domain, _ := strings.Cut(strings.ToLower(address), "@")
	return domain == "gmail.com" || domain == "googlemail.com"
}

// GitHub takes the answers of GET /user and of GET /user/emails, which needs the
// scope user:email; nil if the program has not asked for that.
//
// The subject is the number of the account: its login can be changed, and be
// somebody else's then. The verified addresses count as proven, the primary one
// first; if there is none, the one in the profile is unproven. Addresses that
// hide the real one from who reads commits (users.noreply.github.com) receive
// nothing, and are left out.
func GitHub(user, emails []byte) (*roster.Identity, error) {
	c, err := parse(user)
	if err != nil {
		return nil, err
	}
	id, err := identity(ProviderGitHub, c.number("id"))
	if err != nil {
		return nil, err
	}
	id.Name, id.RealName = c.text("login"), c.text("name")
	id.Data = c.keep("login", "login", "full_name", "name", "picture", "avatar_url", "link", "html_url", "company", "company", "location", "location")
	var all []json.RawMessage
	if len(emails) > 0 && json.Unmarshal(emails, &all) != nil {
		return nil, &roster.InvalidError{Field: roster.FieldData, Reason: roster.ReasonSyntax}
	}
	for _, raw := range all {
		e, err := parse(raw)
		address := ""
		if err == nil && e.is("verified") {
			address = e.text("email")
		}
		switch {
		case address == "", strings.HasSuffix(strings.ToLower(address), "@users.noreply.github.com"):
		case e.is("primary"):
			id.Emails = append([]string{address}, id.Emails...)
		default:
			id.Emails = append(id.Emails, address)
		}
	}
	id.EmailsVerified = len(id.Emails) > 0
	if !id.EmailsVerified {
		id.Emails = list(c.text("email"))
	}
	return id, nil
}

// Facebook takes the answer of GET /me with the fields id, name, first_name,
// last_name, short_name, email, link, gender, birthday, locale, timezone and location,
// as far as the program may ask for them.
//
// The subject is that of this app; another app of the same program sees another one.
// Facebook does not say that it has proven the address, so it counts as unproven.
func Facebook(me []byte) (*roster.Identity, error) {
	c, err := parse(me)
	if err != nil {
		return nil, err
	}
	id, err := identity(ProviderFacebook, c.number("id"))
	if err != nil {
		return nil, err
	}
	id.RealName = named(c.text("name"), c.text("first_name"), c.text("last_name"))
	id.Emails, id.Locale = list(c.text("email")), c.text("locale")
	id.Data = c.keep("first_name", "first_name", "last_name", "last_name", "full_name", "name", "nickname", "short_name", "email", "email",
		"link", "link", "gender", "gender", "birth_date", "birthday", "timezone", "timezone", "city", "city", "country", "country",
		"postal_code", "postal_code")
	if _, known := id.Data["city"]; !known {
		if city := c.object("location").keep("city", "name"); len(city) > 0 {
			id.Data["city"] = city["city"]
		}
	}
	return id, nil
}

// Twitter takes the answer of GET /2/users/me with the fields confirmed_email,
// profile_image_url and what else the program wants to keep, or of GET
// /1.1/account/verify_credentials.json.
//
// Only confirmed_email, of the former, counts as proven.
func Twitter(me []byte) (*roster.Identity, error) {
	c, err := parse(me)
	if err != nil {
		return nil, err
	}
	if data := c.object("data"); data != nil {
		id, err := identity(ProviderTwitter, data.number("id"))
		if err != nil {
			return nil, err
		}
		id.Name, id.RealName = data.text("username"), data.text("name")
		id.Emails = list(data.text("confirmed_email"))
		id.EmailsVerified = len(id.Emails) > 0
		id.Data = data.keep("full_name", "name", "nickname", "username", "picture", "profile_image_url", "description", "description",
			"location", "location", "link", "url", "email", "confirmed_email")
		return id, nil
	}
	id, err := identity(ProviderTwitter, c.number("id_str")) // the number itself is too long for some
	if err != nil {
		return nil, err
	}
	id.Name, id.RealName = c.text("screen_name"), c.text("name")
	id.Emails = list(c.text("email"))
	id.Data = c.keep("full_name", "name", "nickname", "screen_name", "picture", "profile_image_url_https", "description", "description",
		"location", "location", "link", "url", "email", "email")
	return id, nil
}
