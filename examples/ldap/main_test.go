package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/internal/slapdtest"
)

var update = flag.Bool("update", false, "write what the program says instead of comparing it")

// masked is what a run has written, without what is another each time.
func masked(text string) string {
	text = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(text, "127.0.0.1:636")
	text = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`).ReplaceAllString(text, "entryUUID")
	return text
}

func TestCompany(t *testing.T) {
	if _, err := slapd.Find(); err != nil {
		t.Skip(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), nil, &out); err != nil {
		t.Fatal(err)
	}
	file, got := filepath.Join("testdata", "company.txt"), masked(out.String())
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); go test ./examples/ldap -update writes it anew:\n%s", file, diff)
	}
}

func TestDirectoryOfYours(t *testing.T) {
	s := slapdtest.Start(t, slapd.Options{Entries: slapd.People(3)})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, s.Authority.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LDAP_SERVICE_PASSWORD", slapd.ServicePassword)
	t.Setenv("LDAP_PASSWORD", "user0002")
	args := []string{"-url", s.URL, "-ca", ca, "-base", slapd.Base, "-service", slapd.ServiceDN, "-schema", "inetorgperson", "-name", "user0002"}
	var out bytes.Buffer
	if err := run(t.Context(), args, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"account    1, of the directory \"corp\"", "corp: 3 entries, 1 users; create 2, update 0,"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	for _, bad := range [][]string{{"-schema", "x"}, {"-ca", "/nowhere"}, {"-ca", "main.go"}, {"-base", "x"}, {"-url", "http://x"}, {"-service", "cn=x"}, {"-x"}} {
		if err := run(t.Context(), append(args, bad...), &out); err == nil {
			t.Errorf("%q is fine", bad)
		}
	}
}
