package house_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The heavy libraries: each belongs to the few packages that need it, so that
// a program compiles only what it uses.
const (
	bun         = "github.com/uptrace/bun"
	pgx         = "github.com/jackc/pgx"
	sqlite      = "modernc.org"
	ldap        = "github.com/go-ldap"
	asn1        = "github.com/go-asn1-ber"
	mail        = "github.com/wneessen/go-mail"
	i18n        = "github.com/nicksnyder/go-i18n"
	btree       = "github.com/tidwall/btree"
	pdf         = "codeberg.org/go-pdf"
	kong        = "github.com/alecthomas/kong"
	progress    = "github.com/schollz/progressbar"
	databaseSQL = "database/sql"
	smtp        = "net/smtp"
	web         = "net/http"
	flags       = "flag"
)

// light is what everything is built on. A package with no rule of its own about
// libraries may compile nothing else from outside.
var light = []string{
	"github.com/google/uuid",
	"golang.org/x/crypto",
	"golang.org/x/net",
	"golang.org/x/sys", // by way of x/crypto
	"golang.org/x/text",
}

// rules say for a package, and for those below it without a rule of their own,
// what it may import of this module, and what it must not compile, directly or
// by way of others. Tests are free.
var rules = []struct {
	path    string
	imports []string // nil: anything that is not for tests. Packages below count.
	light   bool     // compile nothing from outside but what is light
	never   []string
}{
	{path: "", imports: []string{"password", "internal"}, light: true, never: []string{databaseSQL, smtp, web, flags}},
	{path: "password", imports: []string{}, light: true, never: []string{databaseSQL, smtp, web, flags}},
	{path: "contest", imports: []string{"", "password", "internal"}, light: true, never: []string{databaseSQL, smtp, web, flags}},
	{path: "contest/sheets", imports: []string{"", "contest", "internal"}, never: []string{bun, pgx, sqlite, ldap, mail, i18n, kong, progress}},
	{path: "ldapauth", imports: []string{"", "password", "internal"}, never: []string{bun, pgx, sqlite, mail, i18n, pdf, kong, progress}},
	{path: "mailer", imports: []string{"", "internal"}, never: []string{bun, pgx, sqlite, ldap, pdf, kong, progress}},
	{path: "mailer/mailertest", imports: []string{"", "mailer", "internal"}, never: []string{bun, pgx, sqlite, ldap, pdf, kong, progress}},
	{path: "socials", imports: []string{""}, light: true, never: []string{databaseSQL, smtp, web, flags}},
	{path: "sessioncookie", imports: []string{""}, light: true, never: []string{databaseSQL, smtp, flags}},
	{path: "transfer", imports: []string{"", "password", "internal"}, never: []string{bun, pgx, sqlite, ldap, mail, i18n, pdf, kong, progress}},
	{path: "store/internal", imports: []string{"", "contest", "internal", "store/internal"}, never: []string{pgx, sqlite, ldap, asn1, mail, i18n, pdf, btree, kong, progress}},
	{path: "store/memory", imports: []string{"", "contest", "internal", "store/internal"}, never: []string{bun, pgx, sqlite, ldap, asn1, mail, i18n, pdf, kong, progress}},
	{path: "store/sqlite", imports: []string{"", "contest", "internal", "store/internal"}, never: []string{pgx, ldap, asn1, mail, i18n, pdf, btree, kong, progress, smtp}},
	{path: "store/postgres", imports: []string{"", "contest", "internal", "store/internal"}, never: []string{sqlite, ldap, asn1, mail, i18n, pdf, btree, kong, progress, smtp}},
	{path: "store/storetest", never: []string{bun, pgx, sqlite, ldap, mail, i18n, pdf, kong, progress}},
	{path: "rostertest", never: []string{bun, pgx, sqlite, ldap, pdf, kong, progress}},
	{path: "rostertest/dbtest", never: []string{ldap, pdf, kong, progress}},
	{path: "cmd"},
	{path: "examples"},
	{path: "internal"},
}

// Who may import whom. A new package outside of cmd, examples and internal has
// to be given a rule: there is none for the root that it could fall under.
func TestImports(t *testing.T) {
	for _, p := range allPackages(t) {
		best := -1
		for i, rule := range rules {
			if rule.path == p.path() || within(p.path(), rule.path) && (best < 0 || len(rule.path) > len(rules[best].path)) {
				best = i
			}
		}
		if best < 0 {
			t.Errorf("%s has no rule in %s", p.ImportPath, t.Name())
			continue
		}
		rule := rules[best]
		for _, path := range p.Imports {
			if !ours(path) || rule.imports == nil {
				continue
			}
			allowed := slices.ContainsFunc(rule.imports, func(a string) bool { return within(relative(path), a) })
			if !allowed && !within(relative(path), p.path()) {
				t.Errorf("%s imports %s; it may import %q of this module", p.ImportPath, path, rule.imports)
			}
		}
		for _, dep := range p.Deps {
			switch {
			case dep == databaseSQL+"/driver": // an interface that uuid.UUID satisfies
			case withinAny(dep, rule.never):
				t.Errorf("%s compiles %s", p.ImportPath, dep)
			case rule.light && outside(dep) && !withinAny(dep, light):
				t.Errorf("%s compiles %s; it may only compile %q from outside", p.ImportPath, dep, light)
			}
		}
	}
}

// outside reports whether the path is of neither this module nor the standard
// library.
func outside(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !ours(path) && strings.Contains(first, ".")
}

// What is for tests is imported by tests: a program must not carry it.
func TestProductionIsNotTested(t *testing.T) {
	forTests := []string{
		"testing",
		"github.com/google/go-cmp",
		"go.uber.org/goleak",
		"pgregory.net/rapid",
		"github.com/emersion/go-smtp",
		"github.com/rogpeppe/go-internal",
	}
	for _, p := range allPackages(t) {
		if support(p.path()) || internal(p.path()) && !within(p.path(), "store/internal") {
			continue
		}
		for _, path := range p.Imports {
			if withinAny(path, forTests) || ours(path) && support(relative(path)) && !within(p.path(), "examples") {
				t.Errorf("%s imports %s, which is for tests", p.ImportPath, path)
			}
		}
	}
}

// Only sound cryptography, and nothing random that is not secret as well.
func TestCryptography(t *testing.T) {
	// With the files that may: they verify old hashes, and make none, or look in
	// lists of SHA-1 hashes.
	banned := map[string][]string{
		"crypto/md5":                    {"password/braces.go", "password/crypt.go", "password/digests.go", "password/mediawiki.go", "password/phpass.go"},
		"crypto/sha1":                   {"password/breach.go", "password/digests.go", "password/filter.go", "password/filter_lists.go", "password/pbkdf2.go"},
		"crypto/des":                    nil,
		"crypto/rc4":                    nil,
		"golang.org/x/crypto/md4":       nil,
		"golang.org/x/crypto/ripemd160": nil,
		"golang.org/x/crypto/blowfish":  {"password/bcrypt.go"},
		"golang.org/x/crypto/cast5":     nil,
		"golang.org/x/crypto/tea":       nil,
		"golang.org/x/crypto/xtea":      nil,
		"math/rand":                     nil,
		"math/rand/v2":                  nil,
	}
	for _, f := range allSources(t) {
		if support(f.dir()) {
			continue
		}
		for _, imported := range f.Imports {
			path, err := strconv.Unquote(imported.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if may, isBanned := banned[path]; isBanned && !slices.Contains(may, f.path) {
				t.Errorf("%s: %s is not to be used here", position(imported), path)
			}
		}
	}
}
