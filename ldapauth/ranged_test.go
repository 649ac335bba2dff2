package ldapauth_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
	"github.com/go-roster/roster/ldapauth"
)

// ranging is a server that sends at most so many values of memberOf at once, as Active
// Directory does.
func ranging(groups []string, most int, spoil func(from int) (name string, values []string)) script {
	return func(p *peer, r *ber.Packet) bool {
		if op(r) != ldap.ApplicationSearchRequest {
			return false
		}
		id := r.Children[0].Value.(int64)
		from := 0
		for _, a := range r.Children[1].Children[7].Children {
			if rest, ok := strings.CutPrefix(a.Data.String(), "memberOf;range="); ok {
				_, _ = fmt.Sscanf(rest, "%d-*", &from)
			}
		}
		asked := from
		from = min(from, len(groups))
		end := min(from+most, len(groups))
		name := fmt.Sprintf("memberOf;range=%d-%d", from, end-1)
		if end == len(groups) {
			name = fmt.Sprintf("memberOf;range=%d-*", from)
		}
		values := groups[from:end]
		if asked > 0 && spoil != nil {
			name, values = spoil(asked)
		}
		attributes := map[string][]string{"memberOf": {}, name: values}
		if from == 0 {
			attributes["uid"], attributes["entryUUID"] = []string{"ann"}, []string{annID}
		}
		p.send(entry(id, annDN, attributes), result(id, ldap.ApplicationSearchResultDone, 0, ""))
		return true
	}
}

// Who is in more groups than the server tells at once is in all of them.
func TestRangedGroups(t *testing.T) {
	var groups []string
	for i := range 3700 {
		groups = append(groups, slapd.GroupDN(fmt.Sprint("group", i)))
	}
	names := map[string]string{groups[0]: "a", groups[1499]: "b", groups[1500]: "c", groups[3699]: "d", slapd.GroupDN("other"): "e"}
	want := []string{groups[0], groups[1499], groups[1500], groups[3699]}
	slices.Sort(want)
	s := startScripted(t, nil, ranging(groups, 1500, nil))
	o := plain(s)
	o.Groups = ldapauth.MemberOf(names)
	id, err := slapdtest.New(t, o).Authenticate(t.Context(), "ann", annsSecret)
	if err != nil || !slices.Equal(id.Groups, want) {
		t.Errorf("%v, %v", id, err)
	}
	for what, spoil := range map[string]func(from int) (string, []string){
		"nothing more":   func(int) (string, []string) { return "cn", nil },
		"the same again": func(int) (string, []string) { return "memberOf;range=0-1499", groups[:1500] },
		"a hole":         func(from int) (string, []string) { return fmt.Sprintf("memberOf;range=%d-*", from+1), groups[from+1:] },
		"a lie": func(from int) (string, []string) {
			return fmt.Sprintf("memberOf;range=%d-%d", from, from+9), groups[:3]
		},
		"no end": func(from int) (string, []string) {
			return fmt.Sprintf("memberOf;range=%d-%d", from, from+1499), groups[:1500]
		},
	} {
		o := plain(startScripted(t, nil, ranging(groups, 1500, spoil)))
		o.Groups = ldapauth.MemberOf(names)
		_, err := slapdtest.New(t, o).Authenticate(t.Context(), "ann", annsSecret)
		if err == nil {
			t.Errorf("%s: signed in", what)
			continue
		}
		checkReason(t, err, ldapauth.StageGroups, 0, ldapauth.ReasonIncomplete)
	}
}
