package roster_test

import (
	"context"
	"strings"
	"testing"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

func TestLocale(t *testing.T) {
	ctx := context.Background()
	env := rostertest.New(t)
	u := env.MustRegister("ann")
	for typed, want := range map[string]string{
		"": "", "de": "de", "de_DE": "de-DE", "DE-de": "de-DE", "zh-hans": "zh-Hans", "iw": "he", "sr-Latn-RS": "sr-Latn-RS",
		"../../x": "refused", "en_US.UTF-8": "refused", "xx-yy-zz-invalid": "refused", "und": "refused", "en\x00": "refused",
		strings.Repeat("a", 1<<20): "refused", strings.Repeat("en-", 20): "refused",
	} {
		err := env.Edit(ctx, u.ID, func(u *roster.User) error { u.Locale = typed; return nil })
		if want == "refused" {
			if got := fields(err); len(got) != 1 || !strings.HasPrefix(got[0], "locale: ") {
				t.Errorf("%.20q: %v", typed, err)
			}
			continue
		}
		must(t, err)
		got, err := env.ByID(ctx, u.ID)
		must(t, err)
		if got.Locale != want {
			t.Errorf("%q is kept as %q, want %q", typed, got.Locale, want)
		}
	}
}
