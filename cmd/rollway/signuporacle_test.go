package main

import (
	"context"
	"fmt"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

// registrar is a dashboard that people sign up at, with a ledger of what they were told; its oracle holds that against the
// database, the mail and the server's answers.
type registrar struct {
	*dashboard
	*signupLedger
	letters letters
	db      *db.DB
	checked map[string]bool // addresses whose owner was signed in by the oracle
	errs    []error
}

func newRegistrar(d *dashboard) *registrar {
	d.Helper()
	opened := dbtest.Connect(d, db.Options{URL: d.database, Conns: 2})
	return &registrar{dashboard: d, signupLedger: &signupLedger{applicants: map[string]*applicant{}}, db: opened, checked: map[string]bool{},
		letters: letters{map[string]bool{}, map[string]map[string]string{}, map[string]int{}}}
}

func (g *registrar) blame(format string, args ...any) {
	g.errs = append(g.errs, fmt.Errorf(format, args...))
}

// verify says what is wrong. At the end nothing may be on its way any more; before, messages may wait in the outbox.
func (g *registrar) verify(end bool) []error {
	g.errs = nil
	var waiting int64
	for deadline := time.Now().Add(40 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		waiting = g.count("SELECT count(*) FROM outbox_jobs WHERE kind = 'mail'")
		if !end || waiting == 0 || time.Now().After(deadline) {
			break
		}
	}
	if end && waiting > 0 {
		g.blame("%d messages have not left", waiting)
	}
	g.must(g.letters.read(g.box))
	byAddress, known, made := map[string][]signupRow{}, map[string]int{}, 0
	for _, r := range g.signups() {
		if err := r.whole(); err != nil {
			g.errs = append(g.errs, err)
		}
		if r.state == "known" {
			known[r.address]++
			continue
		}
		byAddress[r.address] = append(byAddress[r.address], r)
		made++
	}
	g.nothingElse(made)
	g.captchasUsed(byAddress, known)
	g.mail(byAddress, known, waiting)
	for address, a := range g.applicants {
		g.one(address, a, byAddress[address], known[address])
		delete(byAddress, address)
	}
	for address := range byAddress {
		g.blame("phantom: nobody signed up as %s", address)
	}
	g.sessions()
	for _, u := range g.unexpected {
		g.blame("refused: %s", u)
	}
	return g.errs
}

func (g *registrar) count(query string, args ...any) (n int64) {
	g.Helper()
	g.must(g.db.Read(g.Context(), func(tx *db.Tx) error { return tx.Row(g.Context(), query, args...).Scan(&n) }))
	return n
}

func (g *registrar) signups() (rows []signupRow) {
	g.Helper()
	g.must(g.db.Snapshot(g.Context(), func(tx *db.Tx) (err error) {
		rows, err = stored(g.Context(), tx)
		return err
	}))
	return rows
}

// nothingElse: what belongs to sign-ups belongs to one of them.
func (g *registrar) nothingElse(made int) {
	for what, query := range map[string]string{
		"organizations without people": "SELECT count(*) FROM organizations o WHERE o.id <> 1 AND NOT EXISTS (SELECT 1 FROM people p WHERE p.org_id = o.id)",
		"people without a sign-up":     "SELECT count(*) FROM people p WHERE NOT EXISTS (SELECT 1 FROM signups s WHERE s.org_id = p.org_id AND s.person_id = p.id)",
		"logins of nobody":             "SELECT count(*) FROM logins l WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.org_id = l.org_id AND p.id = l.person_id)",
		"addresses of nobody":          "SELECT count(*) FROM login_addresses a WHERE NOT EXISTS (SELECT 1 FROM logins l WHERE l.org_id = a.org_id AND l.person_id = a.person_id)",
		"groups of nobody":             "SELECT count(*) FROM groups g WHERE g.org_id <> 1 AND NOT EXISTS (SELECT 1 FROM signups s WHERE s.org_id = g.org_id)",
		"grants of nobody":             "SELECT count(*) FROM grants g WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.org_id = g.org_id AND p.id = g.person_id)",
	} {
		if n := g.count(query); n > 0 {
			g.blame("half: %d %s", n, what)
		}
	}
	if all := g.count("SELECT count(*) FROM organizations"); all != int64(made)+1 {
		g.blame("half: %d organizations of %d sign-ups", all-1, made)
	}
}

// captchasUsed: a captcha is used up exactly when what it was used for has happened.
func (g *registrar) captchasUsed(byAddress map[string][]signupRow, known map[string]int) {
	for address, a := range g.applicants {
		for _, c := range a.captchas {
			used := g.count("SELECT count(*) FROM challenges WHERE number = ? AND used IS NOT NULL", numberIn(c.number)) == 1
			if c.fate == acknowledged && !used {
				g.blame("lost: captcha %s of %s is not used up", c.number, address)
			}
			if made := len(byAddress[address])+known[address] == 1; a.tried == 1 && used != made {
				g.blame("half: captcha %s is used up %v, the sign-up of %s is there %v", c.number, used, address, made)
			}
		}
	}
}

func numberIn(text string) (n int64) {
	if _, err := fmt.Sscan(text, &n); err != nil {
		return -1
	}
	return n
}

// mail: each sign-up has its message, always with the same token; no message is about a sign-up that nobody asked for.
func (g *registrar) mail(byAddress map[string][]signupRow, known map[string]int, waiting int64) {
	without := int64(0)
	for _, rows := range byAddress {
		for _, r := range rows {
			if len(g.letters.tokens[fmt.Sprint(r.number)]) == 0 {
				without++
			}
		}
	}
	for address, n := range known {
		without += int64(max(0, n-g.letters.known[address]))
	}
	if without > waiting {
		g.blame("lost: %d sign-ups have no mail, and %d messages wait", without, waiting)
	}
	for number, tokens := range g.letters.tokens {
		if len(tokens) > 1 {
			g.blame("twice: sign-up %s has %d tokens", number, len(tokens))
		}
		for _, address := range tokens {
			if g.applicants[address] == nil {
				g.blame("phantom: mail for %s", address)
			}
		}
	}
}

// one holds what was told about an address against what is there; whoever still waits confirms now, and signs in.
func (g *registrar) one(address string, a *applicant, rows []signupRow, known int) {
	confirmed := 0
	for _, r := range rows {
		if r.state == "confirmed" {
			confirmed++
		}
	}
	switch {
	case confirmed > 1, confirmed == 1 && len(rows) > 1:
		g.blame("twice: %s has %d sign-ups, %d of them confirmed", address, len(rows), confirmed)
	case a.acked > 0 && len(rows) == 0:
		g.blame("lost: the sign-up of %s", address)
	case a.proven && confirmed == 0:
		g.blame("lost: the validation of %s", address)
	case len(rows)+known > a.tried:
		g.blame("phantom: %d sign-ups of %s, who tried %d times", len(rows)+known, address, a.tried)
	case known > 0 && confirmed == 0:
		g.blame("phantom: %s is known and nobody's", address)
	}
	if a.tried == 1 && len(a.numbers) == 1 && len(rows) == 1 && fmt.Sprint(rows[0].personNumber) != a.numbers[0] {
		g.blame("lost: %s is person %d, and was told %s", address, rows[0].personNumber, a.numbers[0])
	}
	if len(rows) == 0 || g.checked[address] || confirmed == 0 && !g.confirm(address, a, rows) {
		return
	}
	g.checked[address] = true
	in, err := g.signIn(address, newPassword)
	g.must(err)
	if in.status != 200 {
		g.blame("lost: %s cannot sign in: %d %s", address, in.status, in.body)
		return
	}
	a.sessions = append(a.sessions, pick(g, in.body, "/session_token"))
}

// confirm confirms one of the sign-ups that wait, when its mail is there.
func (g *registrar) confirm(address string, a *applicant, rows []signupRow) bool {
	for _, r := range rows {
		for token := range g.letters.tokens[fmt.Sprint(r.number)] {
			s, err := g.session()
			g.must(err)
			done, err := g.validate(pick(g, s.body, "/session_token"), fmt.Sprint(r.number), token)
			g.must(err)
			if done.status != 200 {
				g.blame("lost: %s cannot confirm: %d %s", address, done.status, done.body)
				return false
			}
			a.proven = true
			return true
		}
	}
	return false
}

// sessions: those that were acknowledged go on, those that were ended are over, and captchas that were burned open nothing.
func (g *registrar) sessions() {
	status := func(path, session string) int {
		a, err := ask(context.Background(), "GET", g.url+path, []string{"Session-Token: " + session}, "")
		g.must(err)
		return a.status
	}
	for address, a := range g.applicants {
		for _, s := range a.sessions {
			if is := status("/getFullSession", s); is != 200 {
				g.blame("lost: the session of %s answers %d", address, is)
			}
		}
	}
	for _, s := range g.services {
		if is := status("/PluginFlyvemdmdemoCaptcha/1", s); is == 401 {
			g.blame("lost: a session of the service token")
		}
	}
	for _, s := range g.ended {
		if is := status("/getFullSession", s); is != 401 {
			g.blame("lost: the end of a session, which answers %d", is)
		}
	}
	for _, c := range g.burned {
		a, err := g.create(c.session, "burned@example.org", newPassword, c.number, g.answerOf(c.number))
		g.must(err)
		if a.status < 400 {
			g.blame("lost: captcha %s was burned and opens: %s", c.number, a.body)
		}
	}
	g.burned = nil // looked at once
}
