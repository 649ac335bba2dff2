package password

import "strings"

// stored is a stored string in parts: an argon2id hash, one of another system,
// or one that is wrapped into the other.
type stored struct {
	sealed           // zero unless there is argon2id
	foreign *foreign // nil unless there is a hash of another system
	wrapped bool
}

const wrappedPrefix = "$wrapped"

// parseStored reads every kind. All errors wrap ErrHash and none carries any of
// s.
func parseStored(s string) (stored, error) {
	switch {
	case len(s) > maxStored:
		return stored{}, badHash("too long")
	case strings.HasPrefix(s, wrappedPrefix+"$"):
		return parseWrapped(s)
	case strings.HasPrefix(s, pepperPrefix):
		own, err := parseSealed(s)
		return stored{sealed: own}, err
	}
	if own, err := parseSealed(s); err == nil {
		return stored{sealed: own}, nil
	}
	f, err := parseForeign(s)
	return stored{foreign: &f}, err
}

// parseWrapped reads $wrapped, an argon2id hash, a dollar and the stored string
// of another system with zeros for its tag.
func parseWrapped(s string) (stored, error) {
	s = s[len(wrappedPrefix):]
	fields := 6
	if strings.HasPrefix(s, pepperPrefix) {
		fields = 8
	}
	end := 0
	for i := range len(s) {
		if s[i] == '$' {
			if fields--; fields == 0 {
				end = i
				break
			}
		}
	}
	own, err := parseSealed(s[:end])
	if err != nil {
		return stored{}, err
	}
	f, err := parseForeign(s[end+1:])
	if err == nil && f.setting != s[end+1:] {
		err = badHash("not in canonical form")
	}
	return stored{sealed: own, foreign: &f, wrapped: true}, err
}

func (st stored) encode() string {
	if st.wrapped {
		return wrappedPrefix + st.sealed.encode() + "$" + st.foreign.setting
	}
	return st.sealed.encode()
}
