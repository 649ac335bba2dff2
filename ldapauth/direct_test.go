package ldapauth_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

// Without a service account the person's own rights do.
func TestDirectBind(t *testing.T) {
	o := company()
	o.Database = `access to dn.subtree="ou=groups,` + slapd.Base + `" by users read`
	o.Groups = append(o.Groups, slapd.Group("staff", slapd.PersonDN("ann")))
	s := slapdtest.Start(t, o)
	opts := slapdtest.Options(s)
	opts.ServiceDN, opts.ServicePassword = "", roster.Secret{}
	opts.BindName = "uid={name},ou=people," + slapd.Base
	opts.Groups = ldapauth.MemberOf(map[string]string{slapd.GroupDN("staff"): "staff"})
	d := slapdtest.New(t, opts)
	id, err := d.Authenticate(t.Context(), "ann", "correct horse")
	if err != nil || id.Name != "ann" || len(id.Groups) != 1 || len(id.Subject) != 36 {
		t.Fatal(id, err)
	}
	for _, name := range []string{"ann", "nobody", "ann,ou=people", "a+b", "*", "ann)(uid=*"} {
		refuses(t, d, name, "wrong", roster.ErrCredentials)
	}
	opts.Schema.Filter = "(&(objectClass=posixAccount)(uid={name})(employeeNumber=18))"
	d = slapdtest.New(t, opts)
	refuses(t, d, "ann", "correct horse", roster.ErrCredentials) // who is not one of them
	_, err = d.Authenticate(t.Context(), "ann", "correct horse")
	checkError(t, err, ldapauth.StageSearch, ldap.LDAPResultNoSuchObject, "")
}

// Active Directory takes a name with a domain for a DN. A name with a domain of its own is nobody.
func TestDirectBindByDomain(t *testing.T) {
	s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
		id := r.Children[0].Value.(int64)
		switch op(r) {
		case ldap.ApplicationBindRequest:
			code := ldap.LDAPResultInvalidCredentials
			if r.Children[1].Children[1].Data.String() == "ann@corp.example.org" && r.Children[1].Children[2].Data.String() == annsSecret {
				code = 0
			}
			p.send(result(id, ldap.ApplicationBindResponse, code, ""))
		case ldap.ApplicationExtendedRequest:
			p.send(whoAmI(id, `u:CORP\ann`))
		default:
			return false
		}
		return true
	})
	o := plain(s)
	o.ServiceDN, o.ServicePassword, o.BindName = "", roster.Secret{}, "{name}@corp.example.org"
	d := slapdtest.New(t, o)
	if id, err := d.Authenticate(t.Context(), "ann", annsSecret); err != nil || id.Subject != annID {
		t.Error(id, err)
	}
	refuses(t, d, "ann", "wrong", roster.ErrCredentials)
	for _, name := range []string{"ann@other.example.org", `CORP\ann`, "cn=ann", "ann,dc=x"} {
		refuses(t, d, name, annsSecret, roster.ErrUnknownUser)
	}
}

// What the two operations send, and what each answer means.
func TestChangePasswordScripted(t *testing.T) {
	for _, ad := range []bool{false, true} {
		code := 0
		var changes []string
		s := startScripted(t, nil, func(p *peer, r *ber.Packet) bool {
			id := r.Children[0].Value.(int64)
			body := r.Children[1]
			switch {
			case op(r) == ldap.ApplicationModifyRequest:
				for _, change := range body.Children[1].Children {
					changes = append(changes, change.Children[1].Children[0].Data.String()+"="+change.Children[1].Children[1].Children[0].Data.String())
				}
				p.send(result(id, ldap.ApplicationModifyResponse, code, "0000052D: AtrErr"))
			case op(r) == ldap.ApplicationExtendedRequest && len(body.Children) > 1:
				p.send(result(id, ldap.ApplicationExtendedResponse, code, ""))
			default:
				return false
			}
			return true
		})
		o := plain(s)
		o.Schema.UnicodePwd = ad
		d := slapdtest.New(t, o)
		for _, c := range []int{0, 19, 53, 49, 50, 52, 80} {
			code = c
			err := d.ChangePassword(t.Context(), annDN, annsSecret, "new")
			switch c {
			case 0:
				if err != nil {
					t.Error(err)
				}
			case 19, 53:
				if fields := roster.InvalidFields(err); len(fields) != 1 || fields[0].Field != roster.FieldPassword || fields[0].Reason != roster.ReasonRefused {
					t.Errorf("%d: %v", c, err)
				}
			default:
				if !errors.Is(err, roster.ErrUnavailable) || errors.Is(err, roster.ErrCredentials) {
					t.Errorf("%d: %v", c, err)
				}
			}
		}
		if err := d.ChangePassword(t.Context(), annDN, "wrong", "new"); !errors.Is(err, roster.ErrCredentials) {
			t.Error(err)
		}
		if err := d.ChangePassword(t.Context(), "", annsSecret, "new"); !errors.Is(err, roster.ErrCredentials) {
			t.Error(err)
		}
		if ad && strings.Join(changes[:2], " ") != "unicodePwd=\"\x00a\x00n\x00n\x00'\x00s\x00 \x00s\x00e\x00c\x00r\x00e\x00t\x00\"\x00 unicodePwd=\"\x00n\x00e\x00w\x00\"\x00" {
			t.Errorf("%q", changes[:2])
		}
	}
}
