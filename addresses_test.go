package roster

import (
	"net/mail"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestAddressKey(t *testing.T) {
	t.Parallel()
	label63 := strings.Repeat("l", 63)
	local64 := strings.Repeat("u", 64)
	domain189 := strings.Repeat(strings.Repeat("d", 62)+".", 3)[:189-1] // three labels
	tests := []struct{ address, key string }{
		{"ann@example.org", "ann@example.org"},
		{"Ann@Example.ORG", "ann@example.org"},
		{"ANN.Lee@EXAMPLE.org", "ann.lee@example.org"},
		{"a+x@example.org", "a+x@example.org"},
		{"a.b@gmail.com", "a.b@gmail.com"},
		{"ab@gmail.com", "ab@gmail.com"},
		{"#$&'*+-/?=^_`{|}~@example.org", "#$&'*+-/?=^_`{|}~@example.org"},
		{"1@2.example", "1@2.example"},
		{"-@example.org", "-@example.org"},
		{"a@b.c", "a@b.c"},
		{"ann@sub.sub.example.co.uk", "ann@sub.sub.example.co.uk"},
		{"ann@1-2.x3", "ann@1-2.x3"},
		{"ann@Bücher.example", "ann@xn--bcher-kva.example"},
		{"ann@bu\u0308cher.example", "ann@xn--bcher-kva.example"},
		{"ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"},
		{"ann@straße.de", "ann@xn--strae-oqa.de"},
		{"ann@strasse.de", "ann@strasse.de"},
		{"ann@gıthub.com", "ann@xn--gthub-n4a.com"},
		{"ann@ｇithub.com", "ann@github.com"},
		{"ann@git\u212aub.com", "ann@gitkub.com"},
		{"ann@example。com", "ann@example.com"},
		{"ann@example．com", "ann@example.com"},
		{"ann@example｡com", "ann@example.com"},
		{"用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"},
		{"δοκιμή@παράδειγμα.δοκιμή", "δοκιμή@xn--hxajbheg2az3al.xn--jxalpdlp"},
		{"Dörte@example.org", "dörte@example.org"},
		{"DÖrte@example.org", "dÖrte@example.org"}, // no folding beyond ASCII
		{"Do\u0308rte@example.org", "dörte@example.org"},
		{"H\u0331@example.org", "\u1e96@example.org"},     // composes only in lower case
		{"A\u030asa@example.org", "\u00c5sa@example.org"}, // as for its composed form
		{"\u212bsa@example.org", "\u00c5sa@example.org"},
		{"דוד@example.org", "דוד@example.org"},
		{"अजय@डाटा.भारत", "अजय@xn--c2bd1gb.xn--h2brj9c"},
		{local64 + "@example.org", local64 + "@example.org"},
		{strings.Repeat("é", 32) + "@example.org", strings.Repeat("é", 32) + "@example.org"},
		{"a@" + label63 + ".org", "a@" + label63 + ".org"},
		{"a@" + label63 + "." + domain189, "a@" + label63 + "." + domain189}, // 254 bytes
	}
	for _, tt := range tests {
		key, err := AddressKey(tt.address)
		if err != nil || key != tt.key {
			t.Errorf("AddressKey(%+q) = %+q, %v; want %+q", tt.address, key, err, tt.key)
		}
		checkAddress(t, tt.address)
	}
	if last := tests[len(tests)-1].address; len(last) != 254 {
		t.Errorf("the longest address has %d bytes", len(last))
	}
}

func TestAddressKeyRefused(t *testing.T) {
	t.Parallel()
	label63 := strings.Repeat("l", 63)
	local64 := strings.Repeat("u", 64)
	tests := []struct {
		address string
		want    Reason
	}{
		{"", ReasonEmpty},
		{"@", ReasonSyntax},
		{"ann", ReasonSyntax},
		{"ann@", ReasonSyntax},
		{"@example.org", ReasonSyntax},
		{"ann@localhost", ReasonSyntax},
		{"ann@@example.org", ReasonSyntax},
		{"ann@example@example.org", ReasonSyntax},
		{".ann@example.org", ReasonSyntax},
		{"ann.@example.org", ReasonSyntax},
		{"an..n@example.org", ReasonSyntax},
		{".@example.org", ReasonSyntax},
		{"ann@example..org", ReasonSyntax},
		{"ann@example.org.", ReasonSyntax},
		{"ann@.example.org", ReasonSyntax},
		{"ann@example。。org", ReasonSyntax},
		{"ann@example.org。", ReasonSyntax},
		{"ann@。org", ReasonSyntax},
		{"ann@.", ReasonSyntax},
		{"ann@-example.org", ReasonSyntax},
		{"ann@example-.org", ReasonSyntax},
		{"ann@ex_ample.org", ReasonSyntax},
		{"ann@ex!ample.org", ReasonSyntax},
		{"ann@ab--c.org", ReasonSyntax},
		{"ann@xn--a.org", ReasonSyntax},
		{"ann@xn--.org", ReasonSyntax},
		{"ann@xn--example-.org", ReasonSyntax},
		{"ann@\u0301a.org", ReasonSyntax},
		{"ann@a/b.org", ReasonSyntax},
		{"ann@a:25.org", ReasonSyntax},
		{"ann@example.org:25", ReasonSyntax},
		{"ann@127.0.0.1", ReasonSyntax},
		{"ann@１２７.0.0.1", ReasonSyntax},
		{"ann@0x7f.0x1", ReasonSyntax},
		{"ann@example.123", ReasonSyntax},
		{"ann@[127.0.0.1]", ReasonSyntax},
		{"ann@[IPv6:::1]", ReasonSyntax},
		{"ann@::1", ReasonSyntax},
		{"ann@אab.org", ReasonSyntax}, // both directions in a label
		{"=?utf-8?q?x=40evil.com?=@good.com", ReasonSyntax},
		{"=?x@good.com", ReasonSyntax},
		{"Ann <ann@example.org>", ReasonCharacter},
		{"<ann@example.org>", ReasonCharacter},
		{"ann@example.org>", ReasonSyntax},
		{`"ann"@example.org`, ReasonCharacter},
		{`"an n"@example.org`, ReasonCharacter},
		{`"ann@evil.org"@example.org`, ReasonSyntax},
		{`" x@evil> "@good.org`, ReasonSyntax},
		{`ann\@evil@example.org`, ReasonSyntax},
		{`an\n@example.org`, ReasonCharacter},
		{"(comment)ann@example.org", ReasonCharacter},
		{"ann(comment)@example.org", ReasonCharacter},
		{"ann@(comment)example.org", ReasonSyntax},
		{"ann@example.org(comment)", ReasonSyntax},
		{"group: ann@example.org;", ReasonCharacter},
		{"group:;", ReasonSyntax},
		{"@relay.org:ann@example.org", ReasonSyntax},
		{"<@relay.org:ann@example.org>", ReasonSyntax},
		{"ann%evil.org@example.org", ReasonCharacter},
		{"evil.org!ann@example.org", ReasonCharacter},
		{"ann@example.org,ben@example.org", ReasonSyntax},
		{"ann,ben@example.org", ReasonCharacter},
		{"ann@example.org;ben@example.org", ReasonSyntax},
		{"ann;ben@example.org", ReasonCharacter},
		{"ann@example.org ben@example.org", ReasonSyntax},
		{"ann ben@example.org", ReasonCharacter},
		{"ann@example.org|ben@example.org", ReasonSyntax},
		{"ann@example.org%00ben@example.org", ReasonSyntax},
		{"ann@example.org%0d%0abcc:ben", ReasonSyntax},
		{"ann@example.org\x00ben@example.org", ReasonCharacter},
		{"ann@example.org\r\nBcc: ben@example.org", ReasonCharacter},
		{"ann@example.org\nBcc: ben@example.org", ReasonCharacter},
		{"ann@example.org\r", ReasonCharacter},
		{"ann@example.org\n", ReasonCharacter},
		{"ann\r\n@example.org", ReasonCharacter},
		{"\tann@example.org", ReasonCharacter},
		{" ann@example.org", ReasonCharacter},
		{"ann@example.org ", ReasonSyntax},
		{"ann @example.org", ReasonCharacter},
		{"ann@ example.org", ReasonSyntax},
		{"ann@exam ple.org", ReasonSyntax},
		{`["ann@example.org"]`, ReasonCharacter},
		{"mailto:ann@example.org", ReasonCharacter},
		{"\u212aate@example.org", ReasonCharacter},
		{"ann＠example.org", ReasonSyntax},
		{"ann＠evil.org@example.org", ReasonCharacter},
		{"a．b@example.org", ReasonCharacter},
		{"a\u2024b@example.org", ReasonCharacter},
		{"a≠\u0338@example.org", ReasonCharacter},
		{"a=\u0338@example.org", ReasonCharacter}, // would compose to a symbol
		{"\u0301a@example.org", ReasonCharacter},
		{"a.\u0301@example.org", ReasonCharacter},
		{"a\u00a0b@example.org", ReasonCharacter},
		{"🎉@example.org", ReasonCharacter},
		{"a\ufffd@example.org", ReasonCharacter},
		{"ann@ශ්\u200dරී.example", ReasonCharacter},
		{"ann@xn--10cl1a0b660p.com", ReasonCharacter}, // the same, encoded
		{"a\xff@example.org", ReasonEncoding},
		{"ann@ex\xc3mple.org", ReasonEncoding},
		{strings.Repeat("u", 65) + "@example.org", ReasonTooLong},
		{strings.Repeat("é", 33) + "@example.org", ReasonTooLong},
		{strings.Repeat("\u0958", 21) + "@example.org", ReasonTooLong}, // in NFC twice as long
		{"a@" + label63 + "l.org", ReasonTooLong},
		{"a@" + strings.Repeat("ü", 60) + ".org", ReasonTooLong},
		{"a@" + label63 + "." + strings.Repeat("d.", 95) + "d", ReasonTooLong}, // 255 bytes
		{local64 + "@" + strings.Repeat("ü.", 24) + "org", ReasonTooLong},      // 64, and 195 in ASCII
		{"a@" + strings.Repeat("ü.", 60) + "org", ReasonTooLong},               // 185, and more than 254 in ASCII
	}
	for _, tt := range tests {
		key, err := AddressKey(tt.address)
		if got := reasonOf(t, FieldEmail, err); got != tt.want || key != "" {
			t.Errorf("AddressKey(%+q) = %+q, reason %q, want %q", tt.address, key, got, tt.want)
		}
	}
}

// TestAddressKeyHidden has characters of each invisible kind in each position.
func TestAddressKeyHidden(t *testing.T) {
	t.Parallel()
	for _, r := range []rune{
		0, 1, '\t', '\n', '\v', '\r', 0x1b, 0x7f, 0x85, 0x9f, // control
		'\u202a', '\u202e', '\u2066', '\u2069', '\u200e', '\u200f', '\u061c', // direction
		'\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u034f', '\u180e', '\ufe0f', '\u3164', '\U000e0041', // unseen
		'\u2028', '\u2029', // line breaks
		'\u0378', '\U000e0080', '\U0003fffe', '\ufdd0', // unassigned
		'\ue000', '\U00100000', // private
	} {
		const address = "ann@example.org"
		for i := range len(address) + 1 {
			for _, s := range []string{address[:i] + string(r) + address[i:], address[:i] + string(r)} {
				if key, err := AddressKey(s); reasonOf(t, FieldEmail, err) != ReasonCharacter {
					t.Errorf("AddressKey(%+q) = %+q, %v", s, key, err)
				}
			}
		}
	}
}

// TestAddressKeyLookalikes has the four letters that some case rules turn into
// ASCII ones.
func TestAddressKeyLookalikes(t *testing.T) {
	t.Parallel()
	for _, mailbox := range []string{"mike", "MIKE", "iski", "kiss", "Sissi", "i", "k", "S"} {
		want, err := AddressKey(mailbox + "@example.org")
		if err != nil {
			t.Fatal(err)
		}
		for _, swap := range [][2]string{{"i", "\u0130"}, {"i", "\u0131"}, {"s", "\u017f"}, {"k", "\u212a"}} {
			for _, old := range []string{swap[0], strings.ToUpper(swap[0])} {
				for n := range strings.Count(mailbox, old) {
					other := strings.Replace(mailbox, old, swap[1], n+1)
					if key, err := AddressKey(other + "@example.org"); err == nil && (key == want || isASCII(key)) {
						t.Errorf("AddressKey(%+q) = %q", other, key)
					}
				}
			}
		}
	}
}

// checkAddress checks what holds for every address.
func checkAddress(t testing.TB, address string) {
	key, err := AddressKey(address)
	if err != nil {
		if key != "" || reasonOf(t, FieldEmail, err) == "" {
			t.Errorf("AddressKey(%+q) = %+q, %v", address, key, err)
		}
		return
	}
	if again, err := AddressKey(key); err != nil || again != key {
		t.Errorf("AddressKey(%+q) = %+q, and of that %+q, %v", address, key, again, err)
	}
	local, domain, _ := strings.Cut(key, "@")
	if len(key) > 254 || len(local) > 64 || !utf8.ValidString(key) || strings.ContainsFunc(key, hidden) ||
		strings.ContainsAny(key, " \"(),:;<>[\\]%!") || strings.ContainsFunc(local, func(r rune) bool { return 'A' <= r && r <= 'Z' }) ||
		!isASCII(domain) || strings.ToLower(domain) != domain || !strings.Contains(domain, ".") {
		t.Errorf("AddressKey(%+q) = %+q", address, key)
	}
	// The rest of the world must read it as the same one address.
	if list, err := mail.ParseAddressList(address); err != nil || len(list) != 1 || list[0].Address != address || list[0].Name != "" {
		t.Errorf("net/mail reads %+q as %v, %v", address, list, err)
	}
	if name, plain, err := ParseMailbox(FormatMailbox("", address)); err != nil || plain != address || name != "" {
		t.Errorf("ParseMailbox(FormatMailbox(%+q)) = %q, %q, %v", address, name, plain, err)
	}
}

func TestAddressKeyEveryRune(t *testing.T) {
	t.Parallel()
	everyRune(func(r rune) {
		local := "a" + string(r) + "@b.org"
		key, err := AddressKey(local)
		if unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) {
			if err == nil {
				t.Errorf("%U accepted", r)
			}
			return
		}
		if err == nil && isASCII(key) && r >= utf8.RuneSelf {
			t.Errorf("AddressKey(%+q) = %q", local, key)
		}
		if err == nil && key != local {
			checkAddress(t, local)
		}
		if !unicode.In(r, unicode.Han, unicode.Hangul) {
			checkAddress(t, "a@b"+string(r)+".org")
		}
	})
}

