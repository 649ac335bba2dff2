package roster

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
)

var errSpelling = errors.New("a key is spelt in another way")

// decodeField is [json.Unmarshal], but for keys of objects that would fill a field
// of a struct whose name is spelt in another case: there they are an error, so
// that what one program has checked under one name is not read by another under
// a second one.
func decodeField(raw []byte, to any) error {
	if err := json.Unmarshal(raw, to); err != nil {
		return err
	}
	return checkSpelling(raw, reflect.TypeOf(to).Elem())
}

func checkSpelling(raw []byte, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return nil // it reads by itself
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		var list []json.RawMessage
		if mayHold(t.Elem()) && json.Unmarshal(raw, &list) == nil {
			for _, item := range list {
				if err := checkSpelling(item, t.Elem()); err != nil {
					return err
				}
			}
		}
	case reflect.Map:
		var object map[string]json.RawMessage
		if mayHold(t.Elem()) && json.Unmarshal(raw, &object) == nil {
			for _, item := range object {
				if err := checkSpelling(item, t.Elem()); err != nil {
					return err
				}
			}
		}
	case reflect.Struct:
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return nil // null
		}
		fields := map[string]reflect.Type{}
		for _, f := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				name = f.Name
			}
			fields[name] = f.Type
		}
		for key, item := range object {
			if of, ok := fields[key]; ok {
				if err := checkSpelling(item, of); err != nil {
					return err
				}
				continue
			}
			for name := range fields {
				if strings.EqualFold(name, key) {
					return errSpelling
				}
			}
		}
	}
	return nil
}

// mayHold reports whether a value of the type may have keys.
func mayHold(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map, reflect.Struct:
		return true
	}
	return false
}
