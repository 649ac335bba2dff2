package roster_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// Whoever has a text for each of MailKinds has one for every mail.
func TestMailKindsAreAll(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "mail.go", nil, 0)
	must(t, err)
	var declared []roster.MailKind
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "MailKind" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			must(t, err)
			declared = append(declared, roster.MailKind(text))
		}
		return true
	})
	if !slices.Equal(declared, roster.MailKinds()) || len(declared) < 13 {
		t.Errorf("declared %v, listed %v", declared, roster.MailKinds())
	}
}

// A notice says when it happened and from where; what somebody else has caused
// does not tell where they are.
func TestNoticesSayFromWhere(t *testing.T) {
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	client := roster.Client{Addr: netip.MustParseAddr("2001:db8::1"), UserAgent: "browser", TLS: true}
	ctx := roster.WithClient(context.Background(), client)
	must(t, env.SetPassword(ctx, u.ID, "another password"))
	if m := env.Mail.MustLast(t, "ann@example.org"); m.Client != client || !m.At.Equal(env.Clock.Now()) {
		t.Errorf("%s from %+v at %v", m.Kind, m.Client, m.At)
	}
	_, err := env.Register(ctx, roster.NewUser{Name: "eve", Email: "ann@example.org", Password: rostertest.Password})
	must(t, err)
	if m := env.Mail.MustLast(t, "ann@example.org"); m.Kind != roster.MailAddressTaken || m.Client != (roster.Client{}) || !m.At.IsZero() {
		t.Errorf("%s from %+v at %v", m.Kind, m.Client, m.At)
	}
}
