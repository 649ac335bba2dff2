package password_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/go-roster/roster/password"
)

func newFilter(t testing.TB, n int, rate float64) *password.Filter {
	t.Helper()
	f, err := password.NewFilter(n, rate)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFilter(t *testing.T) {
	const n, others = 20_000, 200_000
	for _, rate := range []float64{0.5, 0.01, 0, 0.0001} {
		f := newFilter(t, n, rate)
		for i := range n {
			f.Add(fmt.Sprintf("password %d", i))
		}
		for i := range n {
			if !f.Has(fmt.Sprintf("password %d", i)) {
				t.Fatalf("rate %g: password %d is not found", rate, i)
			}
		}
		wrong := 0
		for i := range others {
			if f.Has(fmt.Sprintf("another %d", i)) {
				wrong++
			}
		}
		want := rate
		if rate == 0 {
			want = 0.001
		}
		got, sigma := float64(wrong)/others, math.Sqrt(want/others)
		if got > 1.1*want+6*sigma || got < 0.8*want-6*sigma || f.Rate() > 1.2*want || f.Rate() < 0.8*want || f.Len() != n {
			t.Errorf("rate %g: %g are found, it says %g of %d", rate, got, f.Rate(), f.Len())
		}
	}
	f := newFilter(t, 100, 0)
	if f.Has("") || f.Has("anything") || f.Rate() != 0 {
		t.Error("something is in an empty filter")
	}
	for i := range 10_000 { // far more than it was made for
		f.Add(fmt.Sprint(i))
	}
	if !f.Has("0") || f.Rate() < 0.5 {
		t.Errorf("it says %g", f.Rate())
	}
}

func TestFilterServesPolicy(t *testing.T) {
	f := newFilter(t, 10, 1e-9)
	f.Add("correct horse staple")
	policy := password.Policy{Breached: f.Breached}
	if got := reasonOf(t, policy.CheckBreached(t.Context(), "correct horse staple")); got != password.ReasonBreached {
		t.Errorf("got %q", got)
	}
	if err := policy.CheckBreached(t.Context(), "correct horse battery"); err != nil {
		t.Error(err)
	}
}

func TestNewFilter(t *testing.T) {
	for _, tt := range []struct {
		n    int
		rate float64
		ok   bool
	}{
		{1, 0, true},
		{1, 0.5, true},
		{1, 1e-12, true},
		{0, 0, false},
		{-1, 0, false},
		{1<<40 + 1, 0, false},
		{1, 0.51, false},
		{1, 1e-13, false},
		{1, -1, false},
		{1, math.NaN(), false},
		{1, math.Inf(1), false},
	} {
		if f, err := password.NewFilter(tt.n, tt.rate); (err == nil) != tt.ok || (f != nil) != tt.ok {
			t.Errorf("%d, %g: %v", tt.n, tt.rate, err)
		}
	}
}

func TestFilterLists(t *testing.T) {
	hexOf := func(s string) string { return fmt.Sprintf("%X", sha1.Sum([]byte(s))) }
	f := newFilter(t, 100, 1e-9)
	list := hexOf("often") + ":17\r\n" + strings.ToLower(hexOf("small")) + ":3\n" + hexOf("once") + ":1\n" + hexOf("uncounted") + "\n\n" + hexOf("last") + ":2"
	if n, err := f.ReadSHA1(iotest.OneByteReader(strings.NewReader(list)), 2); n != 3 || err != nil {
		t.Error(n, err)
	}
	for s, want := range map[string]bool{"often": true, "small": true, "last": true, "once": false, "uncounted": false, "": false} {
		if f.Has(s) != want {
			t.Errorf("%s: %v", s, f.Has(s))
		}
	}
	if n, err := f.ReadSHA1(strings.NewReader(list), 0); n != 5 || err != nil || !f.Has("uncounted") {
		t.Error(n, err)
	}
	for _, bad := range []string{
		"zz", hexOf("x")[1:] + ":1", hexOf("x") + "0:1", hexOf("x") + ":", hexOf("x") + ":x", hexOf("x") + ":1:1",
		"G" + hexOf("x")[1:] + ":1", hexOf("x") + ":99999999999999999999", strings.Repeat("A", 1<<20), ":1",
	} {
		f := newFilter(t, 100, 1e-9)
		n, err := f.ReadSHA1(strings.NewReader(hexOf("first")+":1\n"+bad+"\n"+hexOf("last")+":1\n"), 0)
		if n != 1 || err == nil || !strings.Contains(err.Error(), "line 2 ") || strings.Contains(err.Error(), "zz") || !f.Has("first") || f.Has("last") {
			t.Errorf("%.50s: %d, %v", bad, n, err)
		}
	}

	f = newFilter(t, 100, 1e-9)
	plain := "first\r\n  with spaces \n\n" + strings.Repeat("x", 1<<20) + "\n" + strings.Repeat("y", 256) + "\nnot \xff UTF-8\nNUL\x00\ncafe\u0301\npass:word\nlast"
	if n, err := f.ReadPlain(iotest.HalfReader(strings.NewReader(plain))); n != 6 || err != nil {
		t.Error(n, err)
	}
	for s, want := range map[string]bool{
		"first": true, "  with spaces ": true, strings.Repeat("y", 256): true, "caf\u00e9": true, "pass:word": true, "last": true,
		"": false, "first\r": false, "cafe\u0301": false, strings.Repeat("x", 1<<20): false, strings.Repeat("x", 64<<10): false,
	} {
		if f.Has(s) != want {
			t.Errorf("%.20q: %v", s, f.Has(s))
		}
	}
	down := errors.New("down")
	for _, read := range []func(io.Reader) (int, error){f.ReadPlain, func(r io.Reader) (int, error) { return f.ReadSHA1(r, 0) }} {
		if n, err := read(io.MultiReader(strings.NewReader(hexOf("x")+"\n"), iotest.ErrReader(down))); n != 1 || !errors.Is(err, down) {
			t.Error(n, err)
		}
	}
}

func written(t testing.TB, f *password.Filter) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := f.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatal(n, err)
	}
	return b.Bytes()
}

