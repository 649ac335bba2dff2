package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-roster/roster"
)

// TestMain makes the test binary the program itself when a test starts it.
func TestMain(m *testing.M) {
	if os.Getenv("BE_HOSTTX") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func Example() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Ann signs up: the user and the customer are one transaction of roster.
	//   users 1, customers 1, invoices 0, welcomed 1
	// Ben asks for a plan that there is not: he is no user either.
	//   users 1, customers 1, invoices 0, welcomed 1
	// Cat buys without an account: one is made in the shop's own transaction.
	//   users 2, customers 1, invoices 1, welcomed 2
	// Dan buys for nothing, which the table of invoices refuses: no trace of him.
	//   users 2, customers 1, invoices 1, welcomed 2
	// Somebody buys by a name that is taken: the invoice goes to the account that is there.
	//   the same user: true
	//   users 2, customers 1, invoices 2, welcomed 2
	// Who has invoices cannot be purged; who has none takes the customer along.
	//   cat: refused, referenced
	//   users 1, customers 0, invoices 2, welcomed 2
}

func TestProgram(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "BE_HOSTTX=1", "TMPDIR="+tmp)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 || strings.Count(string(out), "\n") != 14 {
		t.Errorf("%v\n%s%s", err, out, &stderr)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	cmd = exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "BE_HOSTTX=1", "TMPDIR="+filepath.Join(tmp, "none"))
	if out, err := cmd.CombinedOutput(); err == nil || !strings.HasPrefix(string(out), "hosttx: ") {
		t.Errorf("without a directory: %v, %s", err, out)
	}
}

// What the shop has is there again when it is opened again.
func TestReopen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a shop?.db")
	for i := range 2 {
		shop, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := shop.Buy(t.Context(), "ann", "ann@example.org", 100); err != nil {
			t.Fatal(err)
		}
		n, err := shop.Count(t.Context())
		if want := (Counts{Users: 1, Invoices: i + 1}); err != nil || n != want {
			t.Errorf("%+v, %v, want %+v", n, err, want)
		}
		if err := shop.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

// Many people sign up and buy at once; every invoice has a user.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	shop, err := Open(t.Context(), filepath.Join(t.TempDir(), "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer shop.Close()
	const people = 3 // the last of them waits for the hashes of all others
	var wg sync.WaitGroup
	for i := range people {
		name := fmt.Sprint("person", i)
		wg.Go(func() {
			_, err := shop.SignUp(t.Context(), name, name+"@example.org", "free")
			if err != nil && !errors.Is(err, roster.ErrConflict) {
				t.Errorf("%s signs up: %v", name, err)
			}
		})
		wg.Go(func() {
			if _, err := shop.Buy(t.Context(), name, name+"@example.org", 100); err != nil {
				t.Errorf("%s buys: %v", name, err)
			}
		})
	}
	wg.Wait()
	n, err := shop.Count(t.Context())
	if err != nil || n.Users != people || n.Invoices != people || n.Customers > people || shop.Welcomed() != people {
		t.Errorf("%+v, %v, welcomed %d", n, err, shop.Welcomed())
	}
}
