// Package difftest runs random scripts on every store that roster ships and
// compares each answer and what is left in the end. What the conformance suite
// does not think of shows here, as long as two stores do not share the mistake.
//
// It has tests only. The environment says how much is run:
//
//	ROSTER_SEEDS=1000       so many scripts
//	ROSTER_SEED=42          this one only
//	ROSTER_SOAK=1           many
//	ROSTER_TEST_POSTGRES=1  on Postgres too
package difftest
