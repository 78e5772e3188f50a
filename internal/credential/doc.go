// Package credential keeps user names and secrets that act for one agent: it mints them, checks them on every request, and
// ends them.
//
// There are three kinds. A minted one is asked for by another system and acts for one agent of a person. A launch's is made
// when content is opened and acts for that agent, registration and activity only. An unbound one acts for the system that
// minted it, with no more rights than that system has at the time of each request.
//
// Whether a credential is good is decided where it is presented, from rows: its own, its parent's, its person's state. What
// was found is remembered in memory; every change to those rows is announced (access.Changes) and makes this forget it, so
// that a revocation or suspension holds for the very next request. See [access.Memory] for why no stale answer survives.
package credential