func TestAddressKeyHuge(t *testing.T) {
	testHuge(t, FieldEmail, func(s string) error { _, err := AddressKey(s); return err })
}

func TestParseMailbox(t *testing.T) {
	t.Parallel()
	tests := []struct {
		mailbox, name, address string
		want                   Reason
	}{
		{"ann@example.org", "", "ann@example.org", ""},
		{"  Ann@Example.org ", "", "Ann@Example.org", ""},
		{"<ann@example.org>", "", "ann@example.org", ""},
		{"Ann Example <ann@example.org>", "Ann Example", "ann@example.org", ""},
		{"Ann<ann@example.org>", "Ann", "ann@example.org", ""},
		{"John Q. Public <jqp@example.org>", "John Q. Public", "jqp@example.org", ""},
		{`"Example, Ann (work)" <ann@example.org>`, "Example, Ann (work)", "ann@example.org", ""},
		{`"say \"hi\" \\" <ann@example.org>`, `say "hi" \`, "ann@example.org", ""},
		{`"" <ann@example.org>`, "", "ann@example.org", ""},
		{`"ben@example.org" <ann@example.org>`, "ben@example.org", "ann@example.org", ""},
		{`"<x>" <ann@example.org>`, "<x>", "ann@example.org", ""},
		{"André Müller <andre@example.org>", "André Müller", "andre@example.org", ""},
		{"=?utf-8?q?Andr=C3=A9?= <andre@example.org>", "André", "andre@example.org", ""},
		{"=?iso-8859-1?Q?Andr=E9?= <andre@example.org>", "André", "andre@example.org", ""},
		{"=?UTF-8?B?5bCP?= =?UTF-8?B?5piO?= <x@example.org>", "小明", "x@example.org", ""},
		{"用户 <用户@例子.广告>", "用户", "用户@例子.广告", ""},

		{"", "", "", ReasonEmpty},
		{"   ", "", "", ReasonEmpty},
		{"<>", "", "", ReasonEmpty},
		{"Ann <>", "", "", ReasonEmpty},
		{"Ann Example", "", "", ReasonSyntax},
		{"ann@example.org>", "", "", ReasonSyntax},
		{"Ann <ann@example.org", "", "", ReasonCharacter},
		{"Ann <ann@example.org> x", "", "", ReasonCharacter},
		{"Ann <ann@example.org>>", "", "", ReasonSyntax},
		{"Ann <<ann@example.org>", "", "", ReasonSyntax},
		{"Ann < ann@example.org>", "", "", ReasonCharacter},
		{"Ann <ann@localhost>", "", "", ReasonSyntax},
		{"Ann <a@x.org>, Ben <b@x.org>", "", "", ReasonSyntax},
		{"a@x.org, Ben <b@x.org>", "", "", ReasonSyntax},
		{"Example, Ann <ann@example.org>", "", "", ReasonSyntax},
		{"Friends: Ann <ann@example.org>;", "", "", ReasonCharacter},
		{"Friends: <ann@example.org>", "", "", ReasonSyntax},
		{"Ann (work) <ann@example.org>", "", "", ReasonSyntax},
		{"ann@example.org (Ann)", "", "", ReasonSyntax},
		{"ben@example.org <ann@example.org>", "", "", ReasonSyntax},
		{`"Ann <ann@example.org>`, "", "", ReasonSyntax},
		{`Ann\ Lee <ann@example.org>`, "", "", ReasonSyntax},
		{"Ann\t<ann@example.org>", "", "", ReasonCharacter},
		{"Ann\r\nBcc: x@y.org <ann@example.org>", "", "", ReasonCharacter},
		{"Ann <ann@example.org>\n", "", "", ReasonCharacter},
		{"Ann\x00 <ann@example.org>", "", "", ReasonCharacter},
		{"Ann\u202e <ann@example.org>", "", "", ReasonCharacter},
		{"=?utf-8?q?a=0D=0ABcc:_x?= <ann@example.org>", "", "", ReasonSyntax},
		{"=?utf-8?q?a=0D=0ABcc=3A_x?= <ann@example.org>", "", "", ReasonCharacter},
		{"=?utf-8?q?=00?= <ann@example.org>", "", "", ReasonCharacter},
		{"=?koi8-r?q?=C1?= <ann@example.org>", "", "", ReasonSyntax},
		{"Ann\xff <ann@example.org>", "", "", ReasonEncoding},
		{strings.Repeat("a", 1008) + "<ann@example.org>", "", "", ReasonTooLong},
	}
	for _, tt := range tests {
		name, address, err := ParseMailbox(tt.mailbox)
		if got := reasonOf(t, FieldEmail, err); name != tt.name || address != tt.address || got != tt.want {
			t.Errorf("ParseMailbox(%+q) = %+q, %+q, reason %q; want %+q, %+q, %q",
				tt.mailbox, name, address, got, tt.name, tt.address, tt.want)
		}
	}
	if name, _, err := ParseMailbox(strings.Repeat("a", 1007) + "<ann@example.org>"); err != nil || len(name) != 1007 {
		t.Errorf("1,024 bytes: a name of %d bytes, %v", len(name), err)
	}
}

func TestParseMailboxHuge(t *testing.T) {
	testHuge(t, FieldEmail, func(s string) error { _, _, err := ParseMailbox(s); return err })
}

func TestFormatMailbox(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, address, want string }{
		{"Ann Example", "ann@example.org", `"Ann Example" <ann@example.org>`},
		{"", "Ann@Example.org", `<Ann@Example.org>`},
		{`Ann "A" \ Example, Jr.`, "ann@example.org", `"Ann \"A\" \\ Example, Jr." <ann@example.org>`},
		{"André", "andre@example.org", `=?utf-8?q?Andr=C3=A9?= <andre@example.org>`},
		{`André \`, "andre@example.org", `=?utf-8?b?QW5kcsOpIFw=?= <andre@example.org>`},
		{"ann@evil.org", "ann@example.org", `"ann@evil.org" <ann@example.org>`},
		{"=?utf-8?q?x?=", "ann@example.org", `"=?utf-8?q?x?=" <ann@example.org>`},
		{"Ann\r\nBcc: ben@example.org", "ann@example.org", `<ann@example.org>`},
		{"Ann\x00", "ann@example.org", `<ann@example.org>`},
		{"Ann\u202e", "ann@example.org", `<ann@example.org>`},
		{"Ann\xff", "ann@example.org", `<ann@example.org>`},
		{"Ann", "", ""},
		{"Ann", "ann@example.org\r\nBcc: ben@example.org", ""},
		{"Ann", "a@x.org>, <b@x.org", ""},
		{"Ann", `"x y"@example.org`, ""},
	} {
		if got := FormatMailbox(tt.name, tt.address); got != tt.want {
			t.Errorf("FormatMailbox(%q, %q) = %q, want %q", tt.name, tt.address, got, tt.want)
		}
	}
}

// checkMailbox checks that a name and an address survive a header.
func checkMailbox(t testing.TB, name, address string) {
	text := FormatMailbox(name, address)
	if strings.ContainsFunc(text, unicode.IsControl) {
		t.Errorf("FormatMailbox(%+q, %+q) = %+q", name, address, text)
	}
	if text == "" {
		if _, err := AddressKey(address); err == nil {
			t.Errorf("FormatMailbox(%+q, %+q) is empty", name, address)
		}
		return
	}
	if checkText(FieldEmail, name, maxMailbox, maxMailbox) != nil {
		name = ""
	}
	if len(text) > maxMailbox {
		return
	}
	if n, a, err := ParseMailbox(text); err != nil || n != name || a != address {
		t.Errorf("ParseMailbox(%+q) = %+q, %+q, %v; want %+q, %+q", text, n, a, err, name, address)
	}
}

func TestMailboxEveryRune(t *testing.T) {
	t.Parallel()
	everyRune(func(r rune) {
		if r < 0x3100 || unicode.In(r, unicode.S, unicode.P, unicode.Z, unicode.M) {
			checkMailbox(t, "A "+string(r)+" b", "ann@example.org")
		}
	})
}

func FuzzAddressKey(f *testing.F) {
	for _, s := range []string{
		"ann@example.org", "Dörte@Bücher.example", "a@xn--bcher-kva.de", "H\u0331@x.org", "a@b。c", "=?@x.org", "a@1.2.3.4",
		"\u212a@x.org", "用户@例子.广告", "a@xn--10cl1a0b660p.com", "\u0344@x.y", "a\u0958@x.y", "א@ב.ג",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkAddress(t, s)
		checkAddress(t, s+"@example.org")
		checkAddress(t, "ann@"+s+".org")
	})
}

func FuzzParseMailbox(f *testing.F) {
	for _, s := range []string{
		"ann@example.org", "Ann <ann@example.org>", `"A, b" <a@x.org>`, "=?utf-8?q?=C3=A9?= <a@x.org>", "g: a@x.org;", `"\" <a@x.org>`,
		"a (b) <c@d.ee>", "=?utf-8?b?w6k=?=\t=?utf-8?q?x?= <a@x.org>", " a ", "é ", "=?", "\"", "a  b", "\u3000é",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, address, err := ParseMailbox(s)
		if err != nil {
			if reasonOf(t, FieldEmail, err) == "" || name != "" || address != "" {
				t.Errorf("ParseMailbox(%+q) = %q, %q, %v", s, name, address, err)
			}
		} else {
			if _, err := AddressKey(address); err != nil || !strings.Contains(s, address) {
				t.Errorf("ParseMailbox(%+q) = %q, %q: %v", s, name, address, err)
			}
			checkMailbox(t, name, address)
		}
		checkMailbox(t, s, "ann@example.org")
		checkMailbox(t, "Ann", s)
	})
}
