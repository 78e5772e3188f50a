package xapi

import (
	"strconv"
	"strings"
	"time"
)

// Duration is an ISO 8601 duration as text, such as PT1H30M, P3Y6M or P4W. It
// is never converted between units: a month has no fixed length (Data 2.3.1).
type Duration string

// ParseDuration checks s (Data 4.6, ISO 8601:2004 4.4.3.2): units in order,
// each at most once, weeks alone, and a fraction on the last number only. The
// error is an [*Error].
func ParseDuration(s string) (Duration, error) {
	if !validDuration([]byte(s)) {
		return "", ruleDuration.broken(s)
	}
	return Duration(s), nil
}

// FormatDuration writes d as hours, minutes and seconds, cut to 0.01 s: PT1H2M3.45S.
// A negative d counts as zero.
func FormatDuration(d time.Duration) Duration {
	hundredths := int64(max(d, 0) / (10 * time.Millisecond))
	hours, minutes := hundredths/360000, hundredths/6000%60
	seconds, part := hundredths/100%60, hundredths%100
	var b strings.Builder
	b.WriteString("PT")
	if hours > 0 {
		b.WriteString(strconv.FormatInt(hours, 10) + "H")
	}
	if minutes > 0 {
		b.WriteString(strconv.FormatInt(minutes, 10) + "M")
	}
	if seconds > 0 || part > 0 || b.Len() == len("PT") {
		b.WriteString(strconv.FormatInt(seconds, 10))
		if part > 0 {
			b.WriteString("." + strconv.Itoa(int(part/10)))
			if part%10 > 0 {
				b.WriteString(strconv.Itoa(int(part % 10)))
			}
		}
		b.WriteString("S")
	}
	return Duration(b.String())
}

// Equal compares as statements do: as text, but digits beyond 0.01 s do not
// count (Data 4.6). PT60S and PT1M differ.
func (d Duration) Equal(other Duration) bool { return d.comparable() == other.comparable() }

// comparable cuts the fraction of the seconds after its second digit, drops
// zeros at its end, and writes it with a point.
func (d Duration) comparable() string {
	s := string(d)
	point := strings.IndexAny(s, ".,")
	if point < 0 || !strings.HasSuffix(s, "S") {
		return strings.ReplaceAll(s, ",", ".")
	}
	fraction := s[point+1 : len(s)-1]
	fraction = strings.TrimRight(fraction[:min(len(fraction), 2)], "0")
	if fraction == "" {
		return s[:point] + "S"
	}
	return s[:point] + "." + fraction + "S"
}

func validDuration(s []byte) bool {
	if len(s) < 3 || s[0] != 'P' {
		return false
	}
	units, timePart, last := "YMWD", false, false
	weeks, others := false, false
	for i := 1; i < len(s); {
		if s[i] == 'T' {
			if timePart {
				return false
			}
			units, timePart = "HMS", true
			if i++; i == len(s) {
				return false
			}
			continue
		}
		if last {
			return false // something follows a number with a fraction
		}
		n, fraction := durationNumber(s[i:])
		if i += n; n == 0 || i == len(s) {
			return false
		}
		at := strings.IndexByte(units, s[i])
		if at < 0 {
			return false
		}
		weeks, others = weeks || s[i] == 'W', others || s[i] != 'W'
		units, last = units[at+1:], fraction
		i++
	}
	return weeks != others && !(weeks && timePart)
}

// durationNumber measures a number that may have a fraction.
func durationNumber(s []byte) (length int, fraction bool) {
	for length < len(s) && isDigit(s[length]) {
		length++
	}
	if length == 0 || length == len(s) || s[length] != '.' && s[length] != ',' {
		return length, false
	}
	point := length
	length++
	for length < len(s) && isDigit(s[length]) {
		length++
	}
	if length == point+1 {
		return 0, false
	}
	return length, true
}
