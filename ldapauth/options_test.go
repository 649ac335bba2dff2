package ldapauth_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/internal/slapd"
	"github.com/go-roster/roster/ldapauth"
)

func good() ldapauth.Options {
	return ldapauth.Options{
		ID: "corp", URLs: []string{"ldaps://ldap.example.org"}, Base: slapd.Base, Schema: ldapauth.PosixAccount(),
		ServiceDN: slapd.ServiceDN, ServicePassword: roster.NewSecret("canary"),
	}
}

// What is wrong is said by New, all of it at once, by the name of the option, and without what
// is secret.
func TestBadOptions(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*ldapauth.Options)
		want   string // the options that are wrong
	}{
		"good":                        {func(*ldapauth.Options) {}, ""},
		"no service":                  {func(o *ldapauth.Options) { o.ServiceDN, o.ServicePassword = "", roster.Secret{} }, ""},
		"service of Active Directory": {func(o *ldapauth.Options) { o.ServiceDN = "roster@corp.example.org" }, ""},
		"nothing":                     {func(o *ldapauth.Options) { *o = ldapauth.Options{} }, "ID URLs Base Schema.Filter Schema.ID Schema.Name"},
		"ID":                          {func(o *ldapauth.Options) { o.ID = "a b" }, "ID"},
		"long ID":                     {func(o *ldapauth.Options) { o.ID = strings.Repeat("x", 65) }, "ID"},
		"no URL":                      {func(o *ldapauth.Options) { o.URLs = []string{"ldap.example.org"} }, "URLs"},
		"scheme":                      {func(o *ldapauth.Options) { o.URLs = []string{"https://ldap.example.org"} }, "URLs"},
		"socket":                      {func(o *ldapauth.Options) { o.URLs = []string{"ldapi:///"} }, "URLs"},
		"no host":                     {func(o *ldapauth.Options) { o.URLs = []string{"ldaps://:636"} }, "URLs"},
		"a user in the URL":           {func(o *ldapauth.Options) { o.URLs = []string{"ldaps://canary:canary@ldap.example.org"} }, "URLs"},
		"a base in the URL":           {func(o *ldapauth.Options) { o.URLs = []string{"ldaps://ldap.example.org/dc=example"} }, "URLs"},
		"twice":                       {func(o *ldapauth.Options) { o.URLs = append(o.URLs, o.URLs[0]) }, "URLs"},
		"two bad ones":                {func(o *ldapauth.Options) { o.URLs = []string{"x", "y"} }, "URLs URLs"},
		"no verification":             {func(o *ldapauth.Options) { o.TLS = &tls.Config{InsecureSkipVerify: true} }, "TLS"},
		"TLS 1.1":                     {func(o *ldapauth.Options) { o.TLS = &tls.Config{MaxVersion: tls.VersionTLS11} }, "TLS"},
		"service without password":    {func(o *ldapauth.Options) { o.ServicePassword = roster.Secret{} }, "ServicePassword"},
		"empty password":              {func(o *ldapauth.Options) { o.ServicePassword = roster.NewSecret("") }, "ServicePassword"},
		"password without service":    {func(o *ldapauth.Options) { o.ServiceDN = "" }, "ServicePassword"},
		"NUL":                         {func(o *ldapauth.Options) { o.ServicePassword = roster.NewSecret("canary\x00") }, "ServicePassword"},
		"service":                     {func(o *ldapauth.Options) { o.ServiceDN = "service" }, "ServiceDN"},
		"service's DN":                {func(o *ldapauth.Options) { o.ServiceDN = "cn=a,b" }, "ServiceDN"},
		"two services":                {func(o *ldapauth.Options) { o.ServiceCertificate = true }, "ServiceCertificate"},
		"no certificate": {func(o *ldapauth.Options) {
			o.ServiceDN, o.ServicePassword, o.ServiceCertificate = "", roster.Secret{}, true
		}, "ServiceCertificate"},
		"certificate in clear": {func(o *ldapauth.Options) {
			o.ServiceDN, o.ServicePassword, o.ServiceCertificate, o.AllowPlaintext = "", roster.Secret{}, true, true
			o.TLS = &tls.Config{Certificates: make([]tls.Certificate, 1)}
		}, "ServiceCertificate"},
		"base":              {func(o *ldapauth.Options) { o.Base = "example" }, "Base"},
		"filter":            {func(o *ldapauth.Options) { o.Schema.Filter = "(uid={name}" }, "Schema.Filter Schema.Everybody"},
		"filter for nobody": {func(o *ldapauth.Options) { o.Schema.Filter = "(uid=ann)" }, "Schema.Filter"},
		"long filter":       {func(o *ldapauth.Options) { o.Schema.Filter = "(|" + strings.Repeat("(uid={name})", 1000) + ")" }, "Schema.Filter"},
		"rule":              {func(o *ldapauth.Options) { o.Schema.Filter = "(uid:caseExactMatch:={name})" }, "Schema.Everybody"},
		"rule and everybody": {func(o *ldapauth.Options) {
			o.Schema.Filter, o.Schema.Everybody = "(uid:caseExactMatch:={name})", "(uid=*)"
		}, ""},
		"everybody":           {func(o *ldapauth.Options) { o.Schema.Everybody = "(uid=*" }, "Schema.Everybody"},
		"everybody of a name": {func(o *ldapauth.Options) { o.Schema.Everybody = "(uid={name})" }, "Schema.Everybody"},
		"attributes": {func(o *ldapauth.Options) {
			s := &o.Schema
			s.ID, s.Name, s.RealName, s.Mail, s.Locale, s.Timezone = "a b", "*", []string{"+"}, []string{"1."}, "a;", "ä"
		}, "Schema.ID Schema.Name Schema.RealName Schema.Mail Schema.Locale Schema.Timezone"},
		"options and OIDs":   {func(o *ldapauth.Options) { o.Schema.RealName = []string{"cn;lang-de", "2.5.4.3"} }, ""},
		"data":               {func(o *ldapauth.Options) { o.Schema.Data = map[string]string{"a": "x", "b": "x"} }, "Schema.Data"},
		"data without key":   {func(o *ldapauth.Options) { o.Schema.Data = map[string]string{"a": ""} }, "Schema.Data"},
		"groups":             {func(o *ldapauth.Options) { o.Groups.Map = map[string]string{slapd.Base: "staff"} }, "Groups"},
		"group without name": {func(o *ldapauth.Options) { o.Groups = ldapauth.MemberOf(map[string]string{slapd.Base: ""}) }, "Groups.Map"},
		"group without DN":   {func(o *ldapauth.Options) { o.Groups = ldapauth.MemberOf(map[string]string{"staff": "staff"}) }, "Groups.Map"},
		"group twice": {func(o *ldapauth.Options) {
			o.Groups = ldapauth.MemberOf(map[string]string{slapd.GroupDN("staff"): "a", strings.ToUpper(slapd.GroupDN("staff")): "b"})
		}, "Groups.Map"},
		"groups without base": {func(o *ldapauth.Options) { o.Groups = ldapauth.GroupOfNames("", nil) }, "Groups.Base"},
		"groups' filter":      {func(o *ldapauth.Options) { o.Groups = ldapauth.Groups{Base: slapd.Base, Filter: "(member=ann)"} }, "Groups.Filter"},
		"nested names": {func(o *ldapauth.Options) {
			o.Groups = ldapauth.PosixGroup(slapd.Base, nil)
			o.Groups.Nested = true
		}, "Groups.Nested"},
		"member of":            {func(o *ldapauth.Options) { o.Groups.MemberOf = "member of" }, "Groups.MemberOf"},
		"bind name":            {func(o *ldapauth.Options) { o.BindName = "uid=ann" }, "BindName"},
		"bind by two":          {func(o *ldapauth.Options) { o.BindName = "uid={name},cn={name}" }, "BindName"},
		"bind by a part":       {func(o *ldapauth.Options) { o.BindName = "uid=x{name},dc=example" }, "BindName"},
		"bind by an attribute": {func(o *ldapauth.Options) { o.BindName = "{name}=x,dc=example" }, "BindName"},
		"bind by a DN":         {func(o *ldapauth.Options) { o.BindName = "uid={name},dc=example" }, ""},
		"bind by UPN":          {func(o *ldapauth.Options) { o.BindName = "{name}@corp.example.org" }, ""},
		"negative": {func(o *ldapauth.Options) {
			o.Timeout, o.DialTimeout, o.MaxConns, o.PageSize, o.MaxMessage = -1, -1, -1, -1, -1
		}, "DialTimeout Timeout MaxMessage MaxConns PageSize"},
		"tiny messages": {func(o *ldapauth.Options) { o.MaxMessage = 100 }, "MaxMessage"},
		"huge pages":    {func(o *ldapauth.Options) { o.PageSize = 1 << 30 }, "PageSize"},
	} {
		o := good()
		test.change(&o)
		d, err := ldapauth.New(o)
		var got []string
		if err != nil {
			for line := range strings.Lines(strings.TrimPrefix(err.Error(), "ldapauth.New: ")) {
				rest, ok := strings.CutPrefix(line, "option ")
				if !ok {
					t.Errorf("%s: %s", name, line)
				}
				option, _, _ := strings.Cut(rest, ":")
				got = append(got, option)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if (d == nil) != (err != nil) || strings.Join(got, " ") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// New copies what it is given.
func TestOptionsAreCopied(t *testing.T) {
	o := good()
	o.Groups = ldapauth.MemberOf(map[string]string{slapd.GroupDN("staff"): "staff"})
	d, err := ldapauth.New(o)
	if err != nil {
		t.Fatal(err)
	}
	o.Groups.Map[slapd.GroupDN("admin")] = "admin"
	d.GroupNames()[slapd.GroupDN("root")] = "admin"
	if len(d.GroupNames()) != 1 || d.ID() != "corp" {
		t.Error(d.GroupNames())
	}
}
