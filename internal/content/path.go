package content

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Limits of a path, in bytes of its normal form.
const (
	maxPath = 1024
	maxPart = 255
)

// NormalPath returns the one form in which a package's paths are kept and looked up: Unicode NFC, parts separated by single
// slashes, none at either end. It cleans nothing else up: a path with empty parts, `.` or `..`, a backslash, a drive letter,
// control characters or bad UTF-8, or one that is too long, is refused. NormalPath of a normal path is that path.
func NormalPath(name string) (string, error) {
	if !utf8.ValidString(name) {
		return "", refuse("path_encoding", "The name of the file `{file}` is not valid UTF-8.", "file", shown(name))
	}
	p := norm.NFC.String(name)
	if len(p) > maxPath {
		return "", refuse("path_too_long", "The path `{file}` is longer than {n} bytes.", "file", shown(p), "n", maxPath)
	}
	for _, r := range p {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return "", refuse("path_control", "The path `{file}` contains a control character.", "file", shown(p))
		}
		if r == '\\' {
			return "", refuse("path_backslash", "The path `{file}` contains a backslash. Folders in a zip are separated by `/`.", "file", shown(p))
		}
	}
	if p == "" {
		return "", refuse("path_empty", "A file in the package has an empty name.")
	}
	if p[0] == '/' {
		return "", refuse("path_absolute", "The path `{file}` is absolute. Paths must be relative to the package.", "file", shown(p))
	}
	if len(p) > 1 && p[1] == ':' && (p[0]|0x20) >= 'a' && (p[0]|0x20) <= 'z' {
		return "", refuse("path_drive", "The path `{file}` begins with a drive letter. Paths must be relative to the package.", "file", shown(p))
	}
	for part := range strings.SplitSeq(p, "/") {
		switch {
		case part == "":
			return "", refuse("path_empty_part", "The path `{file}` has a part without a name.", "file", shown(p))
		case part == "." || part == "..":
			return "", refuse("path_dots", "The path `{file}` contains `{part}`.", "file", shown(p), "part", part)
		case len(part) > maxPart:
			return "", refuse("path_part_too_long", "A part of the path `{file}` is longer than {n} bytes.", "file", shown(p), "n", maxPart)
		}
	}
	return p, nil
}

// foldedPath maps normal paths that differ only by case to one string. Slashes become NUL, so that in sorted order whatever
// lies in a folder follows directly after a file of the folder's name.
func foldedPath(p string) string {
	return strings.ReplaceAll(norm.NFC.String(cases.Fold().String(p)), "/", "\x00")
}
