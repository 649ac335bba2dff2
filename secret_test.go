package roster_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-roster/roster"
)

func TestSecretIsNeverShown(t *testing.T) {
	const text = "hunter2-hunter2"
	type holder struct {
		Plain roster.Secret
		Ptr   *roster.Secret
		Any   any
		Map   map[string]roster.Secret
		List  []roster.Secret
	}
	s := roster.NewSecret(text)
	h := holder{s, &s, s, map[string]roster.Secret{"k": s}, []roster.Secret{s}}
	var out []string
	for _, v := range []any{s, &s, h, &h, []any{s}, roster.Mail{Code: s, Link: s}, &roster.Credential{Hash: s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
			out = append(out, fmt.Sprintf(verb, v))
		}
		if b, err := json.Marshal(v); err == nil {
			out = append(out, string(b))
		}
		if b, err := xml.Marshal(v); err == nil {
			out = append(out, string(b))
		}
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "v", v)
		_ = gob.NewEncoder(&logged).Encode(v)
		out = append(out, logged.String())
	}
	n := roster.NewUser{Name: "ann", Password: text}
	for _, v := range []any{n, &n, []any{n}, map[string]roster.NewUser{"k": n}} {
		raw, err := json.Marshal(v)
		must(t, err)
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "v", v)
		line := fmt.Sprintf("%v %+v %#v %s %q %x", v, v, v, v, v, v) + string(raw) + logged.String()
		if !strings.Contains(line, "ann") {
			t.Errorf("nothing is shown: %s", line)
		}
		out = append(out, line)
	}
	var back roster.NewUser
	raw, err := json.Marshal(n)
	must(t, err)
	must(t, json.Unmarshal(raw, &back))
	if back.Password != "" || back.Name != "ann" {
		t.Errorf("comes back from JSON as %+v with the password %q", back, back.Password)
	}
	func() {
		defer func() { out = append(out, fmt.Sprint(recover())) }()
		panic(s)
	}()
	hexed := fmt.Sprintf("%x", text)
	for _, line := range out {
		if strings.Contains(line, text) || strings.Contains(strings.ToLower(line), hexed) {
			t.Errorf("the secret was shown: %s", line)
		}
	}
	if s.Reveal() != text || s.IsZero() || !s.Equal(roster.NewSecret(text)) || s.Equal(roster.Secret{}) {
		t.Error("the secret is lost")
	}
}