func TestFilterFile(t *testing.T) {
	f := newFilter(t, 50_000, 0) // several chunks, and a part of one
	for i := range 50_000 {
		f.Add(fmt.Sprint(i))
	}
	file := written(t, f)
	g, err := password.ReadFilter(iotest.OneByteReader(bytes.NewReader(file)), 0)
	if err != nil {
		t.Fatal(err)
	}
	if g.Len() != f.Len() || g.Rate() != f.Rate() || !bytes.Equal(written(t, g), file) {
		t.Errorf("%d, %g", g.Len(), g.Rate())
	}
	for i := range 50_000 {
		if !g.Has(fmt.Sprint(i)) {
			t.Fatalf("%d is lost", i)
		}
	}
	g.Add("one more")
	if !g.Has("one more") {
		t.Error("nothing can be added")
	}
	size := int64(len(file) - 32 - 32)
	if _, err := password.ReadFilter(bytes.NewReader(file), size); err != nil {
		t.Errorf("exactly the limit: %v", err)
	}
	for _, most := range []int64{size - 8, 1, -1} {
		if _, err := password.ReadFilter(bytes.NewReader(file), most); !errors.Is(err, password.ErrFilter) {
			t.Errorf("limit %d: %v", most, err)
		}
	}
	down := errors.New("down")
	for _, n := range []int{0, 10, 32, 40, len(file) - 1} {
		r := io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(down))
		if _, err := password.ReadFilter(r, 0); !errors.Is(err, down) || errors.Is(err, password.ErrFilter) {
			t.Errorf("broken at %d: %v", n, err)
		}
	}
	for _, room := range []int{0, 20, 32, 1000, len(file) - 1} {
		if n, err := f.WriteTo(&fullDisk{room: room}); !errors.Is(err, errFull) || n != int64(room) {
			t.Errorf("a disk with room for %d: %d, %v", room, n, err)
		}
	}
}

var errFull = errors.New("disk full")

type fullDisk struct{ room int }

