package limit

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rollway/internal/fault"
)

func TestParseWindows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []Window
	}{
		{"6/5m,15/15m,20/60m", []Window{{6, 5 * time.Minute}, {15, 15 * time.Minute}, {20, time.Hour}}},
		{"3/1h, 10/1d", []Window{{3, time.Hour}, {10, 24 * time.Hour}}},
		{"10000/31d", []Window{{10000, 31 * 24 * time.Hour}}},
		{"1/1s", []Window{{1, time.Second}}},
		{"none", nil},
	} {
		got, err := ParseWindows(c.text)
		if err != nil || got == nil || !slices.Equal(got, c.want) {
			t.Errorf("%q is %v, %v", c.text, got, err)
		}
	}
	for _, text := range []string{"", " ", "6", "6/", "/5m", "6/5", "0/5m", "-1/5m", "+6/5m", "06/5m", "6/0m", "6/1.5m", "6/32d", "10001/5m",
		"6/5m,", "6/5x", "6/5m20/60m", "99999999999999999999/5m", "6/99999999999999999999m", "٦/5m", "None", strings.Repeat("1/1s,", 8) + "1/1s"} {
		if got, err := ParseWindows(text); !fault.Is(err, fault.Invalid) || fault.Of(err).Code != "bad_windows" {
			t.Errorf("%q was read as %v, %v", text, got, err)
		}
	}
}

func FuzzParseWindows(f *testing.F) {
	f.Add("6/5m,15/15m,20/60m")
	f.Add("none")
	f.Add("3/1h, 10/1d")
	f.Fuzz(func(t *testing.T, text string) {
		windows, err := ParseWindows(text)
		if err != nil || len(windows) == 0 {
			return
		}
		printed := make([]string, len(windows))
		for i, w := range windows {
			if w.Max < 1 || w.Max > maxTries || w.Per < time.Second || w.Per > maxPer {
				t.Fatalf("%q holds %v", text, w)
			}
			printed[i] = w.String()
		}
		again, err := ParseWindows(strings.Join(printed, ","))
		if err != nil || !slices.Equal(again, windows) {
			t.Fatalf("%q is %v; printed and read again it is %v, %v", text, windows, again, err)
		}
	})
}
