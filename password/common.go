package password

import (
	"bytes"
	"compress/gzip"
	_ "embed" // of the list
	"io"
	"strings"
	"sync"
)

// commonList is 49,233 passwords in lower case, sorted, one a line. See NOTICE
// for where it is from.
//
//go:embed common.txt.gz
var commonList []byte

const commonSize = 388158 // bytes, unpacked

// commonText is the list unpacked, at the first use, in some milliseconds.
var commonText = sync.OnceValue(func() string {
	r, err := gzip.NewReader(bytes.NewReader(commonList))
	if err == nil {
		var text strings.Builder
		text.Grow(commonSize)
		if _, err = io.Copy(&text, r); err == nil {
			return text.String()
		}
	}
	panic("password: the list of common passwords is corrupt: " + err.Error()) // so is the program
})

// Common reports whether a password that came out of [Prepare] is among 49,233
// that people use most, by the list of zxcvbn-ts: exactly, whatever its case, or
// once digits and signs that stand for letters are read as these (p4$$w0rd).
func Common(prepared string) bool {
	for _, s := range spellings(prepared) {
		if listed(commonText(), s) {
			return true
		}
	}
	return false
}

// listed looks for a line in sorted text by halving it, with no index beside it.
func listed(text, line string) bool {
	lo, hi := 0, len(text) // both are where a line begins
	for lo < hi {
		mid := lo + (hi-lo)/2
		begin := lo + strings.LastIndexByte(text[lo:mid], '\n') + 1
		end := begin + strings.IndexByte(text[begin:], '\n')
		switch strings.Compare(text[begin:end], line) {
		case 0:
			return true
		case -1:
			lo = end + 1
		default:
			hi = begin
		}
	}
	return false
}
