// Package courseware is the door of the second origin: it serves the files of uploaded packages, and at /check of each host a
// page by which ours find out whether that can be reached and may keep things in the browser.
//
// # Addresses
//
// Each package has a host of its own, so that one package's scripts cannot reach another's storage, and none is on the host
// of our pages:
//
//	http://p-ID.content.example/TOKEN/path/of/the/file
//
// The token is the launch's right to this package and is checked for every file; it stands in the path, so that relative
// links within a package carry it on. A path leads to a file by being its key in the catalogue. Nothing is cleaned up or
// redirected, no folder has an index, and an encoded slash is not a slash.
//
// # With a single host
//
// Without wildcard DNS all packages live at one host, as http://content.example/p-ID/TOKEN/path. Browsers would take them for
// one origin, so every answer is put in a sandbox (CSP), which gives each page an origin that equals no other, itself
// included. That has a price: packages cannot keep anything in the browser. And it turns two rules around, because to the
// page its own files are now foreign: they may be used and read from anywhere (the token in their address is what protects
// them), and frame-ancestors is left out, which no page inside a sandbox can meet.
//
// # What browsers may keep
//
// Pages are asked for again each time, so that one who opens an old launch learns that it is over instead of taking a course
// that records nothing; unless they changed, the answer is a 304. All else never changes under its address and is kept for
// a day. Only the browser itself may keep anything, never a cache shared by several people.
package courseware
