// Package password prepares, judges, hashes and verifies passwords.
//
// A password goes through three steps, each of which stands alone:
//
//	prepared, err := password.Prepare(typed)          // limits, encoding, one form of every letter
//	err = password.Policy{}.Check(prepared, name)     // long enough, not common, not expected?
//	hash, err := password.Argon2id{}.Hash(ctx, prepared)
//
// and at sign-in through two:
//
//	prepared, err := password.Prepare(typed)
//	ok, rehash, err := password.Argon2id{}.Verify(ctx, hash, prepared)
//
// [Prepare] is the same at both, so that what one keyboard sends matches what
// another one sent. [Policy] is asked only when a password is set: a stricter
// policy never locks out somebody who has a password already.
//
// Where nothing can be verified, because nobody has that name or no password is
// set, verify against [Argon2id.Dummy], so that the refusal takes as long as any other.
//
// Hashes are PHC strings, which name their own algorithm and cost:
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>
//
// Hashers, policies and generators are plain values, usable as their zero value.
// Everything is safe for concurrent use. No error text carries a password or a
// part of a hash.
//
// # Memory
//
// One hash takes as much memory as its parameters say, 19 MiB by default. Who
// hashes for many at once lets them in by a [Gate].
package password
