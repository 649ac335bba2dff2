package sqlite

import (
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// driverWait is how long a connection waits by itself before it says that the
// database is locked. It does not stop when a context ends, so it is short, and
// the rest of the waiting is done above.
const driverWait = 100 * time.Millisecond

// uri is the DSN of the driver for a file. What is durable is on the disk when
// a commit returns. What is there already is not made.
func uri(path string, durable, there bool) (string, error) {
	abs, err := filepath.Abs(path) // the program may change its directory
	if err != nil {
		return "", unavailable("the path cannot be used", err)
	}
	if strings.ContainsRune(abs, 0) {
		return "", unavailable("the path holds a NUL", nil)
	}
	abs = filepath.ToSlash(abs)
	if !strings.HasPrefix(abs, "/") { // C:/…
		abs = "/" + abs
	}
	synchronous := "FULL"
	if !durable {
		synchronous = "OFF"
	}
	query := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(" + strconv.FormatInt(driverWait.Milliseconds(), 10) + ")",
		"foreign_keys(1)", "journal_mode(WAL)", "synchronous(" + synchronous + ")",
	}}
	if there {
		query.Set("mode", "rw")
	}
	return (&url.URL{Scheme: "file", Path: abs, RawQuery: query.Encode()}).String(), nil
}
