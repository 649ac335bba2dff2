package password

import (
	"strings"

	"golang.org/x/crypto/argon2"
)

// readArgon2 reads the PHC strings of argon2 that [Argon2id] does not: argon2i,
// and argon2id that another program spelled in its own way.
func readArgon2(s, rest string) (foreign, bool) {
	parts := strings.Split(rest, "$")
	if len(parts) != 5 || parts[1] != "v=19" {
		return foreign{}, false
	}
	var compute func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte
	switch parts[0] {
	case "i":
		compute = argon2.Key
	case "id":
		compute = argon2.IDKey
	default:
		return foreign{}, false
	}
	cost, ok := parseCost(parts[2])
	if !ok || cost.check() != nil || strings.Contains(parts[2], "=0") || strings.Count(parts[2], ",") != 2 {
		return foreign{}, false
	}
	salt, ok := unbase64(phcBase64, parts[3], minSalt, maxSalt)
	tag, ok2 := unbase64(phcBase64, parts[4], minTag, maxTag)
	return foreign{
		format: "argon2" + parts[0], setting: zeroed(s, parts[4], 'A'), tag: tag, memory: cost.memory(), fast: cost.memory() < 1<<20,
		derive: func(_ *Hasher, password []byte) ([]byte, error) {
			return compute(password, salt, cost.Time, cost.MemoryKiB, cost.Threads, uint32(len(tag))), nil
		},
	}, ok && ok2
}
