package roster

import (
	"crypto/sha256"
	"iter"
)

// Paging asks for one page of a list. Its zero value is the first one.
type Paging struct {
	Limit  int    // zero means 50, at most 500
	Cursor string // Page.Next of the page before; empty means the first page
}

// Page is one page of what a verb lists, in the order that the verb says.
type Page[T any] struct {
	Items []T
	Next  string // the cursor of the next page; empty on the last one
}

// EachPage yields all that a verb lists page by page, with nothing held open in
// between; [Users.All] and [Users.Each] do so for users. An error comes once, as the
// last pair:
//
//	for id, err := range roster.EachPage(func(p roster.Paging) (*roster.Page[roster.UserID], error) {
//		return users.WhoCan(ctx, "vote", 0, roster.GlobalOnly, p)
//	}) { … }
func EachPage[T any](page func(Paging) (*Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for p := (Paging{Limit: maxLimit}); ; {
			l, err := page(p)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range l.Items {
				if !yield(item, nil) {
					return
				}
			}
			if l.Next == "" {
				return
			}
			p.Cursor = l.Next
		}
	}
}

// limit checks how many are asked for.
func (p Paging) limit() (int, error) {
	switch {
	case p.Limit == 0:
		return defaultLimit, nil
	case p.Limit < 0:
		return 0, invalid(FieldLimit, ReasonNotPositive)
	case p.Limit > maxLimit:
		return 0, invalid(FieldLimit, ReasonTooLong)
	}
	return p.Limit, nil
}

// pageOf makes one page. what says what is asked, without the page: a cursor is
// good for nothing else. read returns rows after a key and an ID, at most so
// many; place is where a row stands.
func pageOf[T any](
	p Paging, what string, read func(key string, id int64, limit int) ([]T, error), place func(T) (key string, id int64),
) (*Page[T], error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(what))
	var key string
	id := int64(firstID)
	if p.Cursor != "" {
		var ok bool
		if key, id, ok = decodeCursor(sum[:8], p.Cursor); !ok {
			return nil, invalid(FieldCursor, ReasonSyntax)
		}
	}
	rows, err := read(key, id, limit+1) // one more tells whether there is a next page
	if err != nil {
		return nil, err
	}
	l := &Page[T]{Items: rows[:min(len(rows), limit):min(len(rows), limit)]}
	if len(rows) > limit {
		at, lastID := place(rows[limit-1])
		l.Next = encodeCursor(sum[:8], at, lastID)
	}
	return l, nil
}

// firstID stands before the ID of every row.
const firstID = -1 << 63
