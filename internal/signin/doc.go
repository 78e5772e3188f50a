// Package signin knows the passwords of people and their sessions: signing in, staying signed in on several devices, signing
// out, and getting back in after a forgotten password.
//
// A login is a person's sign-in address and password. Addresses are unique in an installation and are looked up by their
// keyed hash, since an address arrives before the organization is known. Passwords are kept as argon2id, under the key
// outside the database as well, and are checked behind a semaphore. An unknown address costs what a wrong password costs.
//
// A session is a random token, kept as a keyed hash. Whether it is good is decided where it is presented, from rows: its own,
// its person's state, their grants. What was found is remembered; whoever changes one of those rows announces it
// (access.Changes), which makes this forget it.
package signin
