//go:build unix

package main

import "testing"

// A person with a real browser signs up, follows the link in the mail, signs in,
// changes the password and signs out. The cookie, the style and every form pass
// the program's own headers.
func TestBrowser(t *testing.T) {
	c := openChromium(t)
	s := start(t)
	c.open(s.base + "/")
	c.want("/", "Make one")
	if got := c.eval("getComputedStyle(document.querySelector('main')).maxWidth"); got != "512px" {
		t.Errorf("the page is %s wide: its style is not loaded", got)
	}
	c.shot("home")

	c.open(s.base + "/sign-up")
	c.fill("/sign-up", "name", "ann", "email", "ann@example.org", "password", "12345678")
	c.want("/sign-up", "Many people have this password")
	c.shot("sign-up")
	c.fill("/sign-up", "password", secret)
	c.want("/sign-up", "Look into your mail")

	c.open(s.mailTo(t, "activate_account", "ann@example.org"))
	c.want("/code", "ann@example.org", "Choose the password")
	c.shot("code")
	c.fill("/code", "password", secret)
	c.want("/code", "You can sign in")
	c.fill("/sign-in", "login", "ann", "password", secret)
	c.want("/account", "ann@example.org main", "this one")
	if got := c.eval("document.cookie"); got != "" {
		t.Errorf("scripts read the cookie %s", got)
	}
	c.shot("account")

	c.fill("/account/password", "current", secret, "password", "another horse battery")
	c.want("/account/password", "You have a new password")
	c.open(s.mailTo(t, "password_changed", "ann@example.org"))
	c.want("/code", "It was me", "Take it back")
	c.shot("undo")
	c.open(s.base + "/account")
	c.want("/account", "ann@example.org")
	c.fill("/sign-out")
	c.want("/", "Sign in")
	c.open(s.base + "/account")
	c.want("/sign-in")

	for _, complaint := range c.console {
		t.Errorf("the browser complains: %s", complaint)
	}
}
