// Package acceptance has no code. Its tests run the verbs of roster.Users, as a
// program would call them, on every store: races, random histories compared
// with a model, faults at every step, secrets that must not leak, equal work
// for every refusal, hostile input, and databases in trouble.
//
// The counts are short by default. ROSTER_SOAK=1 makes them long. What needs
// PostgreSQL runs where ROSTER_TEST_POSTGRES names a server and is skipped
// elsewhere. A random test prints its seed when it fails; ROSTER_SEED runs it
// again with that one.
package acceptance
