package xapi

import "time"

// Timestamp is a point in time as xAPI writes it. Its JSON form is that of
// [FormatTimestamp].
type Timestamp time.Time

// Time is the same point as Go's type, in UTC.
func (t Timestamp) Time() time.Time { return time.Time(t) }

// IsZero tells whether the timestamp is absent.
func (t Timestamp) IsZero() bool { return time.Time(t).IsZero() }

// String is [FormatTimestamp].
func (t Timestamp) String() string { return FormatTimestamp(time.Time(t)) }

// MarshalText is [FormatTimestamp].
func (t Timestamp) MarshalText() ([]byte, error) {
	return AppendTimestamp(nil, time.Time(t)), nil
}

// UnmarshalText is [ParseTimestamp].
func (t *Timestamp) UnmarshalText(text []byte) error {
	parsed, err := ParseTimestamp(string(text))
	*t = Timestamp(parsed)
	return err
}

// FormatTimestamp writes t in UTC with exactly three decimals, cut and not
// rounded: 2026-01-31T12:00:00.000Z.
func FormatTimestamp(t time.Time) string { return string(AppendTimestamp(nil, t)) }

// AppendTimestamp appends what [FormatTimestamp] returns.
func AppendTimestamp(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}

// ParseTimestamp reads an xAPI timestamp (Data 4.5): the format of RFC 3339 in
// capital letters, where the offset may also be ±hh or ±hhmm or be absent,
// which means UTC. An offset of negative zero is refused, and so are years
// before 1 and after 9999. Digits after the ninth decimal are dropped. The
// result is in UTC; the error is an [*Error].
func ParseTimestamp(s string) (time.Time, error) {
	t, ok := parseTimestamp([]byte(s))
	if !ok {
		return time.Time{}, ruleTimestamp.broken(s)
	}
	return t, nil
}

func parseTimestamp(s []byte) (time.Time, bool) {
	const shape = "0000-00-00T00:00:00"
	if len(s) < len(shape) {
		return time.Time{}, false
	}
	for i := range len(shape) {
		if c := shape[i]; c == '0' && !isDigit(s[i]) || c != '0' && c != s[i] {
			return time.Time{}, false
		}
	}
	year, month, day := twoDigits(s)*100+twoDigits(s[2:]), twoDigits(s[5:]), twoDigits(s[8:])
	hour, minute, second := twoDigits(s[11:]), twoDigits(s[14:]), twoDigits(s[17:])
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	nanos, rest, ok := parseFraction(s[len(shape):])
	if !ok {
		return time.Time{}, false
	}
	offset, ok := parseOffset(rest)
	if !ok {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute-offset, second, nanos, time.UTC)
	if second == 60 && t.Add(-time.Second).Format("15:04:05") != "23:59:59" {
		return time.Time{}, false // leap seconds happen at the end of a day only
	}
	return t, t.Year() >= 1 && t.Year() <= 9999
}

// parseFraction reads ".123" and returns nanoseconds and what follows.
func parseFraction(s []byte) (nanos int, rest []byte, ok bool) {
	if len(s) == 0 || s[0] != '.' {
		return 0, s, true
	}
	i, unit := 1, 100_000_000
	for ; i < len(s) && isDigit(s[i]); i++ {
		nanos += int(s[i]-'0') * unit
		unit /= 10
	}
	return nanos, s[i:], i > 1
}

// parseOffset reads Z, ±hh, ±hhmm, ±hh:mm or nothing, in minutes.
func parseOffset(s []byte) (minutes int, ok bool) {
	if len(s) == 0 || len(s) == 1 && s[0] == 'Z' {
		return 0, true
	}
	if s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	var hh, mm []byte
	switch {
	case len(s) == 3:
		hh, mm = s[1:3], []byte("00")
	case len(s) == 5:
		hh, mm = s[1:3], s[3:5]
	case len(s) == 6 && s[3] == ':':
		hh, mm = s[1:3], s[4:6]
	default:
		return 0, false
	}
	if !isDigit(hh[0]) || !isDigit(hh[1]) || !isDigit(mm[0]) || !isDigit(mm[1]) {
		return 0, false
	}
	h, m := twoDigits(hh), twoDigits(mm)
	if h > 23 || m > 59 {
		return 0, false
	}
	minutes = h*60 + m
	if s[0] == '-' {
		return -minutes, minutes != 0
	}
	return minutes, true
}

func twoDigits(s []byte) int { return int(s[0]-'0')*10 + int(s[1]-'0') }

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// servedTimestamp tells whether the text of a timestamp may be served as it
// is: in UTC, with at least three decimals, and no leap second, which many
// programs cannot read.
func servedTimestamp(s []byte) bool {
	return len(s) >= len("0000-00-00T00:00:00.000Z") && s[len(s)-1] == 'Z' && s[len("0000-00-00T00:00:")] != '6'
}