func (d *fullDisk) Write(b []byte) (int, error) {
	n := min(len(b), d.room)
	d.room -= n
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

// Not a byte may be other than it was written.
func TestFilterFileIsChecked(t *testing.T) {
	f := newFilter(t, 20, 0)
	f.Add("correct horse staple")
	file := written(t, f)
	refused := func(what string, file []byte) {
		t.Helper()
		if f, err := password.ReadFilter(bytes.NewReader(file), 0); !errors.Is(err, password.ErrFilter) || f != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range file {
		changed := bytes.Clone(file)
		changed[i] ^= 1 << (i % 8)
		refused(fmt.Sprint("byte ", i), changed)
		refused(fmt.Sprint("cut at ", i), file[:i])
	}
	refused("more", append(bytes.Clone(file), 0))
	refused("twice", append(bytes.Clone(file), file...))

	// What says that it is huge takes no memory until it is.
	huge := bytes.Clone(file)
	binary.LittleEndian.PutUint64(huge[24:], 1<<27)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	refused("huge", huge)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("it took %d bytes", took)
	}
	binary.LittleEndian.PutUint64(huge[24:], math.MaxUint64)
	refused("as huge as can be", huge)
}

// A file of version 1 is read for ever, and means the same. This one was worked
// out a second time from the description alone.
func TestFilterFileOfVersion1(t *testing.T) {
	const old = "726f737465723a42010000000700000001000000000000000100000000000000" +
		"0040082142080000" +
		"a5e47c1a0e40dfe80ffb72008b47697e85fc29de5afdc6ab2eb8abb89abbe621"
	f := newFilter(t, 4, 0.01)
	f.Add("correct horse staple")
	if got := fmt.Sprintf("%x", written(t, f)); got != old {
		t.Errorf("got %s", got)
	}
}

func TestFilterAtOnce(t *testing.T) {
	f := newFilter(t, 4000, 0)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 1000 {
				s := fmt.Sprint(w, i)
				f.Add(s)
				if !f.Has(s) {
					t.Errorf("%s is lost", s)
				}
			}
		})
	}
	wg.Wait()
	if f.Len() != 4000 {
		t.Errorf("%d were added", f.Len())
	}
}

func FuzzReadFilter(f *testing.F) {
	filter := newFilter(f, 20, 0)
	filter.Add("correct horse staple")
	file := written(f, filter)
	f.Add(file)
	f.Add(file[:40])
	f.Fuzz(func(t *testing.T, b []byte) {
		read, err := password.ReadFilter(bytes.NewReader(b), 1<<20)
		if (err == nil) != (read != nil) || err != nil && !errors.Is(err, password.ErrFilter) {
			t.Fatal(err)
		}
		if err == nil && !bytes.Equal(written(t, read), b) {
			t.Fatal("it is written in another form")
		}
	})
}

func FuzzReadLists(f *testing.F) {
	f.Add([]byte(fmt.Sprintf("%X:3\r\n\n", sha1.Sum(nil))))
	f.Add([]byte("one\ntwo\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		filter := newFilter(t, 100, 0)
		n, _ := filter.ReadSHA1(bytes.NewReader(b), 0)
		m, err := filter.ReadPlain(bytes.NewReader(b))
		if err != nil || filter.Len() != n+m || m > bytes.Count(b, []byte("\n"))+1 {
			t.Fatal(n, m, filter.Len(), err)
		}
	})
}

// A list is read, one line of 45 bytes each, against the bare SHA-1 of each.
func BenchmarkFilter(b *testing.B) {
	f := newFilter(b, 1_000_000, 0)
	f.Add("correct horse battery")
	b.Run("Has", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f.Has("correct horse battery")
		}
	})
	b.Run("ReadSHA1", func(b *testing.B) {
		var list bytes.Buffer
		for i := range 10_000 {
			fmt.Fprintf(&list, "%X:%d\r\n", sha1.Sum([]byte(fmt.Sprint(i))), i)
		}
		b.SetBytes(int64(list.Len()))
		b.ReportAllocs()
		for b.Loop() {
			if n, err := f.ReadSHA1(bytes.NewReader(list.Bytes()), 0); n != 10_000 || err != nil {
				b.Fatal(n, err)
			}
		}
	})
}
