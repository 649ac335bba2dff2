package acceptance

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/mailer"
	"github.com/go-roster/roster/store/memory"
)

// postfix is a mail server of its own, in a directory of its own, that takes
// mail for example.org on one port of this machine and nothing else.
type postfix struct {
	dir  string
	port int
	pool *x509.CertPool
}

const postfixMain = `
compatibility_level = 3.6
maillog_file = DIR/log
maillog_file_prefixes = DIR
queue_directory = DIR/spool
data_directory = DIR/data
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.org
mydestination =
mynetworks =
alias_maps =
local_recipient_maps =
smtpd_tls_chain_files = DIR/tls.pem
smtpd_tls_security_level = encrypt
smtpd_recipient_restrictions = reject_unauth_destination
virtual_mailbox_domains = example.org
virtual_mailbox_base = DIR/mail
virtual_mailbox_maps = inline:{ { ann@example.org = ann/ }, { jos\303\251@example.org = jose/ } }
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
`

const postfixMaster = `
127.0.0.1:PORT inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
`

// startPostfix skips the test where there is no postfix, or nobody who may
// start it.
func startPostfix(t *testing.T) *postfix {
	t.Helper()
	program, err := exec.LookPath("postfix")
	if err != nil {
		t.Skip("postfix is not installed")
	}
	if os.Geteuid() != 0 {
		t.Skip("postfix can only be started by root")
	}
	p := &postfix{dir: t.TempDir(), port: freePort(t)}
	fill := strings.NewReplacer("DIR", p.dir, "PORT", fmt.Sprint(p.port), `\303\251`, "\u00e9")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(fill.Replace(text)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("main.cf", postfixMain)
	write("master.cf", postfixMaster)
	for _, dir := range []string{"spool", "data", "mail"} {
		if err := os.Mkdir(filepath.Join(p.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(filepath.Join(p.dir, "mail"), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", "postfix", filepath.Join(p.dir, "data")).CombinedOutput(); err != nil {
		t.Fatalf("chown: %s", out)
	}
	for dir := p.dir; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) { // for the users that postfix works as
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var chain []byte
	chain, p.pool = selfSigned(t)
	write("tls.pem", string(chain))
	run := func(what string) ([]byte, error) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		return exec.CommandContext(ctx, program, "-c", p.dir, what).CombinedOutput()
	}
	if out, err := run("start"); err != nil {
		log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
		t.Fatalf("postfix does not start: %v\n%s\n%s", err, out, log)
	}
	t.Cleanup(func() {
		if out, err := run("stop"); err != nil {
			t.Errorf("postfix does not stop: %v\n%s", err, out)
		}
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
			t.Logf("the log of postfix:\n%s", log)
		}
	})
	return p
}

func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// selfSigned is a key and a certificate for localhost, and whom to trust to
// trust it.
func selfSigned(t *testing.T) (chain []byte, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(cert)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...), pool
}

// read waits for the mails in a mailbox, and returns their files.
func (p *postfix) read(t *testing.T, box string, n int) [][]byte {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(p.dir, "mail", box, "new", "*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) >= n {
			var all [][]byte
			for _, f := range files {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, b)
			}
			return all
		}
		if time.Now().After(deadline) {
			t.Fatalf("there are %d mails in the mailbox %s, want %d", len(files), box, n)
		}
	}
}

// textOf parses a mail as its reader does, and returns its header and the part
// that is text.
func textOf(t *testing.T, raw []byte) (mail.Header, string) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("the mail is %s, %v", kind, err)
	}
	part, err := multipart.NewReader(m.Body, params["boundary"]).NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	if enc := part.Header.Get("Content-Transfer-Encoding"); enc != "quoted-printable" {
		t.Fatalf("the text is %s", enc)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(part))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header, string(text)
}

