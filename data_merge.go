package roster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// MergeData writes some keys of [User.Data] and leaves the others as they are
// stored: each value of changes becomes that of its key, and null removes the
// key. Of many who merge at once, whoever, each has effect: nobody writes back
// what somebody else has changed meanwhile. It does nothing if all is so already.
// It returns ErrNotFound, or an [InvalidError] of [FieldData], also if it would be
// too much together; and through [Users.For], for a key of
// Options.ReservedDataKeys on the own account, ErrForbidden.
func (us *Users) MergeData(ctx context.Context, id UserID, changes Data) error {
	return wrap("merge data of user", id, us.mergeData(ctx, id, changes))
}

func (us *Users) mergeData(ctx context.Context, id UserID, changes Data) error {
	if err := us.askAbout(ctx, "MergeData", id); err != nil {
		return err
	}
	changes, err := changes.canonical()
	if err != nil {
		return err
	}
	return us.changeData(ctx, id, true, func(data Data) error {
		for key, raw := range changes {
			if string(raw) == "null" {
				delete(data, key)
			} else {
				data[key] = raw
			}
		}
		return nil
	})
}

// Update reads the value of a user, the zero T if there is none, lets fn
// change it, and writes it, in one transaction that nobody else can change it in
// meanwhile. fn may run more than once. Its error ends the update; the others are
// those of [Users.MergeData], and an InvalidError of [FieldData] with
// [ReasonSyntax] if there is a value that is no T.
func (f Field[T]) Update(ctx context.Context, us *Users, id UserID, fn func(v T) (T, error)) error {
	return wrap("update data of user", id, us.changeData(ctx, id, false, func(data Data) error {
		var v T
		if raw, ok := data[string(f)]; ok {
			if err := decodeField(raw, &v); err != nil {
				return invalid(FieldData, ReasonSyntax)
			}
		}
		v, err := fn(v)
		if err != nil {
			return err
		}
		data[string(f)], err = json.Marshal(v)
		return err
	}))
}

// changeData writes what fn makes of the data of a user, if that is anything else.
// A blind fn does not look at it, so it may change what the actor may not see.
func (us *Users) changeData(ctx context.Context, id UserID, blind bool, fn func(Data) error) error {
	const verb = "MergeData"
	return us.live(ctx, verb, id, func(ctx context.Context, m Model) error {
		u := m.RosterUser()
		before := *u
		e, err := us.editOf(ctx, verb, u)
		if err != nil {
			return err
		}
		e.hidden = e.hidden && !blind
		e.hide(u)
		if u.Data = u.Data.clone(); u.Data == nil {
			u.Data = Data{}
		}
		if err := fn(u.Data); err != nil {
			return err
		}
		if err := e.check(ctx, u, nil); err != nil {
			return err
		}
		data, err := u.Data.canonical()
		if err != nil || sameData(data, before.Data) {
			return err
		}
		return us.write(ctx, m, &before)
	})
}

// ownDataKeys are reserved everywhere.
var ownDataKeys = []string{string(RegistrationSource), string(FirstLogin), string(Social)}

// checkDataKeys refuses what no key of Data can be.
func checkDataKeys(keys []string) error {
	var errs []error
	for _, key := range keys {
		if strings.Trim(key, "*") == "" || strings.Contains(strings.TrimSuffix(key, "*"), "*") || checkDataString(key) != nil {
			errs = append(errs, fmt.Errorf("%q is neither a key nor the beginning of keys and a *", key))
		}
	}
	return errors.Join(errs...)
}

// reservedData reports whether a key is not for everybody to write on their own
// account: in any case, since a program that reads all of Data into a struct
// makes no difference between them.
func (us *Users) reservedData(key string) bool {
	key = caseless(key)
	is := func(reserved string) bool {
		beginning, many := strings.CutSuffix(caseless(reserved), "*")
		return beginning == key || many && strings.HasPrefix(key, beginning)
	}
	return slices.ContainsFunc(ownDataKeys, is) || slices.ContainsFunc(us.opts.ReservedDataKeys, is)
}

// caseless is the same for keys that encoding/json takes for the same: "plan",
// "PLAN", and "\u017fize" for "size".
func caseless(key string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, key)
}

// reservedChanged reports whether a key was changed that is reserved.
func (us *Users) reservedChanged(after, before Data) bool {
	for _, d := range []Data{after, before} {
		for key := range d {
			now, is := after[key]
			was, had := before[key]
			if us.reservedData(key) && (is != had || !bytes.Equal(now, was)) {
				return true
			}
		}
	}
	return false
}
