package roster_test

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-roster/roster"
	"github.com/go-roster/roster/rostertest"
)

// own are the fields that everybody may change on their own account. Every other
// field of User is refused, those that are yet to come too.
var own = []string{"RealName", "Locale", "Timezone", "Data"}

// changed returns a copy of u with one field changed.
func changed(t *testing.T, u roster.User, field string) roster.User {
	t.Helper()
	v := reflect.ValueOf(&u).Elem().FieldByName(field)
	switch x := v.Addr().Interface().(type) {
	case *string:
		*x += "x"
		switch field {
		case "Locale":
			*x = map[bool]string{true: "de", false: "fr"}[*x == "fr"+"x"]
		case "Timezone":
			*x = map[bool]string{true: "Europe/Rome", false: "Europe/Paris"}[*x == "Europe/Paris"+"x"]
		}
	case *bool:
		*x = !*x
	case *time.Time:
		*x = x.Add(time.Hour)
	case *roster.UserID:
		*x++
	case *int64:
		*x++
	case *uuid.UUID:
		*x = uuid.New()
	case *roster.Flags:
		*x ^= roster.FlagNeverClean
	case *roster.Data:
		*x = maps.Clone(*x)
		(*x)["theme"] = json.RawMessage(strconv.Itoa(len((*x)["theme"]) + 1))
	default:
		t.Fatalf("how does one change a %T?", x)
	}
	return u
}

func TestOwnFields(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	ann := env.MustRegister("ann")
	hers := env.For(roster.Actor{User: ann.ID})
	read := func(field string) (*roster.User, any) {
		u, err := env.ByID(ctx, ann.ID)
		if err != nil {
			t.Fatal(err)
		}
		return u, reflect.ValueOf(*u).FieldByName(field).Interface()
	}
	users := reflect.TypeFor[roster.User]()
	for i := range users.NumField() {
		field := users.Field(i).Name
		if slices.Contains([]string{"Row", "NameKey", "UpdatedAt", "Version"}, field) { // which follow from the others
			continue
		}
		for verb, do := range map[string]func(u *roster.User) error{
			"Edit": func(*roster.User) error {
				return hers.Edit(ctx, ann.ID, func(u *roster.User) error { *u = changed(t, *u, field); return nil })
			},
			"Save": func(u *roster.User) error {
				saved := changed(t, *u, field)
				return hers.Save(ctx, &saved)
			},
		} {
			before, was := read(field)
			err := do(before)
			_, is := read(field)
			if may := slices.Contains(own, field); may != !reflect.DeepEqual(was, is) {
				t.Errorf("%s of %s: from %v to %v (%v)", verb, field, was, is, err)
			}
		}
	}
}

// What is refused is named, and it is both forbidden and invalid.
func TestOwnFieldsAreNamed(t *testing.T) {
	env := rostertest.New(t)
	ctx := t.Context()
	ann := env.MustRegister("ann")
	hers := env.For(roster.Actor{User: ann.ID})
	for what, c := range map[string]struct {
		edit func(u *roster.User)
		want []string
	}{
		"all that is theirs": {func(u *roster.User) {
			u.RealName, u.Locale, u.Timezone, u.Flags = "Ann", "fr", "Europe/Paris", roster.FlagShowLogin|roster.FlagShowEmail
			_ = roster.FullName.Set(u, "Ann Example")
		}, nil},
		"name and flag": {func(u *roster.User) { u.Name, u.Flags = "anna", u.Flags|roster.FlagNeverClean }, []string{roster.FieldName, roster.FieldFlags}},
		"privileged":    {func(u *roster.User) { u.Flags |= roster.FlagPrivileged }, []string{roster.FieldFlags}},
		"directory":     {func(u *roster.User) { u.DirectoryID = "corp" }, []string{roster.FieldDirectory}},
		"source":        {func(u *roster.User) { _ = roster.RegistrationSource.Set(u, "staff") }, []string{roster.FieldData}},
		"source in the map itself": {func(u *roster.User) {
			copy(u.Data[string(roster.RegistrationSource)], `"other"`)
		}, []string{roster.FieldData}},
		"source away": {func(u *roster.User) { u.Data = nil }, []string{roster.FieldData}},
	} {
		err := hers.Edit(ctx, ann.ID, func(u *roster.User) error { c.edit(u); return nil })
		if c.want == nil {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		var fields []string
		for _, e := range roster.InvalidFields(err) {
			fields = append(fields, e.Field)
		}
		if !errors.Is(err, roster.ErrForbidden) || !slices.Equal(fields, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := env.Edit(ctx, ann.ID, func(u *roster.User) error { u.Flags |= roster.FlagReadOnly; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := hers.Edit(ctx, ann.ID, func(u *roster.User) error { u.RealName = "Other"; return nil }); !errors.Is(err, roster.ErrForbidden) {
		t.Errorf("read only: %v", err)
	}
	if err := hers.ChangePassword(ctx, ann.ID, rostertest.Password, "correct horse battery staple"); err != nil {
		t.Errorf("the password of who is read only: %v", err)
	}
}
