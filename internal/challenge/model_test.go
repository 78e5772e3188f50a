package challenge

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// modelled is a challenge as it should be.
type modelled struct {
	number        int64
	answer, token string
	expires       time.Time
	wrong         int
	used          bool
}

// model is all challenges as they should be, beside the real ones.
type model struct {
	*house
	all []*modelled
}

func (m *model) issue(t *rapid.T) {
	token := rapid.SampledFrom([]string{"", "a"}).Draw(t, "token")
	ch, err := m.Issue(m.t.Context(), From{Org: id.DefaultOrg, Token: token, Addr: ada})
	if err != nil {
		t.Fatal(err)
	}
	m.all = append(m.all, &modelled{number: ch.Number, answer: m.answers[ch.Number], token: token, expires: ch.Expires})
}

// code is what an answer must come to, "" when it is right.
func (m *model) code(c *modelled, answer, token string) string {
	switch {
	case answer == "":
		return "challenge_missing"
	case c.used || c.wrong >= 3 || token != c.token || !m.now().Before(c.expires):
		return "challenge_unknown"
	case answer != c.answer:
		return "challenge_failed"
	}
	return ""
}

// draw takes one of the challenges, or none of them, and an answer to it that is most often its own.
func (m *model) draw(t *rapid.T) (c *modelled, answer, token string) {
	c = rapid.SampledFrom(m.all).Draw(t, "challenge")
	answer = rapid.SampledFrom([]string{c.answer, c.answer, "wrong", m.all[0].answer, ""}).Draw(t, "answer")
	token = rapid.SampledFrom([]string{c.token, c.token, c.token, "b"}).Draw(t, "token")
	return c, answer, token
}

func (m *model) compare(t *rapid.T, what string, err error, code string) {
	got := ""
	if err != nil {
		got = fault.Of(err).Code
	}
	if got != code {
		t.Fatalf("%s at %v: %v, not %q", what, m.now(), err, code)
	}
}

func (m *model) check(t *rapid.T) {
	c, answer, token := m.draw(t)
	code := m.code(c, answer, token)
	m.compare(t, "check", m.Check(m.t.Context(), c.number, answer, token), code)
	if code == "challenge_failed" {
		c.wrong++
	}
}

func (m *model) use(t *rapid.T) {
	c, answer, token := m.draw(t)
	code := m.code(c, answer, token)
	m.compare(t, "consume", m.consume(c.number, answer, token), code)
	c.used = c.used || code == ""
}

func (m *model) look(t *rapid.T) {
	c, answer, token := m.draw(t)
	if answer == "" || token != c.token {
		return
	}
	_, err := m.Get(m.t.Context(), c.number, Access{Addr: ada, Token: token})
	code := m.code(c, c.answer, token)
	m.compare(t, "get", err, code)
}

func (m *model) wait(t *rapid.T) {
	m.advance(time.Duration(rapid.IntRange(1, 8*60).Draw(t, "seconds")) * time.Second)
}

func (m *model) sweep(t *rapid.T) {
	if err := m.Sweep(m.t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Challenges do what a list of them would do, on both engines.
func TestModel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		rapid.Check(t, func(rt *rapid.T) {
			m := &model{house: newHouse(t, d, unlimited)}
			m.issue(rt)
			rt.Repeat(map[string]func(*rapid.T){
				"issue": m.issue, "check": m.check, "check again": m.check, "consume": m.use, "look": m.look, "wait": m.wait, "sweep": m.sweep,
			})
		})
	})
}