// TestPostfix sends mails by a server as it stands in the world, reads them from
// the mailbox, and redeems the code in them.
func TestPostfix(t *testing.T) {
	p := startPostfix(t)
	ctx := ctxOf(t)
	store := memory.New()
	composer, err := mailer.New(mailer.Options{From: "Beispiel M\u00fcnchen <accounts@example.com>"})
	if err != nil {
		t.Fatal(err)
	}
	dial := func(change func(o *mailer.SMTPOptions)) *mailer.SMTP {
		t.Helper()
		o := mailer.SMTPOptions{Port: p.port, TLS: &tls.Config{RootCAs: p.pool}, Timeout: time.Minute}
		change(&o)
		s, err := mailer.NewSMTP("localhost", &o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var undeliverable []string
	outbox, err := mailer.NewOutbox(store, composer, dial(func(*mailer.SMTPOptions) {}), &mailer.OutboxOptions{
		Key: outboxKey,
		OnUndeliverable: func(_ context.Context, m *roster.QueuedMail, err *mailer.SendError) error {
			undeliverable = append(undeliverable, m.To+" "+err.Error())
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, store, func(o *roster.Options) { o.Mailer, o.Now = outbox, nil })
	ann, err := w.Register(ctx, roster.NewUser{Name: "ann", RealName: "Ann Example", Email: "Ann@example.org", Password: goodPassword, Locale: "de"})
	w.must(err)
	_, err = w.Register(ctx, roster.NewUser{Name: "jose", Email: "jos\u00e9@example.org", Password: goodPassword})
	w.must(err)
	_, err = w.Register(ctx, roster.NewUser{Name: "ghost", Email: "nobody@example.org", Password: goodPassword})
	w.must(err)
	_, err = w.Register(ctx, roster.NewUser{Name: "eve", Email: "somebody@example.net", Password: goodPassword})
	w.must(err)
	d, err := outbox.Deliver(ctx, roster.Budget{})
	w.must(err)
	if d.Sent != 2 || d.Failed+d.Delayed != 2 { // whether it relays for strangers is not for the address to answer
		t.Errorf("delivered %+v", d)
	}
	if len(undeliverable) != 1 || undeliverable[0] != "nobody@example.org mailer: not sent: rcpt 550 5.1.1" {
		t.Errorf("undeliverable: %q", undeliverable)
	}
	header, text := textOf(t, p.read(t, "ann", 1)[0])
	from, err := header.AddressList("From")
	if err != nil || from[0].Name != "Beispiel M\u00fcnchen" || from[0].Address != "accounts@example.com" {
		t.Errorf("from %v, %v", from, err)
	}
	mails, err := store.MailsAfter(ctx, roster.OutboxSent, 0, 10)
	w.must(err)
	if got := header.Get("Message-Id"); got != "<"+mails[0].MessageID+">" || header.Get("Auto-Submitted") != "auto-generated" || len(header["User-Agent"]) != 0 {
		t.Errorf("the header: %v", header)
	}
	if !strings.HasPrefix(header.Get("Received"), "from localhost") || !strings.Contains(header.Get("Received"), "ESMTPS") {
		t.Errorf("it came another way: %s", header.Get("Received"))
	}
	code := ""
	for _, word := range strings.Fields(text) {
		if len(word) == 43 {
			code = word
		}
	}
	u, err := w.Activate(ctx, code)
	if err != nil || u.ID != ann.ID {
		t.Fatalf("the code in the mail: %v\n%s", err, text)
	}
	p.read(t, "jose", 1)

	for what, s := range map[string]*mailer.SMTP{
		"a name that the certificate is not for": func() *mailer.SMTP {
			s, err := mailer.NewSMTP("127.0.0.1", &mailer.SMTPOptions{Port: p.port, TLS: &tls.Config{RootCAs: p.pool}, Timeout: time.Minute})
			w.must(err)
			return s
		}(),
		"an authority that nobody knows": dial(func(o *mailer.SMTPOptions) { o.TLS = nil }),
	} {
		var down *roster.UnavailableError
		if session, err := s.Dial(ctx); !errors.As(err, &down) || down.What != mailer.UnavailableSMTPTLS {
			t.Errorf("%s: %v, %v", what, session, err)
		}
	}
}
