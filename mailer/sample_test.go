package mailer

import (
	"testing"
)

var plainOptions = Options{From: "Example <accounts@example.org>", Support: "help@example.org", URL: "https://example.org/"}

// Every kind of mail can be composed in every language.
func TestEveryKindInEveryLanguage(t *testing.T) {
	c, err := New(plainOptions)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.try(); err != nil {
		t.Error(err)
	}
}
