package xapi

// Version is a line of the standard that a request follows.
type Version uint8

// The lines that this package knows.
const (
	V1 Version = iota + 1 // xAPI 1.0.x
	V2                    // xAPI 2.0.x (IEEE 9274.1.1)
)

// String is the latest patch of the line, as it is answered in the header
// X-Experience-API-Version: "1.0.3" or "2.0.0".
func (v Version) String() string {
	if v == V2 {
		return "2.0.0"
	}
	return "1.0.3"
}

// Statement is the version that a statement gets that came without one:
// "1.0.0" (Data 2.4.10) or "2.0.0".
func (v Version) Statement() string {
	if v == V2 {
		return "2.0.0"
	}
	return "1.0.0"
}

// ParseVersionHeader reads the value of the header X-Experience-API-Version:
// 1.0, 1.0.x, 2.0 or 2.0.x (Communication 3.3). The error is an [*Error].
func ParseVersionHeader(s string) (Version, error) {
	if v, ok := versionLine([]byte(s)); ok {
		return v, nil
	}
	return 0, ruleVersionHeader.broken(s)
}

// versionLine tells which line a version number belongs to.
func versionLine(s []byte) (Version, bool) {
	if len(s) < 3 || s[1] != '.' || s[2] != '0' {
		return 0, false
	}
	var v Version
	switch s[0] {
	case '1':
		v = V1
	case '2':
		v = V2
	default:
		return 0, false
	}
	patch := s[3:]
	if len(patch) == 0 {
		return v, true
	}
	if patch[0] != '.' || len(patch) < 2 || len(patch) > 6 || (patch[1] == '0' && len(patch) > 2) {
		return 0, false
	}
	for _, c := range patch[1:] {
		if !isDigit(c) {
			return 0, false
		}
	}
	return v, true
}

// accepts tells whether the version property of a statement may have value s
// in a request of line v: a line takes its own statements and older ones.
func (v Version) accepts(s []byte) bool {
	line, ok := versionLine(s)
	return ok && line <= v
}
