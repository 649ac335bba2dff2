// Package house has no code. Its tests hold the whole module to its own rules:
// who may import whom, what has to be documented, which versions are too old.
package house
