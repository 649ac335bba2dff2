package password

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
)

const lineBuffer = 64 << 10

// ReadSHA1 adds the lines of a list such as Have I Been Pwned gives away: 40 hex
// digits of a SHA-1, a colon, and how often that was seen. Those that were seen
// less often than least are passed over; without a number it is once. It reads
// line by line, and returns how many it added.
//
// It returns the error of r, or one that names the first line that has another
// form. What was added before stays.
func (f *Filter) ReadSHA1(r io.Reader, least int) (added int, err error) {
	err = eachLine(r, func(n int, line []byte) error {
		line = bytes.TrimSpace(line)
		digits, count, counted := bytes.Cut(line, []byte(":"))
		var sum [sha1.Size]byte
		seen, err := 1, error(nil)
		if counted {
			seen, err = strconv.Atoi(string(count))
		}
		if len(line) == 0 {
			return nil
		}
		if len(digits) != 2*len(sum) || err != nil {
			return fmt.Errorf("password: line %d is not a SHA-1 and a number", n)
		}
		if _, err := hex.Decode(sum[:], digits); err != nil {
			return fmt.Errorf("password: line %d is not a SHA-1 and a number", n)
		}
		if seen >= least {
			f.AddSHA1(sum)
			added++
		}
		return nil
	})
	return added, err
}

// ReadPlain adds the lines of a list of passwords as they are typed. Those that
// nobody can set here, since [Prepare] refuses them, are passed over. It reads
// line by line, and returns how many it added, and the error of r.
func (f *Filter) ReadPlain(r io.Reader) (added int, err error) {
	err = eachLine(r, func(_ int, line []byte) error {
		if prepared, err := Prepare(string(line)); err == nil {
			f.Add(prepared)
			added++
		}
		return nil
	})
	return added, err
}

// eachLine calls fn with each line, without its end (LF or CR LF). Of one that
// is longer than any password, fn gets the beginning, which is so too.
func eachLine(r io.Reader, fn func(n int, line []byte) error) error {
	in := bufio.NewReaderSize(r, lineBuffer)
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		ended := err == nil
		if len(line) > 0 {
			line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
			if err := fn(n, line); err != nil {
				return err
			}
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
			ended = err == nil
		}
		switch {
		case ended:
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
	}
}
