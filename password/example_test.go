package password_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-roster/roster/password"
)

func Example() {
	ctx := context.Background()
	hasher := password.Argon2id{} // the default cost

	// Setting a password.
	prepared, err := password.Prepare("Cafe\u0301 au lait, s'il vous plait")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := (password.Policy{}).Check(prepared); err != nil {
		fmt.Println(err)
		return
	}
	hash, err := hasher.Hash(ctx, prepared)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(hash[:31])

	// Signing in, on another keyboard.
	prepared, err = password.Prepare("Caf\u00e9 au lait, s'il vous plait")
	if err != nil {
		fmt.Println(err)
		return
	}
	ok, rehash, err := hasher.Verify(ctx, hash, prepared)
	fmt.Println(ok, rehash, err)

	// Output:
	// $argon2id$v=19$m=19456,t=2,p=1$
	// true false <nil>
}

func ExamplePolicy() {
	err := password.NIST().Check("only 12 long")
	var refused *password.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason)
	}
	// Output: too_short
}
