package roster

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"log/slog"

	"github.com/go-roster/roster/password"
)

// ImportPassword gives a user who has no password the one that another system
// knows, by its hash: what [password.Import] makes of the other system's column.
// It hashes nothing; Options.Hasher verifies it at the next sign-in, and it is
// made anew then. Nothing else changes, and no mail leaves: nobody has changed a
// password. Importing the same again does nothing.
//
// It returns ErrNotFound, a [ConflictError] of [FieldPassword] if the user has
// another password, or an [InvalidError] of FieldPassword if Options.Hasher does
// not read the hash, or of [FieldDirectory] if the user belongs to one, which
// has the password.
func (us *Users) ImportPassword(ctx context.Context, id UserID, hash string) error {
	return wrap("import password of user", id, us.importPassword(ctx, id, NewSecret(hash)))
}

func (us *Users) importPassword(ctx context.Context, id UserID, hash Secret) error {
	if err := us.askAbout(ctx, "ImportPassword", id); err != nil {
		return err
	}
	if _, err := us.opts.Hasher.Format(hash.Reveal()); err != nil {
		return invalid(FieldPassword, ReasonSyntax)
	}
	return us.live(ctx, "ImportPassword", id, func(ctx context.Context, m Model) error {
		if m.RosterUser().DirectoryID != "" {
			return invalid(FieldDirectory, ReasonReadOnly)
		}
		switch c, err := us.store.Credential(ctx, id, 0); {
		case err == nil && c.Hash.Equal(hash):
			return nil
		case err == nil:
			return &ConflictError{Field: FieldPassword}
		case !errors.Is(err, ErrNotFound):
			return err
		}
		if err := us.store.PutCredential(ctx, &Credential{UserID: id, Hash: hash, CreatedAt: us.now()}); err != nil {
			return err
		}
		return us.emit(ctx, Event{Kind: EventPasswordImported, User: id})
	})
}

// UnknownFormat is what [Users.PasswordFormats] counts hashes under that
// Options.Hasher does not read: nobody signs in with one.
const UnknownFormat = "unknown"

// PasswordFormats counts the stored hashes of every user, also of those who are
// deleted and not purged, by their format as Options.Hasher names it: so many
// "argon2id", so many "django-pbkdf2-sha256" that wait for their next sign-in,
// so many under a pepper that could otherwise be taken away. It reads them all,
// in pages.
func (us *Users) PasswordFormats(ctx context.Context) (map[string]int, error) {
	if err := us.ask(ctx, "PasswordFormats"); err != nil {
		return nil, wrap("count password formats", 0, err)
	}
	counts := make(map[string]int)
	var last Credential
	for {
		page, err := us.store.CredentialsAfter(ctx, last.UserID, last.ScopeID, credentialBatch)
		if err != nil {
			return nil, wrap("count password formats", 0, err)
		}
		for _, c := range page {
			format, err := us.opts.Hasher.Format(c.Hash.Reveal())
			if err != nil {
				format = UnknownFormat
			}
			counts[format]++
		}
		if len(page) < credentialBatch {
			return counts, nil
		}
		last = *page[len(page)-1]
	}
}

const credentialBatch = 1000

// Wrapped is what one call of [Users.WrapPasswords] has done.
type Wrapped struct {
	Hashes  int    // wrapped
	Unknown int    // left as they are, since Options.Hasher does not read them
	Next    string // where the next call goes on; empty when all have been seen
}

// WrapPasswords makes the hashes of other systems strong without waiting for
// anybody to sign in, as far as Options.Hasher can: [password.Hasher] puts
// argon2id over them, and a pepper where there is none. It looks at so many
// hashes as the budget says, from the cursor on: empty at first, Wrapped.Next
// of the call before after that. Each one wrapped costs a hash, one after the
// other.
//
//	for cursor := ""; ; {
//		w, err := users.WrapPasswords(ctx, cursor, roster.Budget{})
//		if err != nil {
//			return err // to be called again with the same cursor, or from the start
//		}
//		if cursor = w.Next; cursor == "" {
//			break
//		}
//	}
//
// It may stop at any place and start over: what is wrapped is not wrapped again,
// and a password that is changed meanwhile stays changed. It returns what it has
// done, also beside an error (outside [Users.Atomic]): ErrBusy, or an
// [InvalidError] of [FieldLimit] for a negative budget or of [FieldCursor].
func (us *Users) WrapPasswords(ctx context.Context, cursor string, b Budget) (Wrapped, error) {
	w, err := us.wrapPasswords(ctx, cursor, b)
	return w, wrap("wrap passwords", 0, err)
}

