package mailer

import (
	"context"
	"sync"
	"testing"

	"github.com/go-roster/roster"
)

// One Composer serves everybody at once.
func TestComposeAtOnce(t *testing.T) {
	c := goldenComposer(t)
	want := make(map[string]string)
	var mu sync.Mutex
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i, kind := range roster.MailKinds() {
				r := readers[(i+worker)%len(readers)]
				user := r.user
				m, err := c.Compose(context.Background(), goldenMail(kind, &user, r.to))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				key := string(kind) + user.Locale
				if before, ok := want[key]; ok && before != m.Text {
					t.Errorf("%s reads differently:\n%s\n%s", key, before, m.Text)
				}
				want[key] = m.Text
				mu.Unlock()
			}
		})
	}
	all.Wait()
}

func BenchmarkCompose(b *testing.B) {
	c := goldenComposer(b)
	user := readers[1].user
	mail := goldenMail(roster.MailResetPassword, &user, readers[1].to)
	b.Run("compose", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.Compose(context.Background(), mail); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bytes", func(b *testing.B) {
		m, err := c.Compose(context.Background(), mail)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := m.Bytes(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkNew reads all languages, once when a program starts.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(plainOptions); err != nil {
			b.Fatal(err)
		}
	}
}
