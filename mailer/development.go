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
// codes and all. It is a [Transport] too, for an [Outbox] or a [Direct] that are
// being developed with. Never use it where a log is kept. It is safe for concurrent
// use, and must not be copied.
type Printer struct {
	Composer *Composer // a Transport needs none
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
		_ = p.print(msg) // a terminal that is gone is nobody's loss
	})
	return nil
}

// Dial implements [Transport]. A message that cannot be printed is tried again.
func (p *Printer) Dial(context.Context) (Session, error) { return taker(p.print), nil }

func (p *Printer) print(m *Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := io.WriteString(p.Out, screen(m))
	return err
}

// taker is a session that hands its messages to a function.
type taker func(m *Message) error

// Send implements [Session].
func (t taker) Send(_ context.Context, m *Message) error { return t(m) }

// Close implements [Session].
func (taker) Close() error { return nil }

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
// opens. It is a [Transport] too, as a [Printer] is. It is safe for concurrent
// use, by several processes too.
type Folder struct {
	Composer *Composer    // a Transport needs none
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
			f.Logger.ErrorContext(ctx, "mail not written", slog.String("kind", string(msg.Kind)), slog.Any("error", err))
		}
	})
	return nil
}

// Dial implements [Transport]. A message that cannot be written is tried again,
// and is written once.
func (f *Folder) Dial(context.Context) (Session, error) {
	return taker(func(m *Message) error {
		err := f.write(m)
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}), nil
}

// write does not name the file in its error: the address is in the name.
func (f *Folder) write(m *Message) error {
	err := f.create(m)
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

func (f *Folder) create(m *Message) error {
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
	name := fileName(m)
	file, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Close()); err != nil {
		_ = dir.Remove(name) // half of it: there is another try
		return err
	}
	return nil
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
