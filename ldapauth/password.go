package ldapauth

import (
	"context"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/go-roster/roster"
)

// ChangePassword implements [roster.DirectoryPasswordChanger]: it binds as dn with the old password and asks
// the directory to set the new one, by the operation of RFC 3062 or (see
// Schema.UnicodePwd) as Active Directory wants it. The rules for passwords are those of the
// directory.
//
// It answers [roster.ErrCredentials] if the old password is wrong, an [roster.InvalidError] of
// [roster.FieldPassword] if the directory does not take the new one, and a
// [roster.UnavailableError] for everything else; then the password may have been changed.
func (d *Directory) ChangePassword(ctx context.Context, dn, old, new string) error {
	if !sendable(old) || dn == "" {
		return roster.ErrCredentials
	}
	switch {
	case new == "":
		return invalidPassword(roster.ReasonEmpty)
	case len(new) > maxPassword:
		return invalidPassword(roster.ReasonTooLong)
	case !utf8.ValidString(new):
		return invalidPassword(roster.ReasonEncoding)
	case strings.IndexByte(new, 0) >= 0:
		return invalidPassword(roster.ReasonCharacter)
	}
	err := d.try(ctx, dn, old, func(c *conn) *Error {
		if d.opts.Schema.UnicodePwd {
			return c.do(ctx, StagePassword, toModify, d.budget(), func(l *ldap.Conn) error {
				r := ldap.NewModifyRequest(dn, nil)
				r.Delete("unicodePwd", []string{unicodePwd(old)})
				r.Add("unicodePwd", []string{unicodePwd(new)})
				return l.Modify(r)
			})
		}
		return c.do(ctx, StagePassword, toExtended, d.budget(), func(l *ldap.Conn) error {
			_, err := l.PasswordModify(ldap.NewPasswordModifyRequest("", old, new))
			return err
		})
	})
	if err == nil {
		return nil
	}
	d.report(ctx, err)
	if e := asError(err); e != nil && e.Stage == StagePassword && (e.Code == codeConstraint || e.Code == codeUnwilling) {
		return invalidPassword(roster.ReasonRefused)
	}
	return err
}

func invalidPassword(reason roster.Reason) error {
	return &roster.InvalidError{Field: roster.FieldPassword, Reason: reason}
}

// unicodePwd is a password in the form of that attribute: in quotes, in UTF-16,
// little-endian ([MS-ADTS], section 3.1.1.3.1.5).
func unicodePwd(password string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}
