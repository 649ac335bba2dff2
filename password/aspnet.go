package password

import (
	"encoding/base64"
	"encoding/binary"
)

// readASPNET reads $aspnet$ and the base64 that ASP.NET Identity stores:
// version 2 is PBKDF2 with SHA-1 and 1000 rounds, version 3 names digest,
// rounds and length of the salt (PasswordHasher.cs of ASP.NET Core).
func readASPNET(_, rest string) (foreign, bool) {
	blob, ok := unbase64(base64.StdEncoding, rest, 1, 512)
	if !ok {
		return foreign{}, false
	}
	format, name, rounds, head, salt := "aspnet-v2", "sha1", uint32(1000), 1, uint32(16)
	switch {
	case blob[0] == 0 && len(blob) == 49:
	case blob[0] == 1 && len(blob) > 13:
		prf := binary.BigEndian.Uint32(blob[1:])
		names := [...]string{"sha1", "sha256", "sha512"}
		if prf >= uint32(len(names)) {
			return foreign{}, false
		}
		format, name, head = "aspnet-v3", names[prf], 13
		rounds, salt = binary.BigEndian.Uint32(blob[5:]), binary.BigEndian.Uint32(blob[9:])
	default:
		return foreign{}, false
	}
	if salt < 8 || salt > maxForSalt || head+int(salt) > len(blob) {
		return foreign{}, false
	}
	at := head + int(salt)
	zeroedBlob := append(blob[:at:at], make([]byte, len(blob)-at)...)
	setting := "$aspnet$" + base64.StdEncoding.EncodeToString(zeroedBlob)
	return pbkdf2Hash(format, setting, name, int(rounds), blob[head:at], blob[at:])
}
