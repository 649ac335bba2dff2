package password

import (
	"strings"

	"golang.org/x/crypto/argon2"
)

// readArgon2 reads the PHC strings of argon2 that [Argon2id] does not: argon2i
// and argon2d, version 1.0 (which needs not be named), and argon2id that another
// program spelled in its own way.
func readArgon2(s, rest string) (foreign, bool) {
	parts := strings.Split(rest, "$")
	if len(parts) == 4 { // before there were versions
		parts = append([]string{parts[0], "v=16"}, parts[1:]...)
	}
	kind, ok := map[string]uint32{"d": typeD, "i": typeI, "id": typeID}[parts[0]]
	if !ok || len(parts) != 5 || parts[1] != "v=19" && parts[1] != "v=16" {
		return foreign{}, false
	}
	cost, ok := parseCost(parts[2])
	if !ok || cost.check() != nil || strings.Contains(parts[2], "=0") || strings.Count(parts[2], ",") != 2 {
		return foreign{}, false
	}
	salt, ok := unbase64(phcBase64, parts[3], minSalt, maxSalt)
	tag, ok2 := unbase64(phcBase64, parts[4], minTag, maxTag)
	return foreign{
		format: "argon2" + parts[0], setting: zeroed(s, parts[4], 'A'), tag: tag, memory: cost.memory(),
		derive: func(_ *Hasher, password []byte) ([]byte, error) {
			switch {
			case parts[1] == "v=16":
				return argon2Key(kind, 16, password, salt, cost, len(tag)), nil
			case kind == typeD:
				return argon2Key(kind, 19, password, salt, cost, len(tag)), nil
			case kind == typeI:
				return argon2.Key(password, salt, cost.Time, cost.MemoryKiB, cost.Threads, uint32(len(tag))), nil
			}
			return argon2.IDKey(password, salt, cost.Time, cost.MemoryKiB, cost.Threads, uint32(len(tag))), nil
		},
	}, ok && ok2
}
