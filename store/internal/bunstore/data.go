package bunstore

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/go-roster/roster"
)

// data scans a JSON object. NULL is nil.
type data roster.Data

// Scan implements [sql.Scanner].
func (d *data) Scan(src any) error {
	var raw []byte
	switch src := src.(type) {
	case nil:
		*d = nil
		return nil
	case string:
		raw = []byte(src)
	case []byte:
		raw = src
	}
	*d = nil
	return json.Unmarshal(raw, (*map[string]json.RawMessage)(d))
}

// encodeData returns the JSON object with every value as it stands, which
// [json.Marshal] does not; NULL if it is empty.
func encodeData(d roster.Data) (any, error) {
	if len(d) == 0 {
		return nil, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		return nil, &roster.InvalidError{Field: roster.FieldData, Reason: roster.ReasonSyntax}
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