func (us *Users) wrapPasswords(ctx context.Context, cursor string, b Budget) (Wrapped, error) {
	w, err := us.wrapRows(ctx, cursor, b)
	if w.Hashes == 0 {
		return w, err
	}
	failed := us.store.Atomic(ctx, func(ctx context.Context) error {
		return us.emit(ctx, Event{Kind: EventPasswordsWrapped, Details: details("hashes", w.Hashes, "unknown", w.Unknown)})
	})
	return w, cmp.Or(err, failed)
}

func (us *Users) wrapRows(ctx context.Context, cursor string, b Budget) (w Wrapped, err error) {
	if err := us.ask(ctx, "WrapPasswords"); err != nil {
		return w, err
	}
	rows := b.Rows
	if rows == 0 {
		rows = defaultPruneRows
	}
	last, ok := decodeCredentialCursor(cursor)
	switch {
	case rows < 0:
		return w, invalid(FieldLimit, ReasonNotPositive)
	case !ok:
		return w, invalid(FieldCursor, ReasonSyntax)
	}
	w.Next = cursor
	for rows > 0 {
		asked := min(rows, credentialBatch)
		page, err := us.store.CredentialsAfter(ctx, last.UserID, last.ScopeID, asked)
		if err != nil {
			return w, err
		}
		for _, c := range page {
			if err := us.wrapCredential(ctx, c, &w); err != nil {
				return w, err
			}
			last, w.Next = *c, encodeCredentialCursor(c)
		}
		if rows -= len(page); len(page) < asked {
			w.Next = ""
			break
		}
	}
	return w, nil
}

func (us *Users) wrapCredential(ctx context.Context, c *Credential, w *Wrapped) (err error) {
	hasher, old := us.opts.Hasher, c.Hash.Reveal()
	if _, err := hasher.Format(old); err != nil {
		w.Unknown++
		us.opts.Logger.ErrorContext(ctx, "password hash cannot be read", slog.Int64("user", int64(c.UserID)))
		return nil
	}
	hash := ""
	full := us.gate.Do(ctx, clientSource(ctx), hasher.Memory(""), func() { hash, err = hasher.Wrap(ctx, old) })
	switch {
	case full != nil:
		return busy(full)
	case err != nil:
		return err
	case hash == old:
		return nil
	}
	switch err := us.store.SwapCredential(ctx, c.UserID, c.ScopeID, c.Hash, NewSecret(hash)); {
	case errors.Is(err, ErrStale): // changed meanwhile, which is as good
		return nil
	case err != nil:
		return err
	}
	w.Hashes++
	return nil
}

// The cursor is the last credential that was looked at.
func encodeCredentialCursor(c *Credential) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(c.UserID))
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(b, uint64(c.ScopeID)))
}

func decodeCredentialCursor(s string) (last Credential, ok bool) {
	if s == "" {
		return last, true
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s[:min(len(s), maxCursor)])
	if err != nil || len(b) != 16 {
		return last, false
	}
	last.UserID, last.ScopeID = UserID(binary.BigEndian.Uint64(b)), ScopeID(binary.BigEndian.Uint64(b[8:]))
	return last, last.UserID > 0 && encodeCredentialCursor(&last) == s
}

// missingKey tells the caller that a hash needs a key that is not there, which
// says nothing about the password.
func missingKey(err error) error {
	if errors.Is(err, password.ErrKey) {
		return &UnavailableError{What: UnavailablePepper, Cause: err}
	}
	return err
}
