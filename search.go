package roster

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"iter"
)

// State narrows a search to users in one state.
type State uint8

// The states.
const (
	StateActivated State = iota // activated and not deleted; disabled ones too
	StatePending                // never activated, not deleted
	StateLive                   // activated or not, not deleted
	StateDeleted                // deleted and not purged yet
	statesEnd
)

// Query asks for users. The zero Query is the first page of all active users.
type Query struct {
	// Pattern is looked for in the name and the real name, whatever the case
	// or width of its letters; every character of it is an ordinary one. Empty
	// matches everybody; more than 64 characters are refused. One of three
	// characters and more is answered from an index where the store has one.
	Pattern string

	State  State  // zero means activated and not deleted
	Limit  int    // zero means 50, at most 500
	Cursor string // Page.Next of the page before; empty means the first page
}

// The bounds of [Query].
const (
	defaultLimit   = 50
	maxLimit       = 500
	maxPatternSize = 64
)

// Search returns one page of users, in the order of their canonical names. It returns an [InvalidError] of
// [FieldPattern], [FieldLimit], [FieldState] or [FieldCursor].
func (us *Users) Search(ctx context.Context, q Query) (*Page[*User], error) {
	p, err := us.search(ctx, q)
	return p, wrap("search users", 0, err)
}

func (us *Users) search(ctx context.Context, q Query) (*Page[*User], error) {
	asked := us.asking("Search")
	if err := asked.ask(ctx); err != nil {
		return nil, err
	}
	sq, err := q.forStore()
	if err != nil {
		return nil, err
	}
	limit := sq.Limit
	sq.Limit++ // one more tells whether there is a next page
	models, err := us.store.UserPage(ctx, sq)
	if err != nil {
		return nil, err
	}
	p := &Page[*User]{Items: make([]*User, 0, min(len(models), limit))}
	for _, m := range models[:min(len(models), limit)] {
		p.Items = append(p.Items, bind(m))
	}
	if len(models) > limit {
		last := p.Items[limit-1]
		p.Next = encodeCursor(sq.digest(), last.NameKey, int64(last.ID))
	}
	if p.Items, err = asked.visible(ctx, p.Items); err != nil {
		return nil, err
	}
	return p, nil
}

// Count returns how many users match the pattern and state of q. It reads them
// all, so it costs what that costs. It returns an [InvalidError] of [FieldPattern]
// or [FieldState].
func (us *Users) Count(ctx context.Context, q Query) (int, error) {
	if err := us.ask(ctx, "Count"); err != nil {
		return 0, wrap("count users", 0, err)
	}
	q.Cursor, q.Limit = "", 0
	sq, err := q.forStore()
	if err != nil {
		return 0, wrap("count users", 0, err)
	}
	n, err := us.store.CountUsers(ctx, sq)
	return n, wrap("count users", 0, err)
}

// All yields every active user in the order of the canonical names. It reads
// page by page and holds nothing open in between, so the loop may write. An
// error comes once, as the last pair.
func (us *Users) All(ctx context.Context) iter.Seq2[*User, error] {
	return us.Each(ctx, Query{})
}

// Each is All for the users that match q. q.Limit is the size of the pages,
// not the number of users.
func (us *Users) Each(ctx context.Context, q Query) iter.Seq2[*User, error] {
	if q.Limit == 0 {
		q.Limit = maxLimit
	}
	return func(yield func(*User, error) bool) {
		for {
			p, err := us.Search(ctx, q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, u := range p.Items {
				if !yield(u, nil) {
					return
				}
			}
			if p.Next == "" {
				return
			}
			q.Cursor = p.Next
		}
	}
}

// forStore checks q and brings it into the form that stores are asked in.
func (q Query) forStore() (UserQuery, error) {
	sq := UserQuery{State: q.State, Limit: q.Limit}
	var errs []error
	if err := checkText(FieldPattern, q.Pattern, 4*maxPatternSize, maxPatternSize); err != nil {
		errs = append(errs, err)
	} else {
		sq.Contains = foldSearch(q.Pattern)
	}
	if q.State >= statesEnd {
		errs = append(errs, invalid(FieldState, ReasonUnknown))
	}
	switch {
	case q.Limit == 0:
		sq.Limit = defaultLimit
	case q.Limit < 0:
		errs = append(errs, invalid(FieldLimit, ReasonNotPositive))
	case q.Limit > maxLimit:
		errs = append(errs, invalid(FieldLimit, ReasonTooLong))
	}
	if q.Cursor != "" {
		key, id, ok := decodeCursor(sq.digest(), q.Cursor)
		if sq.AfterKey, sq.AfterID = key, UserID(id); !ok || key == "" || id <= 0 {
			errs = append(errs, invalid(FieldCursor, ReasonSyntax))
		}
	}
	return sq, errors.Join(errs...)
}

// searchText is what a pattern is looked for in. The separator is a character
// that no pattern contains.
func searchText(u *User) string {
	return foldSearch(u.Name) + "\x1f" + foldSearch(u.RealName)
}

// A cursor is a version byte, eight bytes that bind it to its query, the ID and
// the key of the last row.
const (
	cursorVersion = 1
	cursorHead    = 1 + 8 + 8
	maxCursor     = 1024
)

func encodeCursor(digest []byte, key string, id int64) string {
	b := append([]byte{cursorVersion}, digest...)
	b = binary.BigEndian.AppendUint64(b, uint64(id))
	return base64.RawURLEncoding.EncodeToString(append(b, key...))
}

func decodeCursor(digest []byte, cursor string) (key string, id int64, ok bool) {
	if len(cursor) > maxCursor {
		return "", 0, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) < cursorHead || b[0] != cursorVersion || string(b[1:9]) != string(digest) {
		return "", 0, false
	}
	key = string(b[cursorHead:])
	if checkText(FieldCursor, key, maxCursor, maxCursor) != nil {
		return "", 0, false
	}
	return key, int64(binary.BigEndian.Uint64(b[9:cursorHead])), true
}

// digest stands for what the query asks, apart from the page.
func (q UserQuery) digest() []byte {
	sum := sha256.Sum256(append([]byte{byte(q.State)}, q.Contains...))
	return sum[:8]
}
