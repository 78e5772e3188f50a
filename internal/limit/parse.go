package limit

import (
	"strconv"
	"strings"
	"time"

	"rollway/internal/fault"
)

// The bounds of what ParseWindows reads. A window keeps each of its times, so many are for a Rate.
const (
	maxWindows = 8
	maxTries   = 10_000
	maxPer     = 31 * 24 * time.Hour
)

var units = []struct {
	name string
	of   time.Duration
}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

// ParseWindows reads windows as an operator writes them: "6/5m,15/15m,20/60m" is at most 6 in 5 minutes, 15 in 15 and 20
// in 60. Units are s, m, h and d. The word "none" is an empty list, which is not nil: everything is allowed.
//
// Faults: Invalid bad_windows.
func ParseWindows(s string) ([]Window, error) {
	if s == "none" {
		return []Window{}, nil
	}
	parts := strings.Split(s, ",")
	if len(parts) > maxWindows {
		return nil, fault.New(fault.Invalid, "bad_windows", "A limit has at most %d windows, not %d.", maxWindows, len(parts))
	}
	windows := make([]Window, len(parts))
	for i, part := range parts {
		w, ok := parseWindow(strings.TrimSpace(part))
		if !ok {
			return nil, fault.New(fault.Invalid, "bad_windows",
				"%q is not a limit. Write how many in how long, for example 6/5m or 6/5m,20/60m: 1 to %d tries, whole numbers of s, m, h or d up to 31d; or none.", clip(part), maxTries)
		}
		windows[i] = w
	}
	return windows, nil
}

func parseWindow(s string) (Window, bool) {
	tries, per, found := strings.Cut(s, "/")
	most, ok := parseNumber(tries, maxTries)
	if !found || !ok {
		return Window{}, false
	}
	for _, u := range units {
		if digits, found := strings.CutSuffix(per, u.name); found {
			n, ok := parseNumber(digits, int(maxPer/u.of))
			return Window{most, time.Duration(n) * u.of}, ok
		}
	}
	return Window{}, false
}

// parseNumber reads 1 to most, in digits without sign or leading zero.
func parseNumber(s string, most int) (int, bool) {
	if s == "" || len(s) > 9 || s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n <= most
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// String is the form that ParseWindows reads.
func (w Window) String() string {
	for _, u := range units {
		if w.Per%u.of == 0 {
			return strconv.Itoa(w.Max) + "/" + strconv.FormatInt(int64(w.Per/u.of), 10) + u.name
		}
	}
	return strconv.Itoa(w.Max) + "/" + w.Per.String()
}
