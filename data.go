package roster

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"unicode/utf8"
)

// Data is a bag of JSON values for what needs no column. Read and write it by
// a [Field]. What it may hold is checked when the user is written: 64 KiB,
// 1,000 keys, 32 levels deep, no NUL, no duplicate keys, numbers as they stand.
type Data map[string]json.RawMessage

// Field is the typed key of a value in [User.Data], or in another bag, see
// [Field.In]:
//
//	const Plan = roster.Field[string]("plan")
//
//	err := Plan.Set(u, "pro")
//	plan := Plan.Get(u)
type Field[T any] string

// The fields that roster itself gives a meaning.
const (
	// RegistrationSource says by which door the user came: "email",
	// "command_line", the name of a provider. Register writes it, from
	// NewUser.Source.
	RegistrationSource Field[string] = "registration_source"

	// FirstLogin says that the user has yet to see what a newcomer is shown. It is
	// set where a directory or an outside identity brings somebody new, and cleared
	// when they come again in that way; else the program sets and clears it.
	FirstLogin Field[bool] = "first_login"

	// FullName is for programs that keep a longer form of the name than RealName.
	FullName Field[string] = "full_name"

	// Social is for what each outside provider said, by provider, in accounts that
	// another system has made. What SignInWith is told is in [UserIdentity.Data].
	Social Field[map[string]json.RawMessage] = "social"
)

// Get returns the value, or the zero T if there is none or it is no T: also if it
// is an object with a key that differs from the name of a field of T only by case.
func (f Field[T]) Get(m Model) T {
	v, _ := f.Lookup(m)
	return v
}

// Lookup is Get, and reports whether there is a value that is a T.
func (f Field[T]) Lookup(m Model) (T, bool) { return f.In(m.RosterUser().Data) }

// In is Lookup in any other bag: of [Group.Data], [UserIdentity.Data] or
// [Event.Details].
//
//	permissions, ok := roster.Field[[]roster.Permission]("permissions").In(e.Details)
func (f Field[T]) In(d Data) (T, bool) {
	var v, zero T
	raw, ok := d[string(f)]
	if !ok || decodeField(raw, &v) != nil {
		return zero, false
	}
	return v, true
}

// Set stores v. The user is not written until Edit or Save does; [Field.Update]
// does it all at once. It fails if v cannot be marshalled.
func (f Field[T]) Set(m Model, v T) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	u := m.RosterUser()
	data := maps.Clone(u.Data) // another copy of u may share the map
	if data == nil {
		data = Data{}
	}
	data[string(f)] = raw
	u.Data = data
	return nil
}

// Delete removes the value.
func (f Field[T]) Delete(m Model) {
	u := m.RosterUser()
	data := maps.Clone(u.Data)
	delete(data, string(f))
	u.Data = data
}

// The limits of Data.
const (
	maxDataBytes  = 64 << 10
	maxDataDepth  = 32
	maxDataKeys   = 1000
	maxDataString = 16 << 10
)

// canonical returns the one spelling of d that every store keeps: compact, nil
// if empty. It does not change d.
func (d Data) canonical() (Data, error) {
	if len(d) == 0 {
		return nil, nil
	}
	if len(d) > maxDataKeys {
		return nil, invalid(FieldData, ReasonTooLong)
	}
	out := make(Data, len(d))
	size := 0
	for key, raw := range d {
		size += len(key) + len(raw)
		if size > maxDataBytes {
			return nil, invalid(FieldData, ReasonTooLong)
		}
		if err := checkDataString(key); err != nil {
			return nil, err
		}
		if err := checkJSON(raw); err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if json.Compact(&b, raw) != nil {
			return nil, invalid(FieldData, ReasonSyntax)
		}
		out[key] = b.Bytes()
	}
	return out, nil
}

// encode is d as a JSON object, by key, every value as it stands.
func (d Data) encode() (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// checkJSON refuses what databases disagree on: NUL, lone surrogates, invalid
// UTF-8, duplicate keys; and what is too deep or too long.
func checkJSON(raw []byte) error {
	if !utf8.Valid(raw) {
		return invalid(FieldData, ReasonEncoding)
	}
	if !json.Valid(raw) {
		return invalid(FieldData, ReasonSyntax)
	}
	type level struct {
		object bool
		key    bool // the next token is a key
		keys   map[string]bool
	}
	var stack []level
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return invalid(FieldData, ReasonSyntax)
		}
		top := len(stack) - 1
		isKey := top >= 0 && stack[top].object && stack[top].key
		switch tok := tok.(type) {
		case json.Delim:
			if tok == '{' || tok == '[' {
				if len(stack) == maxDataDepth {
					return invalid(FieldData, ReasonTooLong)
				}
				stack = append(stack, level{object: tok == '{', key: tok == '{', keys: map[string]bool{}})
				continue
			}
			stack = stack[:top]
			top--
		case string:
			if err := checkDataString(tok); err != nil {
				return err
			}
			if isKey {
				if stack[top].keys[tok] || len(stack[top].keys) == maxDataKeys {
					return invalid(FieldData, ReasonSyntax)
				}
				stack[top].keys[tok] = true
				stack[top].key = false
				continue
			}
		}
		if top >= 0 && stack[top].object {
			stack[top].key = true // that was a value
		}
	}
}

// checkDataString refuses NUL, and U+FFFD, which is what a lone surrogate
// becomes.
func checkDataString(s string) error {
	if len(s) > maxDataString {
		return invalid(FieldData, ReasonTooLong)
	}
	for _, r := range s {
		if r == 0 || r == utf8.RuneError {
			return invalid(FieldData, ReasonCharacter)
		}
	}
	return nil
}
