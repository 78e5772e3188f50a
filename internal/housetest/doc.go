// Package housetest holds the tests that keep the house in shape: which room may import which, how long a file may be,
// what every package says about itself, and the words that do not belong in the repository. It has no code of its own.
//
// A new room gets its floor in the table rooms.
package housetest
