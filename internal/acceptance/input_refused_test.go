package acceptance

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/go-roster/roster"
)

func nilUser(u *roster.User) error {
	if u == nil {
		return errors.New("no user")
	}
	return nil
}

// TestBadInput puts hostile text into every argument that is stored. It is
// refused by an error that names the field, and leaves nothing behind; or it is
// fine, and comes back as it was.
func TestBadInput(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		w := newWorld(t, k.open(t))
		ctx := ctxOf(t)
		rng := random(t)
		newCast(w)
		w.post.take()
		tried := 0
		// What is refused is refused above every store: on the databases it takes
		// a few of them, and all in a soak.
		few := func(texts []string, n int) []string {
			if !k.sql || soak || len(texts) <= n {
				return texts
			}
			texts = slices.Clone(texts)
			rng.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
			return texts[:n]
		}
		for _, s := range slots() {
			if k.leaveOut(rng) {
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				before, err := dump(ctx, w.store, nil, nil)
				w.must(err)
				for _, text := range few(s.refuse, 4) {
					tried++
					_, undo, err := s.put(ctx, w, text)
					if err == nil {
						undo()
						t.Errorf("%.60q was accepted", text)
						continue
					}
					checkRefusal(t, s.field, text, err)
				}
				if mails := w.post.take(); len(s.refuse) > 0 && strings.Contains(s.name, "Email") && len(mails) > 0 {
					t.Errorf("%d mails left", len(mails))
				}
				for _, text := range few(s.accept, 25) {
					tried++
					stored, undo, err := s.put(ctx, w, text)
					if err != nil {
						t.Errorf("%.60q was refused: %v", text, err)
						continue
					}
					if stored == nil {
						t.Errorf("%.60q was accepted, and nobody can tell as what", text)
					} else if got, err := stored(); err != nil || got != text {
						t.Errorf("%.60q came back as %.60q, %v", text, got, err)
					}
					undo()
				}
				// What is neither: refused or verbatim.
				for _, text := range few(slices.Concat(fragments, odd, unreadable, unstorable), 6) {
					tried++
					stored, undo, err := s.put(ctx, w, text)
					if err != nil {
						if !errors.Is(err, roster.ErrConflict) {
							checkRefusal(t, s.field, text, err)
						}
						continue
					}
					if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
						t.Errorf("%q was accepted", text)
					}
					if stored != nil {
						if got, err := stored(); err != nil || got != text {
							t.Errorf("%q came back as %q, %v", text, got, err)
						}
					}
					undo()
				}
				if s.floods {
					for _, text := range few(floods, 1) {
						tried++
						quick(t, fmt.Sprintf("%.20q and so on", text), func() {
							_, _, err := s.put(ctx, w, text)
							if err == nil {
								t.Fatalf("8 MiB of %.20q were accepted", text)
							}
							checkRefusal(t, s.field, text, err)
						})
					}
				}
				w.post.take()
				after, err := dump(ctx, w.store, nil, nil)
				w.must(err)
				if after != before {
					t.Errorf("something was left behind:\n%s", cmp.Diff(before, after))
				}
			})
		}
		t.Logf("%d texts in %d arguments", tried, len(slots()))
		w.sound()
	})
}

func checkRefusal(t *testing.T, field, text string, err error) {
	t.Helper()
	if !invalidOf(field)(err) || !errors.Is(err, roster.ErrInvalid) {
		t.Errorf("%.60q: %v, want an InvalidError of %q", text, err, field)
	}
	if len(text) > 10 && strings.Contains(err.Error(), text) {
		t.Errorf("the error repeats what was typed: %.200v", err)
	}
}

// quick fails the test if none of a few tries is quick.
func quick(t *testing.T, what string, fn func()) {
	t.Helper()
	best := time.Duration(math.MaxInt64)
	for range 4 {
		start := time.Now()
		fn()
		if best = min(best, time.Since(start)); best < 250*time.Millisecond {
			return
		}
	}
	t.Errorf("%s took %v", what, best)
}
