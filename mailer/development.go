package mailer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/go-roster/roster"
)

// Printer is a [roster.Mailer] for development: it prints what it should send,
// codes and all. Never use it where a log is kept. It is safe for concurrent
// use, and must not be copied.
type Printer struct {
	Composer *Composer
	Out      io.Writer

	mu sync.Mutex
}

// Send implements [roster.Mailer]. It prints when the transaction has
// committed, the text part only. It returns the errors of [Composer.Compose].
func (p *Printer) Send(ctx context.Context, m roster.Mail) error {
	msg, err := p.Composer.Compose(ctx, m)
	if err != nil {
		return err
	}
	roster.AfterCommit(ctx, func(context.Context) {
		p.mu.Lock()
		defer p.mu.Unlock()
		_, _ = io.WriteString(p.Out, screen(msg)) // a terminal that is gone is nobody's loss
	})
	return nil
}

// screen is a message as a terminal shows it: no controls, and none of the
// marks of direction, for which many a terminal shows a box.
func screen(m *Message) string {
	var s strings.Builder
	fmt.Fprintf(&s, "From:    %s\nTo:      %s\nSubject: %s\n\n%s", plain(m.From), plain(m.To), m.Subject, m.Text)
	rule := strings.Repeat("─", 64)
	text := strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		if strings.ContainsRune(rightToLeftMark+firstStrongIsolate+popIsolate, r) || r < ' ' || 0x7f <= r && r < 0xa0 {
			return -1
		}
		return r
	}, s.String())
	return rule + "\n" + text + rule + "\n"
}

// plain is a mailbox for people to read.
func plain(b Mailbox) string {
	if b.Name == "" {
		return b.Address
	}
	return b.Name + " <" + b.Address + ">"
}

// Folder is a [roster.Mailer] for development: it writes what it should send
// into a folder, each message as an .eml file of its own, which a mail program
// opens. It is safe for concurrent use, by several processes too.
type Folder struct {
	Composer *Composer
	Dir      string       // is made if it is not there
	Logger   *slog.Logger // is told of messages that could not be written; nil: nobody is
}

// Send implements [roster.Mailer]. It writes when the transaction has
// committed. It returns the errors of [Composer.Compose].
func (f *Folder) Send(ctx context.Context, m roster.Mail) error {
	msg, err := f.Composer.Compose(ctx, m)
	if err != nil {
		return err
	}
	roster.AfterCommit(ctx, func(ctx context.Context) {
		if err := f.write(msg); err != nil && f.Logger != nil {
			if path, ok := errors.AsType[*fs.PathError](err); ok {
				err = path.Err // the name has the address in it
			}
			f.Logger.ErrorContext(ctx, "mail not written", slog.String("kind", string(msg.Kind)), slog.Any("error", err))
		}
	})
	return nil
}

func (f *Folder) write(m *Message) error {
	text, err := m.Bytes()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return err
	}
	dir, err := os.OpenRoot(f.Dir) // which no name leads out of
	if err != nil {
		return err
	}
	defer dir.Close()
	file, err := dir.OpenFile(fileName(m), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.Write(text); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

// fileName is a name that any file system takes, by which messages are listed
// in their order: when, why, to whom, and what makes it another name than that
// of any other message.
func fileName(m *Message) string {
	safe := strings.Map(func(r rune) rune {
		if alphanumeric(r) || strings.ContainsRune("-_.@+", r) {
			return r
		}
		return '_'
	}, m.To.Address)
	id := sha256.Sum256([]byte(m.ID))
	return fmt.Sprintf("%s-%s-%s-%s.eml", m.Date.UTC().Format("20060102T150405.000000"), m.Kind, safe[:min(len(safe), 100)], hex.EncodeToString(id[:4]))
}
