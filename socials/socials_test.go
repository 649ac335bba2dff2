package socials_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
	"github.com/go-roster/roster/socials"
)

// mappers take the same JSON each.
var mappers = map[string]func(raw []byte) (*roster.Identity, error){
	"google": socials.Google, "facebook": socials.Facebook, "twitter": socials.Twitter,
	"github":        func(raw []byte) (*roster.Identity, error) { return socials.GitHub(raw, nil) },
	"github emails": func(raw []byte) (*roster.Identity, error) { return socials.GitHub([]byte(`{"id":1}`), raw) },
}

func data(t *testing.T, text string) roster.Data {
	t.Helper()
	var d roster.Data
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestMappings(t *testing.T) {
	for _, c := range []struct {
		name string
		got  func() (*roster.Identity, error)
		want roster.Identity
	}{
		{
			"google",
			func() (*roster.Identity, error) {
				return socials.Google([]byte(`{"iss":"https://accounts.google.com","sub":"10769150350006150715113082367","email":"jane@example.org","email_verified":true,
"hd":"example.org","name":"Jane Doe","given_name":"Jane","family_name":"Doe","picture":"https://lh3.example.org/a","locale":"en-GB","exp":1353604926}`))
			},
			roster.Identity{
				Provider: "google", Subject: "10769150350006150715113082367", RealName: "Jane Doe", Emails: []string{"jane@example.org"}, EmailsVerified: true, Locale: "en-GB",
				Data: data(t, `{"first_name":"Jane","last_name":"Doe","full_name":"Jane Doe","picture":"https://lh3.example.org/a","locale":"en-GB","hd":"example.org","email":"jane@example.org","email_verified":true}`),
			},
		},
		{
			"google, not its own address",
			func() (*roster.Identity, error) {
				return socials.Google([]byte(`{"sub":"1","email":"jane@example.org","email_verified":true,"given_name":"Jane"}`))
			},
			roster.Identity{
				Provider: "google", Subject: "1", RealName: "Jane", Emails: []string{"jane@example.org"},
				Data: data(t, `{"first_name":"Jane","email":"jane@example.org","email_verified":true}`),
			},
		},
		{
			"google, gmail as text",
			func() (*roster.Identity, error) {
				return socials.Google([]byte(`{"sub":"1","email":"Jane@GMail.com","email_verified":"true"}`))
			},
			roster.Identity{
				Provider: "google", Subject: "1", Emails: []string{"Jane@GMail.com"}, EmailsVerified: true,
				Data: data(t, `{"email":"Jane@GMail.com","email_verified":"true"}`),
			},
		},
		{
			"google, not verified",
			func() (*roster.Identity, error) {
				return socials.Google([]byte(`{"sub":"1","email":"jane@gmail.com","email_verified":false,"hd":"gmail.com"}`))
			},
			roster.Identity{
				Provider: "google", Subject: "1", Emails: []string{"jane@gmail.com"},
				Data: data(t, `{"email":"jane@gmail.com","email_verified":false,"hd":"gmail.com"}`),
			},
		},
		{
			"github",
			func() (*roster.Identity, error) {
				return socials.GitHub([]byte(`{"login":"octocat","id":583231,"avatar_url":"https://a.example.org","html_url":"https://h.example.org","name":"The Octocat","company":"@github","email":"public@example.org","location":null}`),
					[]byte(`[{"email":"second@example.org","verified":true,"primary":false},{"email":"unproven@example.org","verified":false,"primary":false},
{"email":"583231+octocat@users.noreply.github.com","verified":true,"primary":false},{"email":"octocat@example.org","verified":true,"primary":true}]`))
			},
			roster.Identity{
				Provider: "github", Subject: "583231", Name: "octocat", RealName: "The Octocat", Emails: []string{"octocat@example.org", "second@example.org"}, EmailsVerified: true,
				Data: data(t, `{"login":"octocat","full_name":"The Octocat","picture":"https://a.example.org","link":"https://h.example.org","company":"@github"}`),
			},
		},
		{
			"github, without the scope",
			func() (*roster.Identity, error) {
				return socials.GitHub([]byte(`{"login":"octocat","id":583231,"email":"public@example.org"}`), nil)
			},
			roster.Identity{Provider: "github", Subject: "583231", Name: "octocat", Emails: []string{"public@example.org"}, Data: data(t, `{"login":"octocat"}`)},
		},
		{
			"facebook",
			func() (*roster.Identity, error) {
				return socials.Facebook([]byte(`{"id":"10158234123","name":"Jane Doe","first_name":"Jane","last_name":"Doe","email":"jane@example.org","locale":"en_US",
"birthday":"01/02/1990","timezone":1,"location":{"id":"1","name":"Berlin, Germany"},"verified":true}`))
			},
			roster.Identity{
				Provider: "facebook", Subject: "10158234123", RealName: "Jane Doe", Emails: []string{"jane@example.org"}, Locale: "en_US",
				Data: data(t, `{"first_name":"Jane","last_name":"Doe","full_name":"Jane Doe","email":"jane@example.org","birth_date":"01/02/1990","timezone":1,"city":"Berlin, Germany"}`),
			},
		},
		{
			"twitter, version 2",
			func() (*roster.Identity, error) {
				return socials.Twitter([]byte(`{"data":{"id":"2244994945","name":"X Dev","username":"TwitterDev","confirmed_email":"dev@example.org","verified":true}}`))
			},
			roster.Identity{
				Provider: "twitter", Subject: "2244994945", Name: "TwitterDev", RealName: "X Dev", Emails: []string{"dev@example.org"}, EmailsVerified: true,
				Data: data(t, `{"full_name":"X Dev","nickname":"TwitterDev","email":"dev@example.org"}`),
			},
		},
		{
			"twitter, version 1.1",
			func() (*roster.Identity, error) {
				return socials.Twitter([]byte(`{"id":2244994945,"id_str":"2244994945","name":"X Dev","screen_name":"TwitterDev","email":"dev@example.org","verified":true}`))
			},
			roster.Identity{
				Provider: "twitter", Subject: "2244994945", Name: "TwitterDev", RealName: "X Dev", Emails: []string{"dev@example.org"},
				Data: data(t, `{"full_name":"X Dev","nickname":"TwitterDev","email":"dev@example.org"}`),
			},
		},
	} {
		id, err := c.got()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(&c.want, id); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// Who does not say who it is is nobody, whatever else there is.
func TestWithoutSubject(t *testing.T) {
	for _, raw := range []string{
		`{}`, `{"sub":""}`, `{"sub":7}`, `{"sub":null}`, `{"SUB":"1","ID":1,"Id":"1"}`, `{"id":0,"id_str":"0"}`, `{"id":-1,"id_str":"-1"}`, `{"id":1.5,"id_str":"1.5"}`,
		`{"id":1e3,"id_str":"1e3"}`, `{"id":"","id_str":""}`, `{"id":true}`, `{"id":"1 2","id_str":"x"}`, `{"id":{"id":1}}`, `{"data":{"id":""}}`, `{"data":{}}`, `{"id":"01","id_str":"01"}`,
	} {
		for name, mapper := range mappers {
			if name == "github emails" {
				continue
			}
			id, err := mapper([]byte(raw))
			if fields := roster.InvalidFields(err); id != nil || len(fields) != 1 || fields[0].Field != roster.FieldSubject {
				t.Errorf("%s of %s: %+v, %v", name, raw, id, err)
			}
		}
	}
	for _, raw := range []string{``, `null`, `[]`, `7`, `"x"`, `{`, `{"sub":"1"} x`, "\xff"} {
		for name, mapper := range mappers {
			if id, err := mapper([]byte(raw)); name != "github emails" && (id != nil || !errors.Is(err, roster.ErrInvalid)) {
				t.Errorf("%s of %q: %+v, %v", name, raw, id, err)
			}
		}
	}
}

// Whatever the JSON, a mapping answers or refuses, always the same; what it says is
// never proven without a word for it; and accounts take it or refuse it.
func FuzzMappings(f *testing.F) {
	for _, seed := range []string{
		`{"sub":"1","email":"a@gmail.com","email_verified":true}`, `{"id":1,"login":"a","email":"a@example.org"}`,
		`[{"email":"a@example.org","verified":true,"primary":true},{"email":1,"verified":"true"},null,7]`,
		`{"data":{"id":"1","username":"a","confirmed_email":"a@example.org"}}`, `{"id_str":"1","screen_name":"\u0000","name":"\ud800","email":["x"]}`,
		`{"sub":"1","sub":"2","name":{"a":[]},"hd":true}`, `{"id":"1","location":{"name":7},"timezone":1e400,"birthday":"\u202e"}`,
	} {
		f.Add([]byte(seed))
	}
	env := rostertest.New(f, func(o *roster.Options) { o.SkipActivation = true })
	f.Fuzz(func(t *testing.T, raw []byte) {
		for name, mapper := range mappers {
			id, err := mapper(raw)
			again, err2 := mapper(raw)
			if !cmp.Equal(id, again) || (err == nil) != (err2 == nil) {
				t.Fatalf("%s of %q: %+v and %+v", name, raw, id, again)
			}
			if err != nil {
				if id != nil || !errors.Is(err, roster.ErrInvalid) {
					t.Fatalf("%s of %q: %+v, %v", name, raw, id, err)
				}
				continue
			}
			if id.Subject == "" || id.EmailsVerified && len(id.Emails) == 0 || name == "facebook" && id.EmailsVerified {
				t.Fatalf("%s of %q: %+v", name, raw, id)
			}
			if _, err := env.AuthenticateWith(context.Background(), *id); err != nil && !errors.Is(err, roster.ErrInvalid) && !errors.Is(err, roster.ErrNotActivated) {
				t.Fatalf("%s of %q: %v", name, raw, err)
			}
		}
	})
}
