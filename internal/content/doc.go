// Package content holds what people can be launched into: packages, which are zips with a manifest, and links.
//
// # Reading a package
//
// OpenZip reads the outline of an uploaded zip and refuses everything that a well-made package has no need of, before a
// single file of it is inflated; ReadPackage then finds and reads the manifest. Both are pure: they write nothing, and no
// path in a zip ever reaches the file system. A path is only a key, kept in the form NormalPath gives it, next to the hash
// of the file's bytes. Nothing in a package is executed or rendered here; its pages are served from an origin of their own.
//
// The zip reader is written for this purpose and stricter than archive/zip, which keeps two entries of one name, does not
// compare the two headers of an entry, and indexes every entry before anyone can look at a limit. The rules:
//
//   - Limits on the upload, on the number of entries, on the size of each and of all together, and on how far one may
//     inflate. They are checked against what the zip declares, and each file is then held to what was declared for it.
//   - The end record, the central directory and each local header agree and stand where they say; no two entries share
//     bytes; nothing is encrypted, split over several disks, or packed by a method other than stored and deflate.
//   - Only regular files are kept. Folders carry no data and are skipped.
//   - Paths are valid and unique, also when upper and lower case are not told apart, and no file is also a folder.
//
// Everything refused is a fault of kind Invalid, or TooLarge for a limit, with a stable code (zip_…, path_…, package_…,
// manifest_…, launch_…) and a sentence for the author of the package. Other errors come from reading the upload itself.
//
// # What is in a package
//
// A package has exactly one tincan.xml; its folder is the root, and launch addresses are relative to that. Files outside
// the root, and the leavings of operating systems (__MACOSX, .DS_Store, Thumbs.db), are dropped and reported: they cannot
// be reached by the content, and tools add them without the author knowing. If a package has a tincan.xml, other
// manifests beside it do not matter.
//
// # The catalogue
//
// Catalogue says what each activity of an organization launches, and opens the files of packages. Whoever adds last decides:
// a package or a link takes an activity over from whatever it launched before. Packages never change. Another version is
// another package, with an id, rows and a web origin of its own, so that a launch that is going on keeps the files it began
// with; the rows of a replaced package stay, count towards the quota, and are used again when the same files are added
// again. Two zips of the same paths and bytes are the same package, however they were packed.
//
// An import stores files before the transaction that names them. What breaks off in between leaves blobs that no row names.
package content

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"rollway/internal/fault"
)

// refuse says what is wrong with a package. All faults of one code name the same things in args, see [fault.Say].
func refuse(code, message string, args ...any) error {
	return fault.Say(fault.Invalid, code, message, args...)
}

// tooLarge says which limit a package exceeds.
func tooLarge(code, message string, args ...any) error {
	return fault.Say(fault.TooLarge, code, message, args...)
}

// shown makes a string from a package fit to stand in a sentence: short, and without characters that do not print.
func shown(s string) string {
	const most = 120
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == '`' {
			return utf8.RuneError
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return s
}
