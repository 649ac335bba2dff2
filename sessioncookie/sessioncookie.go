// Package sessioncookie carries the token of a session between a program on
// net/http and a browser: in one cookie, named __Host-session, that no script
// reads, that leaves over HTTPS only and goes to no other host.
//
//	session, token, err := users.SignIn(ctx, name, password)
//	sessioncookie.Set(w, token, session.ExpiresAt)
//	...
//	session, err := users.Session(ctx, sessioncookie.Token(r))
//
// The prefix __Host- makes browsers refuse the cookie from plain HTTP and from
// neighbours in the same domain (RFC 6265bis, section 4.1.3.2). Over plain HTTP
// there is no session; browsers make an exception of http://localhost, most of
// them. SameSite=Lax keeps the cookie out of the forms of other sites, but not
// of links: change nothing on GET, and use [http.CrossOriginProtection].
package sessioncookie

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/go-roster/roster"
)

// Name is the name of the cookie.
const Name = "__Host-session"

// Set gives the browser a token, in the place of the one it has. It keeps it
// until expires, take [roster.Session].ExpiresAt, or until it is closed if
// expires is zero. Call it before the body of the answer, which no cache may
// keep then.
func Set(w http.ResponseWriter, token roster.Secret, expires time.Time) {
	c := cookie(token.Reveal())
	if !expires.IsZero() {
		c.Expires = expires.UTC()
	}
	send(w, c)
}

// Clear makes the browser forget the token. The session goes on until
// [roster.Users.SignOut] ends it.
func Clear(w http.ResponseWriter) {
	c := cookie("")
	c.MaxAge = -1
	c.Expires = time.Unix(1, 0).UTC()
	send(w, c)
}

// Token returns the token that came with a request. It is empty if there is
// none, or more than one, so that nobody decides between them.
func Token(r *http.Request) string {
	cookies := r.CookiesNamed(Name)
	if len(cookies) != 1 {
		return ""
	}
	return cookies[0].Value
}

// Client is where a request comes from, for [roster.WithClient]: the address of
// the peer, and whether it speaks TLS to this program. It believes no header of
// a proxy: behind one say yourself what Addr and TLS are.
func Client(r *http.Request) roster.Client {
	c := roster.Client{UserAgent: r.UserAgent(), TLS: r.TLS != nil}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.Addr = peer.Addr()
	}
	return c
}

func cookie(value string) *http.Cookie {
	return &http.Cookie{
		Name: Name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// send adds the cookie, in the place of one that was added before.
func send(w http.ResponseWriter, c *http.Cookie) {
	h := w.Header()
	lines := h["Set-Cookie"]
	h.Del("Set-Cookie")
	for _, line := range lines {
		if old, err := http.ParseSetCookie(line); err != nil || old.Name != Name {
			h.Add("Set-Cookie", line)
		}
	}
	http.SetCookie(w, c)
	h.Set("Cache-Control", "no-store")
}
