package password

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"slices"
	"sync/atomic"
)

// The form of a filter in a file, all numbers little-endian:
//
//	8 bytes  "roster:B"
//	4        version, 1
//	4        bits that each password sets
//	8        passwords added
//	8        words of 64 bits
//	8 each   the words
//	32       SHA-256 of all of that
const (
	filterMagic   = "roster:B"
	filterVersion = 1
	filterHeader  = 32
	filterChunk   = 8192 // words

	defaultFilterBytes = 1 << 30
)

// WriteTo writes the filter, for [ReadFilter]. Nothing should be added
// meanwhile. It returns what w returns.
func (f *Filter) WriteTo(w io.Writer) (int64, error) {
	sum := sha256.New()
	out := &counting{w: io.MultiWriter(w, sum)}
	b := []byte(filterMagic)
	b = binary.LittleEndian.AppendUint32(b, filterVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(f.hashes))
	b = binary.LittleEndian.AppendUint64(b, f.added.Load())
	b = binary.LittleEndian.AppendUint64(b, uint64(len(f.words)))
	_, err := out.Write(b)
	for at := 0; at < len(f.words) && err == nil; at += filterChunk {
		b = b[:0]
		for i := range f.words[at:min(at+filterChunk, len(f.words))] {
			b = binary.LittleEndian.AppendUint64(b, atomic.LoadUint64(&f.words[at+i]))
		}
		_, err = out.Write(b)
	}
	if err == nil {
		_, err = out.Write(sum.Sum(nil))
	}
	return out.n, err
}

type counting struct {
	w io.Writer
	n int64
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// ReadFilter reads all of r, which a Filter has written. A filter that takes
// more than most bytes is refused; zero means 1 GiB. No more memory is taken
// than twice what r has delivered, whatever it says about itself.
//
// The error wraps [ErrFilter], or is that of r.
func ReadFilter(r io.Reader, most int64) (*Filter, error) {
	sum := sha256.New()
	header := make([]byte, filterHeader)
	if err := readSummed(r, sum, header); err != nil {
		return nil, err
	}
	if string(header[:8]) != filterMagic {
		return nil, badFilter("it begins with something else")
	}
	version := binary.LittleEndian.Uint32(header[8:])
	hashes := binary.LittleEndian.Uint32(header[12:])
	added := binary.LittleEndian.Uint64(header[16:])
	words := binary.LittleEndian.Uint64(header[24:])
	switch {
	case version != filterVersion:
		return nil, badFilter(fmt.Sprintf("version %d", version))
	case hashes < 1 || hashes > maxHashes || words < 1 || words > math.MaxInt/64 || added > math.MaxInt:
		return nil, badFilter("numbers out of bounds")
	case words > uint64(max(0, cmp.Or(most, defaultFilterBytes)))/8:
		return nil, badFilter(fmt.Sprintf("it has %d words of 8 bytes, which is over the limit", words))
	}
	f := &Filter{hashes: int(hashes)}
	f.added.Store(added)
	chunk := make([]byte, 8*min(words, filterChunk))
	for left := int(words); left > 0; left -= len(chunk) / 8 {
		chunk = chunk[:8*min(left, filterChunk)]
		if err := readSummed(r, sum, chunk); err != nil {
			return nil, err
		}
		f.words = slices.Grow(f.words, len(chunk)/8)
		for at := 0; at < len(chunk); at += 8 {
			f.words = append(f.words, binary.LittleEndian.Uint64(chunk[at:]))
		}
	}
	want := sum.Sum(nil)
	got := make([]byte, len(want)+1)
	switch n, err := io.ReadFull(r, got); {
	case err == nil:
		return nil, badFilter("something follows it")
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, err
	case !bytes.Equal(got[:n], want):
		return nil, badFilter("wrong checksum")
	}
	return f, nil
}

func readSummed(r io.Reader, sum hash.Hash, b []byte) error {
	_, err := io.ReadFull(r, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return badFilter("it ends too early")
	}
	sum.Write(b)
	return err
}

func badFilter(why string) error { return fmt.Errorf("%w: %s", ErrFilter, why) }
