package main

import (
	"crypto/rand"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rollway/internal/db"
)

// TestKnownAndUnknownAddresses asks for addresses that somebody has and for ones that nobody has, in turn: status, form of the
// body and time are the same. It does not run beside other tests, since it measures.
func TestKnownAndUnknownAddresses(t *testing.T) {
	for _, e := range []db.Engine{db.SQLite, db.PostgreSQL} {
		t.Run(e.String(), func(t *testing.T) {
			d := newDashboard(t, e, unlimited()...)
			session := pick(t, d.want(200, "GET", "/initSession?user_token="+d.service, nil, "").body, "/session_token")
			known := d.joined(session, "known@example.org")
			pending := "pending@example.org"
			d.apply(session, pending)
			for _, p := range d.probes(session) {
				d.compare(p, map[string]func() string{"known": func() string { return known }, "unknown": stranger})
				d.compare(p, map[string]func() string{"waiting": func() string { return pending }, "unknown": stranger})
			}
		})
	}
}

func stranger() string { return strings.ToLower(rand.Text()[:5]) + "@example.org" } // as long as the known one

// apply signs somebody up by the dialect.
func (d *dashboard) apply(session, address string) answer {
	d.Helper()
	captcha := pick(d, d.want(200, "POST", "/PluginFlyvemdmdemoCaptcha?session_token="+session, nil, `{"input":{}}`).body, "/id")
	a, err := d.create(session, address, newPassword, captcha, d.answerOf(captcha))
	d.must(err)
	if a.status != 200 {
		d.Fatalf("signing up: %+v", a)
	}
	return a
}

// joined signs somebody up who confirms, and returns their address.
func (d *dashboard) joined(session, address string) string {
	d.Helper()
	d.apply(session, address)
	number, token := d.validation(address)
	if a, err := d.validate(session, number, token); err != nil || a.status != 200 {
		d.Fatalf("%+v %v", a, err)
	}
	return address
}

// probe is one way to ask whether somebody has an address. prepare is not measured.
type probe struct {
	name    string
	prepare func(v *visitor) string
	ask     func(v *visitor, prepared, address string) (answer, error)
}

func (d *dashboard) probes(session string) []probe {
	none := func(*visitor) string { return "" }
	return []probe{
		{"sign-up by the dialect", func(*visitor) string {
			return pick(d, d.want(200, "POST", "/PluginFlyvemdmdemoCaptcha?session_token="+session, nil, `{"input":{}}`).body, "/id")
		}, func(v *visitor, captcha, address string) (answer, error) {
			return d.create(session, address, newPassword, captcha, d.answerOf(captcha))
		}},
		{"sign-up on our page", func(v *visitor) string {
			return shownChallenge.FindStringSubmatch(v.sees(v.get("/signup"))(200).body)[1]
		}, func(v *visitor, challenge, address string) (answer, error) {
			return v.post("/signup", "do", "create", "challenge", challenge, "answer", d.answerOf(challenge), "work", "", "email", address, "password", newPassword)
		}},
		{"a new password on our page", none, func(v *visitor, _, address string) (answer, error) { return v.post("/password", "email", address) }},
		{"a new password by the dialect", none, func(v *visitor, _, address string) (answer, error) {
			return ask(d.Context(), "PUT", d.url+"/lostPassword", nil, fmt.Sprintf(`{"email":%q}`, address))
		}},
		{"sign-in by the dialect", none, func(v *visitor, _, address string) (answer, error) {
			return d.signIn(address, "a wrong password it is")
		}},
		{"sign-in on our page", none, func(v *visitor, _, address string) (answer, error) {
			return v.post("/login", "email", address, "password", "a wrong password it is")
		}},
	}
}

var (
	numbersAndTokens = regexp.MustCompile(`\d+|nonce-[\w-]+`)
	volatile         = []string{"Date", "X-Request-Id", "Set-Cookie", "Location"}
)

// shape is an answer without what differs between any two.
func shape(a answer, address string) string {
	var heads []string
	for name := range a.header {
		if !slices.Contains(volatile, name) {
			heads = append(heads, name+": "+a.header.Get(name))
		}
	}
	slices.Sort(heads)
	for _, k := range a.header.Values("Set-Cookie") {
		name, _, _ := strings.Cut(k, "=")
		heads = append(heads, "Set-Cookie "+name)
	}
	location := a.header.Get("Location")
	text := fmt.Sprint(a.status, heads, location, strings.ReplaceAll(a.body, address, "ADDRESS"))
	return numbersAndTokens.ReplaceAllString(text, "N")
}

// compare asks for two sorts of addresses in turn, 200 times each with ROLLWAY_LONG=1. What the machine does besides makes a
// series differ now and then, what the program does makes each differ: so a series is measured again, a few times at the most.
// The few requests of a short run are held against each other by the fastest of them: that finds a hash of a password that is
// left out, also one of two.
func (d *dashboard) compare(p probe, sorts map[string]func() string) {
	d.Helper()
	rounds := roundsOf(4, 5, 200)
	names := slices.Sorted(maps.Keys(sorts))
	for series := 1; ; series++ {
		took := d.series(p, names, sorts, rounds)
		of := func(name string) time.Duration {
			slices.Sort(took[name])
			if rounds < 200 {
				return took[name][0]
			}
			return took[name][rounds/2]
		}
		one, other := of(names[0]), of(names[1])
		most := max(5*time.Millisecond, min(one, other)/10)
		if rounds < 200 {
			most = max(10*time.Millisecond, min(one, other)*2/3)
		}
		if apart := (one - other).Abs(); apart <= most {
			d.Logf("proof: %s: %s: %v (%s), %v (%s) over %d requests each, the same status and body", d.Name(), p.name, one.Round(10*time.Microsecond), names[0], other.Round(10*time.Microsecond), names[1], rounds)
			return
		} else if series == mostSeries {
			d.Errorf("%s: %v for %s addresses and %v for %s ones, over %d requests each; at most %v apart is allowed", p.name, one, names[0], other, names[1], rounds, most)
			return
		}
	}
}

const mostSeries = 4

// series asks, and returns how long it took by sort of address.
func (d *dashboard) series(p probe, names []string, sorts map[string]func() string, rounds int) map[string][]time.Duration {
	d.Helper()
	took, shapes := map[string][]time.Duration{}, map[string]string{} // shape → the first sort of address that had it
	for i := range 2 * rounds {
		name := names[(i+i/2)%2] // neither is always the first
		address := sorts[name]()
		v := d.visitor()
		prepared := p.prepare(v)
		began := time.Now()
		a, err := p.ask(v, prepared, address)
		took[name] = append(took[name], time.Since(began))
		d.must(err)
		if s := shape(a, address); shapes[s] == "" {
			shapes[s] = name
		}
	}
	if len(shapes) != 1 {
		d.Errorf("%s: there are %d sorts of answers: %v", p.name, len(shapes), shapes)
	}
	return took
}
