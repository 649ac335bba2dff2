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
// # Other systems
//
// [Hasher] is Argon2id that also verifies what other systems have stored. Tell
// [Import] (or [ImportKeycloak], [ImportFirebase]) where a column comes from: it
// makes of it a string that says by itself what it is, which is never guessed
// from what could be anything. At the next sign-in Verify asks for a new hash;
// [Hasher.Wrap] puts argon2id over the old ones without waiting for that.
//
// Only what is in Unicode NFC, as [Prepare] makes it, is tried: somebody whose
// password another system hashed in another form sets a new one.
//
// Whatever is stored is held to these bounds before anything is computed or
// allocated. They keep one hash to a few seconds and some 256 MiB:
//
//	any string       1024 bytes, a salt of 128, a tag of 256
//	argon2           m up to 256 MiB, t and p up to 16
//	bcrypt           cost 4 to 16; more than 72 bytes of a password never match
//	PBKDF2           10,000,000 rounds, those of every block of the tag counted
//	scrypt           128 N r up to 256 MiB, and p times that up to 1 GiB
//	yescrypt         256 MiB, one thread
//	SHA-crypt        1000 to 5,000,000 rounds
//	phpass, Drupal   2^24 and 2^22 rounds
//
// Not read are crypt(3) with DES, hashes of MD4 and NT, gost-yescrypt, and what
// Spring was given other parameters than its defaults for.
//
// # Pepper
//
// With Hasher.Peppers every new hash passes through a key that is not in the
// database, see [Pepper]. Format names the key that a hash needs, so that one
// can see when an old key is not needed any more. A hash whose key is not there
// gives [ErrKey]: neither right nor wrong.
//
// # Cost
//
// [OWASP] is the default, [RFC9106] is dearer, and [Calibrate] measures what a
// machine can do.
//
// # Memory
//
// One hash takes as much memory as its parameters say, 19 MiB by default. Who
// hashes for many at once lets them in by a [Gate].
package password
